//! Sentinel: over TLS, with accounts, and while it fails over.

use super::reach::{Own, sentinel, url};
use super::setup::{run, sandbox};
use crate::support::certificates::Certificates;
use crate::support::keyspace::KeyServer;
use crate::support::sandbox::{Ended, Sandbox};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const POLICY: &str = "cache: [{ store: cache, keys: \"c:*\", ttl: 1 h, without_ttl: remove, guard: { max_percent: 100 } }]\n";
/// Keys that must go, and keys that must stay.
const GOING: u64 = 90_000;
const STAYING: u64 = 100;

/// Puts something behind the timeout in the store's line.
fn with(sandbox: &Sandbox, what: &str) {
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).unwrap();
    sandbox.write("steward.yaml", &config.replace("statement_timeout", &format!("{what}, statement_timeout")));
}

#[test]
fn sentinel_and_its_servers_are_reached_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let [ca, cert, key] = Certificates::new(folder.path()).texts();
    let tls = ["--tls-cert-file", &cert, "--tls-key-file", &key, "--tls-ca-cert-file", &ca, "--tls-auth-clients", "no"];
    let primary = Own::start(&[&["--port", "0", "--tls-port", "{port}"], tls.as_slice()].concat());
    let watching = sentinel(&format!(
        "port 0\ntls-port {{port}}\ntls-replication yes\ntls-cert-file {cert}\ntls-key-file {key}\ntls-ca-cert-file {ca}\ntls-auth-clients no\nsentinel monitor main 127.0.0.1 {} 1\n",
        primary.port
    ));
    let cli = |words: &[&str]| {
        let port = primary.port.to_string();
        let done =
            Command::new("redis-cli").args(["--tls", "--cacert", &ca, "-p", &port]).args(words).output().expect("redis-cli");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(cli(&["SET", "c:1", "1"]), "OK");
    let sandbox = sandbox(KeyServer::Redis, POLICY);
    url(&sandbox, &format!("rediss+sentinel://127.0.0.1:{}/main", watching.port));
    assert!(run(&sandbox, "sweep", 75)["reasons"].to_string().contains("certificate"), "an unknown authority is not trusted");
    with(&sandbox, &format!("ca: \"{ca}\""));
    assert_eq!(run(&sandbox, "sweep", 0)["swept"], 1);
    assert_eq!(cli(&["EXISTS", "c:1"]), "0");
}

/// A primary with an account, and a Sentinel that knows it and has these accounts itself.
fn guarded(accounts: &str) -> (Sandbox, Own, Own) {
    let primary = Own::start(&["--user", "default", "off", "--user", "worker", "on", ">pw", "~*", "&*", "+@all"]);
    let watching = sentinel(&format!(
        "port {{port}}\nsentinel monitor main 127.0.0.1 {} 1\nsentinel auth-user main worker\nsentinel auth-pass main pw\n{accounts}",
        primary.port
    ));
    let sandbox = sandbox(KeyServer::Redis, POLICY);
    url(&sandbox, &format!("redis+sentinel://worker@127.0.0.1:{}/main", watching.port));
    with(&sandbox, "password: { file: pw }");
    sandbox.write("pw", "pw\n");
    (sandbox, primary, watching)
}

#[test]
fn a_sentinel_without_accounts_or_with_those_of_its_servers_is_asked() {
    for accounts in ["", "user default off\nuser worker on >pw ~* &* +@all\n"] {
        let (sandbox, _primary, _watching) = guarded(accounts);
        run(&sandbox, "sweep", 0);
        let told = sandbox.steward(["doctor"]);
        assert!(told.stdout.contains("as worker"), "{told}");
    }
}

#[test]
fn a_sentinel_with_accounts_of_its_own_is_refused_with_the_way_out() {
    for accounts in ["user default off\nuser watcher on >other ~* &* +@all\n", "requirepass other\n"] {
        let (sandbox, _primary, _watching) = guarded(accounts);
        let told = run(&sandbox, "sweep", 78)["reasons"].to_string();
        assert!(
            told.contains("wants an account, and not the store's own") && told.contains("give Sentinel the same account"),
            "{told}"
        );
        assert!(!told.contains("pw"), "{told}");
    }
}

/// A primary, its replica and a Sentinel that decides within a second; a sandbox on them, with keys.
struct Watched {
    sandbox: Sandbox,
    primary: Own,
    replica: Own,
    sentinel: Own,
}

