//! An address where somebody else answers is told as such, and not tried again.

use super::reach::{Own, url};
use super::setup::{run, sandbox};
use crate::service::setting;
use crate::support::address::{Address, configured};
use crate::support::certificates::Certificates;
use crate::support::keyspace::KeyServer;
use crate::support::sandbox::Sandbox;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const POLICY: &str = "cache: [{ store: cache, keys: \"c:*\", ttl: 1 h, guard: { max_percent: 100 } }]\n";

/// A web server; it goes with the test.
struct Web(Child, u16);

impl Web {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").expect("a spare port").local_addr().expect("an address").port();
        let words = ["-m", "http.server", "--bind", "127.0.0.1", "--directory", "/var/empty", &port.to_string()];
        let child = Command::new("python3").args(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let web = Self(child.expect("python3, which `tests/run` installs"), port);
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "it does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        web
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the run says of the store at this address: wrong, and soon.
#[track_caller]
fn must_be_wrong(sandbox: &Sandbox, at: &str, said: &str) {
    url(sandbox, at);
    let began = Instant::now();
    let told = run(sandbox, "sweep", 78);
    assert!(began.elapsed() < Duration::from_secs(20), "{at}: {:?}", began.elapsed());
    let reasons = told["reasons"].to_string();
    assert!(reasons.contains(said) && reasons.contains("SW4031") && reasons.contains("nothing was touched"), "{at}: {told:#}");
    assert_eq!(told["due"], serde_json::Value::Null, "{told:#}");
    // What people run before they ask others says the same.
    let doctor = sandbox.steward(["doctor"]);
    assert!(doctor.stdout.contains(said), "{at}: {doctor}");
}

#[test]
fn whoever_answers_in_place_of_redis_is_named() {
    let sandbox = sandbox(KeyServer::Redis, POLICY);
    let web = Web::start();
    let host = |variable: &str| Address::of(&configured(variable)).host;
    for (at, named) in [
        (format!("127.0.0.1:{}", web.1), "an HTTP server"),
        (host("STEWARD_TEST_MYSQL_URL"), "MySQL or MariaDB"),
        (host("STEWARD_TEST_MARIADB_URL"), "MySQL or MariaDB"),
        (host("STEWARD_TEST_POSTGRES_URL"), "PostgreSQL"),
        (host("STEWARD_TEST_NEO4J_URL"), "Neo4j"),
        (format!("127.0.0.1:{}", setting("PLAIN_PORT")), "a mail or file server"),
    ] {
        for scheme in ["redis", "rediss"] {
            must_be_wrong(
                &sandbox,
                &format!("{scheme}://{at}"),
                &format!("{named} answers at the address of store `cache`, and not Redis"),
            );
        }
    }
}

#[test]
fn a_server_with_tls_only_and_one_without_are_told_with_the_way_out() {
    let sandbox = sandbox(KeyServer::Redis, POLICY);
    let [ca, certificate, key] = Certificates::new(&sandbox.path("tls")).texts();
    let words = ["--port", "0", "--tls-port", "{port}", "--tls-cert-file", &certificate, "--tls-key-file", &key];
    let sealed = Own::start(&[&words[..], &["--tls-ca-cert-file", &ca, "--tls-auth-clients", "no"]].concat());
    must_be_wrong(&sandbox, &format!("redis://127.0.0.1:{}", sealed.port), "speaks TLS only");
    let plain = Own::start(&[]);
    must_be_wrong(&sandbox, &format!("rediss://127.0.0.1:{}", plain.port), "speaks no TLS");
}

/// Nobody knows who it would be: that may pass by itself.
#[test]
fn a_server_that_hangs_up_on_everything_is_away() {
    let sandbox = sandbox(KeyServer::Redis, POLICY);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    url(&sandbox, &format!("redis://127.0.0.1:{port}"));
    assert!(run(&sandbox, "sweep", 75)["reasons"].to_string().contains("`cache` is away"));
}
