//! How far a replica lags, on a real one that is made to lag: told by whoever knows it, and never zero by whoever does not.

use crate::support::engine::Engine;
use crate::support::pair::Pair;
use crate::support::sandbox::Sandbox;
use serde_json::Value;
use std::time::{Duration, Instant};

/// A sandbox that asks the primary and its replica how far the replica lags.
struct Asked {
    sandbox: Sandbox,
    pair: Pair,
}

impl Asked {
    fn new(engine: Engine) -> Self {
        let (sandbox, pair) = (Sandbox::new(Engine::Sqlite), Pair::new(engine));
        sandbox.write(
            "steward.yaml",
            &format!(
                "stores:\n  primary: {{ url: \"{}\" }}\n  replica: {{ url: \"{}\" }}\nstate: state/\nledger: \"sqlite:state/steward.db\"\npolicies: [policies/]\njobs: jobs/\n",
                pair.primary.url(),
                pair.replica.url()
            ),
        );
        let check = |store: &str| format!("  - {{ name: {store}, dataset: {store}, replication_lag: true, fail: \"> 2 s\" }}\n");
        sandbox.policy("lag", &format!("checks:\n{}", ["primary", "replica"].map(check).concat()));
        for store in ["primary", "replica"] {
            sandbox.job(store, &format!("action: check-quality\npolicies: [{store}]\n"));
        }
        Self { sandbox, pair }
    }

    /// What the check on a store found.
    fn at(&self, store: &str) -> Value {
        let ended = self.sandbox.steward(["run-job", store, "--json"]);
        let finding = ended.json()["findings"][0].clone();
        let codes = [("pass", 0), ("fail", 1), ("error", 3)];
        let code = codes.iter().find(|(outcome, _)| finding["outcome"] == *outcome).map(|(_, code)| *code);
        assert_eq!(ended.code, code, "{ended}");
        finding
    }