impl Watched {
    fn new() -> Self {
        let (primary, replica) = (Own::start(&[]), Own::start(&["--repl-diskless-sync-delay", "0"]));
        let fill = "for i = 1, ARGV[1] do redis.call('SET', 'c:' .. i, i) end for i = 1, ARGV[2] do redis.call('SET', 'c:stays:' .. i, i, 'EX', 600) end";
        primary.ask::<()>(&["EVAL", fill, "0", &GOING.to_string(), &STAYING.to_string()]);
        replica.ask::<()>(&["REPLICAOF", "127.0.0.1", &primary.port.to_string()]);
        until("the replica has it all", || replica.ask::<u64>(&["DBSIZE"]) == GOING + STAYING);
        let sentinel = sentinel(&format!(
            "port {{port}}\nsentinel monitor main 127.0.0.1 {} 1\nsentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 5000\n",
            primary.port
        ));
        until("Sentinel knows the replica", || {
            let known: Vec<redis::Value> = sentinel.ask(&["SENTINEL", "REPLICAS", "main"]);
            let info: String = sentinel.ask(&["INFO", "sentinel"]);
            !known.is_empty() && info.contains("status=ok") && info.contains("slaves=1")
        });
        let sandbox = sandbox(KeyServer::Redis, POLICY);
        url(&sandbox, &format!("redis+sentinel://127.0.0.1:{}/main", sentinel.port));
        Self { sandbox, primary, replica, sentinel }
    }

    /// A run whose first batches are done.
    fn under_way(&self) -> Child {
        let mut command = self.sandbox.command(["run-job", "sweep", "--yes", "--json"]);
        let mut run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        until("it begins", || {
            assert!(run.try_wait().unwrap().is_none(), "it ended too soon");
            self.primary.ask::<u64>(&["DBSIZE"]) < GOING + STAYING
        });
        run
    }

    fn until_promoted(&self) {
        until("the replica is promoted", || {
            let (host, port): (String, String) = self.sentinel.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"]);
            let role: String = self.replica.ask(&["INFO", "replication"]);
            (host.as_str(), port) == ("127.0.0.1", self.replica.port.to_string()) && role.contains("role:master")
        });
    }

    /// The next runs do what is left, on the new primary, and everything that must stay is there.
    fn ends_well(&self) {
        run(&self.sandbox, "sweep", 0);
        let told = run(&self.sandbox, "sweep", 0);
        assert_eq!((told["due"].as_u64(), told["swept"].as_u64()), (Some(0), Some(0)), "{told}");
        assert_eq!(self.replica.ask::<u64>(&["DBSIZE"]), STAYING);
        self.sandbox.steward(["audit", "verify"]).must_end(0);
    }
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_failover_by_sentinel_in_the_midst_is_followed_or_told() {
    let watched = Watched::new();
    let mut run = watched.under_way();
    watched.sentinel.ask::<()>(&["SENTINEL", "FAILOVER", "main"]);
    watched.until_promoted();
    let was_there = run.try_wait().unwrap().is_none();
    let ended = Ended::from(run.wait_with_output().unwrap());
    let told = &ended.json()["datasets"][0];
    let left = watched.replica.ask::<u64>(&["DBSIZE"]) - STAYING;
    match ended.code {
        // It was over before, and told what was so then.
        Some(0) if !was_there => {}
        // What the old primary took and forgot is overdue on the new one, and told.
        Some(0) => assert_eq!(told["debt"]["rows"].as_u64(), Some(left), "{ended}"),
        Some(3 | 75) => assert!(told["reasons"].to_string().contains("temporary"), "{ended}"),
        _ => panic!("{ended}"),
    }
    watched.ends_well();
}

#[test]
fn a_primary_that_dies_under_sentinel_is_temporary_and_the_next_run_finds_the_new_one() {
    let watched = Watched::new();
    let run = watched.under_way();
    watched.primary.signal("-KILL");
    let ended = Ended::from(run.wait_with_output().unwrap());
    assert!(matches!(ended.code, Some(3 | 75)), "{ended}");
    assert!(ended.json()["datasets"][0]["reasons"].to_string().contains("temporary"), "{ended}");
    watched.until_promoted();
    watched.ends_well();
}
