//! Reaching servers, and those that cannot be reached.

use super::setup::{keys, run, sandbox};
use crate::promises::dead_port;
use crate::support::certificates::Certificates;
use crate::support::keyspace::KeyServer;
use crate::support::sandbox::Sandbox;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A Redis of a test's own, for what must not happen to the others.
pub struct Own {
    child: Child,
    pub port: u16,
    _folder: tempfile::TempDir,
}

impl Own {
    /// Starts `redis-server` with these words, without accounts.
    pub fn start(words: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let words = words.iter().map(|word| word.replace("{port}", &port.to_string()));
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--dir"])
            .arg(folder.path())
            .args(["--port", &port.to_string()])
            .args(words)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server, which `tests/run` installs");
        let own = Self { child, port, _folder: folder };
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(10), "it does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        own
    }

    /// Makes it the store `cache` of a sandbox.
    pub fn takes_over(&self, sandbox: &Sandbox) {
        url(sandbox, &format!("redis://127.0.0.1:{}", self.port));
    }

    /// Asks it something.
    pub fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap();
        // One that is about to take over, or has only just started, may hang up once.
        let connections =
            (0..50).map(|_| client.get_connection().inspect_err(|_| std::thread::sleep(Duration::from_millis(100))));
        let mut link = connections.flatten().next().expect("a connection within five seconds");
        redis::cmd(words[0]).arg(&words[1..]).query(&mut link).unwrap()
    }

    /// Sends it a signal: `-STOP`, `-CONT`.
    pub fn signal(&self, name: &str) {
        Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Gives the store `cache` of a sandbox another URL, and no password.
pub fn url(sandbox: &Sandbox, url: &str) {
    sandbox.write(
        "steward.yaml",
        &format!("stores:\n  core: {{ url: \"sqlite:core.db\" }}\n  cache: {{ url: \"{url}\", statement_timeout: 2 s }}\nstate: state/\nledger: \"sqlite:state/steward.db\"\npolicies: [policies/]\njobs: jobs/\n"),
    );
}

const POLICY: &str = "cache: [{ store: cache, keys: \"c:*\", ttl: 1 h, guard: { max_percent: 100 } }]\n";

#[test]
fn a_store_that_is_away_is_temporary_and_never_a_success() {
    let sandbox = sandbox(KeyServer::Redis, POLICY);
    url(&sandbox, &format!("redis://127.0.0.1:{}", dead_port()));
    let told = run(&sandbox, "sweep", 75);
    assert!(told["reasons"].to_string().contains("`cache` is away"), "{told}");
    assert_eq!(told["ttl_set"], serde_json::Value::Null);
}

#[test]
fn a_frozen_server_is_away_within_the_limit() {
    let own = Own::start(&[]);
    let sandbox = sandbox(KeyServer::Redis, POLICY);
    own.takes_over(&sandbox);
    own.ask::<()>(&["SET", "c:1", "1"]);
    run(&sandbox, "sweep", 0);
    own.signal("-STOP");
    let began = Instant::now();
    let ended = sandbox.steward(["run-job", "sweep", "--yes"]).must_end(75);
    own.signal("-CONT");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?} {ended}", began.elapsed());
}

#[test]
fn a_wrong_password_is_no_temporary_matter_and_is_not_shown() {
    let sandbox = sandbox(KeyServer::Redis, POLICY);
    let host = keys(&sandbox).address.host.clone();
    url(&sandbox, &format!("redis://worker@{host}/0"));
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).unwrap();
    sandbox.write("steward.yaml", &config.replace("statement_timeout", "password: { file: pw }, statement_timeout"));
    sandbox.write("pw", "canary-wrong\n");
    let ended = sandbox.steward(["run-job", "sweep", "--yes", "--json"]).must_end(78);
    assert!(
        ended.stdout.contains("SW4030")
            && ended.stdout.contains("the login was refused")
            && !ended.to_string().contains("canary"),
        "{ended}"
    );
}

#[test]
fn a_right_that_is_missing_is_named_and_nothing_is_touched() {
    let sandbox = sandbox(KeyServer::Redis, POLICY);
    keys(&sandbox).seed("SET c:1 1\n");
    let before = keys(&sandbox).dump();
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).unwrap();
    sandbox.write("steward.yaml", &config.replace("redis://worker@", "redis://reader@"));
    let ended = sandbox.steward(["run-job", "sweep", "--yes", "--json"]);
    assert_eq!(ended.code, Some(4), "{ended}");
    assert!(ended.stdout.contains("SW4006"), "{ended}");
    assert_eq!(keys(&sandbox).dump(), before);
}

#[test]
fn the_primary_is_found_through_sentinel() {
    let (primary, replica) = (Own::start(&[]), Own::start(&[]));
    replica.ask::<()>(&["REPLICAOF", "127.0.0.1", &primary.port.to_string()]);
    primary.ask::<()>(&["SET", "c:1", "1"]);
    let sentinel = sentinel(&format!("port {{port}}\nsentinel monitor main 127.0.0.1 {} 1\n", primary.port));
    let sandbox = sandbox(KeyServer::Redis, POLICY);
    let dead = dead_port();
    url(&sandbox, &format!("redis+sentinel://127.0.0.1:{dead},127.0.0.1:{}/main", sentinel.port));
    assert_eq!(run(&sandbox, "sweep", 0)["ttl_set"], 1);
    assert!(primary.ask::<i64>(&["TTL", "c:1"]) > 0);
    url(&sandbox, &format!("redis+sentinel://127.0.0.1:{}/other", sentinel.port));
    run(&sandbox, "sweep", 75);
    url(&sandbox, &format!("redis://127.0.0.1:{}", replica.port));
    assert!(run(&sandbox, "sweep", 4)["reasons"].to_string().contains("is a replica"));
}

#[test]
fn tls_is_checked_against_a_private_authority() {
    let folder = tempfile::tempdir().unwrap();
    let [ca, cert, key] = Certificates::new(folder.path()).texts();
    let words = ["--port", "0", "--tls-port", "{port}", "--tls-cert-file", &cert, "--tls-key-file", &key];
    let own = Own::start(&[&words[..], &["--tls-ca-cert-file", &ca, "--tls-auth-clients", "no"]].concat());
    let sandbox = sandbox(KeyServer::Redis, POLICY);
    url(&sandbox, &format!("rediss://127.0.0.1:{}", own.port));
    assert!(run(&sandbox, "sweep", 75)["reasons"].to_string().contains("certificate"), "an unknown authority is not trusted");
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).unwrap();
    sandbox.write("steward.yaml", &config.replace("statement_timeout", &format!("ca: \"{ca}\", statement_timeout")));
    run(&sandbox, "sweep", 0);
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).unwrap();
    sandbox.write("steward.yaml", &config.replace("rediss://", "redis://"));
    let ended = sandbox.steward(["run-job", "sweep", "--yes"]);
    assert!(ended.code != Some(0) && ended.stderr.contains("rediss://"), "a `ca` is never in vain: {ended}");
}

/// A Sentinel with this configuration; `{port}` is its port.
pub fn sentinel(configuration: &str) -> Own {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sentinel.conf");
    std::fs::write(&file, configuration.replace("{port}", &port.to_string())).unwrap();
    let child = Command::new("redis-server")
        .arg(&file)
        .args(["--sentinel", "--bind", "127.0.0.1"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let own = Own { child, port, _folder: folder };
    let began = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < Duration::from_secs(10), "it does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    own
}