    #[track_caller]
    fn passes(&self, store: &str) {
        // The server may not have heard of its replica's last word yet.
        let began = Instant::now();
        loop {
            let finding = self.at(store);
            if finding["outcome"] == "pass" {
                assert!(finding["value"].as_u64().is_some_and(|lag| lag <= 2_000), "{finding:#}");
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{finding:#}");
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    #[track_caller]
    fn lags(&self, store: &str, at_least: Duration) {
        let finding = self.at(store);
        assert_eq!(finding["outcome"], "fail", "{finding:#}");
        let told = Duration::from_millis(finding["value"].as_u64().expect("a lag"));
        assert!(told >= at_least && told < at_least + Duration::from_secs(60), "{at_least:?}: {finding:#}");
    }

    #[track_caller]
    fn is_unknown(&self, store: &str, why: &str) {
        let began = Instant::now();
        loop {
            let finding = self.at(store);
            let is_told = finding["outcome"] == "error" && finding["value"].is_null();
            if is_told
                && finding["reason"]["text"].as_str().is_some_and(|text| text.contains("is not known") && text.contains(why))
            {
                return;
            }
            // Until the server has noticed, it may tell what it knew last. It has no business to say that all is well.
            assert!(finding["value"] != 0, "{finding:#}");
            assert!(began.elapsed() < Duration::from_secs(30), "{why}: {finding:#}");
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// Rows are written for so long.
    fn written_for(&self, long: Duration) {
        let began = Instant::now();
        while began.elapsed() < long {
            self.pair.write();
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

#[test]
fn a_postgresql_replica_that_lags_is_told_by_its_primary_and_by_itself() {
    let asked = Asked::new(Engine::Postgres);
    let (primary, replica) = (&asked.pair.primary, &asked.pair.replica);
    asked.passes("primary");
    asked.passes("replica");
    replica.sql("select pg_wal_replay_pause()");
    asked.written_for(Duration::from_secs(4));
    asked.lags("primary", Duration::from_secs(3));
    asked.lags("replica", Duration::from_secs(3));
    replica.sql("select pg_wal_replay_resume()");
    asked.pair.catches_up();
    asked.passes("primary");
    asked.passes("replica");

    // Its receiver stands still: the connection is there, and says nothing any more.
    let receiver = replica.try_value("select pid::bigint from pg_stat_wal_receiver").expect("a receiver").to_string();
    let signal = |name: &str| std::process::Command::new("kill").args([name, &receiver]).status().expect("kill");
    signal("-STOP");
    asked.written_for(Duration::from_secs(1));
    asked.is_unknown("primary", "does not report");
    signal("-CONT");
    asked.pair.catches_up();
    asked.passes("primary");

    replica.sql("alter system set primary_conninfo = ''; select pg_reload_conf()");
    asked.is_unknown("primary", "no replica is connected");
    asked.is_unknown("replica", "receives nothing");
    primary.sql("drop table t");
    asked.is_unknown("replica", "receives nothing");
}

/// Scenario 18: the replica lags, or nobody knows by how much: the run waits, says why, and gives up with 75.
#[test]
fn a_run_waits_for_a_replica_that_lags_and_gives_up_with_its_budget() {
    let asked = Asked::new(Engine::Postgres);
    let (primary, replica) = (&asked.pair.primary, &asked.pair.replica);
    primary.sql("create table marks (id integer primary key, created_at timestamp); insert into marks values (1, '2020-01-01')");
    asked.sandbox.policy("marks", "lifecycle:\n  - { name: marks, dataset: primary.marks, clock: created_at, delete: { after: 1 year }, guard: { max_percent: 100 } }\n");
    asked
        .sandbox
        .job("marks", "action: delete\npolicies: [marks]\nmode: enforce\nbudget: 3 s\npause_when: { replica_lag: 1 s }\n");
    asked.pair.catches_up();
    replica.sql("select pg_wal_replay_pause()");
    asked.written_for(Duration::from_secs(3));
    let began = Instant::now();
    let waited = asked.sandbox.steward(["run-job", "marks", "--json"]).must_end(75);
    assert!(began.elapsed() >= Duration::from_secs(3), "it did not wait: {waited}");
    assert!(waited.stderr.contains("replicas of `primary` lag") && waited.stderr.contains("waiting"), "{waited}");
    replica.sql("select pg_wal_replay_resume(); alter system set primary_conninfo = ''; select pg_reload_conf()");
    asked.is_unknown("primary", "no replica is connected");
    let waited = asked.sandbox.steward(["run-job", "marks", "--json"]).must_end(75);
    assert!(waited.stdout.contains("is unknown, which counts as lag: no replica is connected"), "{waited}");
    assert_eq!(primary.try_value("select count(*) from marks"), Some(1));
    let primary_is_at = format!("host=127.0.0.1 port={} user=postgres", primary.port);
    replica.sql(&format!("alter system set primary_conninfo = '{primary_is_at}'; select pg_reload_conf()"));
    asked.pair.catches_up();
    asked.passes("primary");
    asked.sandbox.steward(["run-job", "marks", "--json"]).must_end(0);
    assert_eq!(primary.try_value("select count(*) from marks"), Some(0));
}

/// Delays what the replica applies.
fn delay(asked: &Asked, engine: Engine, seconds: u32) {
    let (stop, change, start) = words(engine);
    let replica = &asked.pair.replica;
    replica.sql(&format!("{stop}; {change}_DELAY = {seconds}; {start}"));
}

fn words(engine: Engine) -> (&'static str, &'static str, &'static str) {
    match engine {
        Engine::Mysql => ("STOP REPLICA", "CHANGE REPLICATION SOURCE TO SOURCE", "START REPLICA"),
        _ => ("STOP SLAVE", "CHANGE MASTER TO MASTER", "START SLAVE"),
    }
}

fn a_replica_that_lags_tells_it_itself(engine: Engine) {
    let asked = Asked::new(engine);
    let (stop, _, start) = words(engine);
    asked.is_unknown("primary", "does not know how far its replicas are");
    asked.passes("replica");
    delay(&asked, engine, 600);
    asked.written_for(Duration::from_secs(5));
    asked.lags("replica", Duration::from_secs(3));
    delay(&asked, engine, 0);
    asked.pair.catches_up();
    asked.passes("replica");

    asked.pair.replica.sql(&format!("{stop} IO_THREAD"));
    asked.pair.write();
    asked.is_unknown("replica", "receives nothing");
    asked.pair.replica.sql(&format!("{start} IO_THREAD; {stop} SQL_THREAD"));
    asked.is_unknown("replica", "replays nothing");
    asked.pair.replica.sql(&format!("{start} SQL_THREAD"));
    asked.pair.catches_up();
    asked.passes("replica");
}

#[test]
fn a_mysql_replica_that_lags_tells_it_itself() {
    a_replica_that_lags_tells_it_itself(Engine::Mysql);
}

#[test]
fn a_mariadb_replica_that_lags_tells_it_itself() {
    a_replica_that_lags_tells_it_itself(Engine::Mariadb);
}
