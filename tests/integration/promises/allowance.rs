//! What a guard or a plan allows is a budget for the whole run: what comes due while it is at work waits for the next one.
//!
//! The run waits by `pause_when` once it has counted; the application has old dates come in, and lets it go on.

use super::orders_fixture;
use crate::graph::users_fixture as nodes;
use crate::keys::setup;
use crate::support::engine::Engine;
use crate::support::keyspace::KeyServer;
use crate::support::sandbox::{Ended, Sandbox};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

const PAUSE: &str = "pause_when: { query: { store: core, sql: \"SELECT COUNT(*) FROM waiting\" } }\n";

/// Makes a job of the sandbox wait, from now on, for the table `waiting` to be empty.
fn makes_wait(sandbox: &Sandbox, job: &str) {
    sandbox.sql("CREATE TABLE waiting (id integer NOT NULL PRIMARY KEY); INSERT INTO waiting VALUES (1)");
    let file = format!("jobs/{job}.yaml");
    let said = std::fs::read_to_string(sandbox.path(&file)).expect("the job");
    sandbox.write(&file, &(said + PAUSE));
}

/// Runs these words; once the run has counted and waits, the application does its part. Gives the report on the one dataset.
fn meanwhile(sandbox: &Sandbox, words: &[&str], application: impl FnOnce(), code: i32) -> Value {
    let mut run =
        sandbox.command(words.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut said = BufReader::new(run.stderr.take().expect("stderr"));
    let mut lines = String::new();
    while !lines.contains("; waiting") {
        assert!(said.read_line(&mut lines).expect("a line") > 0, "it did not wait: {lines}");
    }
    application();
    sandbox.sql("DELETE FROM waiting");
    said.read_to_string(&mut lines).expect("the rest");
    let ended: Ended = run.wait_with_output().expect("its end").into();
    Ended { stderr: lines, ..ended }.must_end(code).json()["datasets"][0].clone()
}

/// Nothing of it is claimed to be a matter of time, and the way to approve is named.
#[track_caller]
fn stays_guarded(dataset: &Value, rows: u64) {
    assert_eq!((&dataset["left"]["guarded"], &dataset["left"]["over_budget"]), (&rows.into(), &0.into()), "{dataset:#}");
    assert_eq!((&dataset["outcome"], &dataset["debt"]["rows"]), (&"refused".into(), &rows.into()), "{dataset:#}");
    let reasons = dataset["reasons"].to_string();
    assert!(reasons.contains("SW5001") && reasons.contains("came due during the run"), "{dataset:#}");
}

mod a_guard_is_a_budget_for_the_run {
    use super::*;

    on_every_engine!(rows_that_the_application_dates_anew_wait_for_the_next_run, |engine: Engine| {
        for action in ["archive", "delete"] {
            let sandbox = orders_fixture::open_with(engine, 500);
            sandbox.sql("UPDATE orders SET created_at = '2099-01-01 00:00:00' WHERE id > 100 AND id < 900000");
            let policy = if action == "delete" { orders_fixture::DELETE.to_owned() } else { orders_fixture::policy("") };
            sandbox.policy("orders", &policy.replace("max_rows: 10000000", "max_rows: 150"));
            sandbox.job("archive-orders", &orders_fixture::job(action));
            makes_wait(&sandbox, "archive-orders");
            let redate = || sandbox.sql("UPDATE orders SET created_at = '2001-01-01 00:00:00' WHERE id > 100 AND id < 900000");
            let dataset = meanwhile(&sandbox, &["run-job", "archive-orders", "--json"], redate, 4);
            assert_eq!((&dataset["due"], &dataset["removed"]), (&100.into(), &150.into()), "{action}: {dataset:#}");
            stays_guarded(&dataset, 350);
            assert_eq!(orders_fixture::orders(&sandbox), 355);
            // The next run counts first, and leaves them all alone.
            let next = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(4).json();
            assert_eq!(
                (&next["datasets"][0]["left"]["guarded"], orders_fixture::orders(&sandbox)),
                (&350.into(), 355),
                "{next:#}"
            );
        }
    });

    on_every_engine!(an_approved_plan_allows_what_it_lists, |engine: Engine| {
        let sandbox = orders_fixture::open_with(engine, 60);
        sandbox.policy("orders", &orders_fixture::policy("").replace("max_rows: 10000000", "max_rows: 10"));
        sandbox.policy("holds", "holds:\n  - { name: late, dataset: core.orders, where: id = 3, because: litigation }\n");
        makes_wait(&sandbox, "archive-orders");
        sandbox.steward(["plan", "archive-orders", "--out", "approved.plan"]).must_end(0);
        let more = || sandbox.sql(&orders_fixture::insert("orders", &[61, 62, 63]));
        let words = ["run-job", "archive-orders", "--plan", "approved.plan", "--json"];
        let dataset = meanwhile(&sandbox, &words, more, 4);
        assert_eq!((&dataset["removed"], &dataset["left"]["held"]), (&59.into(), &1.into()), "{dataset:#}");
        stays_guarded(&dataset, 3);
    });

    #[test]
    fn rows_that_are_marked_in_place_count() {
        let sandbox = orders_fixture::open_with(Engine::Sqlite, 40);
        sandbox.sql("ALTER TABLE orders ADD COLUMN ended integer; UPDATE orders SET created_at = '2099-01-01 00:00:00' WHERE id > 5 AND id < 900000");
        sandbox.policy(
            "orders",
            "sessions:\n  - { name: orders, dataset: core.orders, expires: created_at, set: { ended: 1 }, guard: { max_rows: 8, max_percent: 100 } }\n",
        );
        sandbox.job("archive-orders", &orders_fixture::job("expire-sessions"));
        makes_wait(&sandbox, "archive-orders");
        let redate = || sandbox.sql("UPDATE orders SET created_at = '2001-01-01 00:00:00' WHERE id < 900000");
        let dataset = meanwhile(&sandbox, &["run-job", "archive-orders", "--json"], redate, 4);
        assert_eq!(dataset["expired"], 8, "{dataset:#}");
        stays_guarded(&dataset, 32);
    }

    #[test]
    fn keys_that_get_a_time_to_live_count_as_in_the_survey() {
        for server in KeyServer::all() {
            let sandbox = setup::sandbox(
                server,
                "cache: [{ name: web, store: cache, keys: \"{{prefix}}c:*\", ttl: 1 h, guard: { max_rows: 6, max_percent: 100 } }]\n",
            );
            let endless = |ids: std::ops::Range<u64>| ids.map(|id| format!("SET {{{{prefix}}}}c:{id} x\n")).collect::<String>();
            setup::keys(&sandbox).seed(&endless(0..4));
            makes_wait(&sandbox, "sweep");
            let words = ["run-job", "sweep", "--json"];
            let dataset = meanwhile(&sandbox, &words, || setup::keys(&sandbox).seed(&endless(4..15)), 4);
            assert_eq!(dataset["ttl_set"], 6, "{server:?}: {dataset:#}");
            stays_guarded(&dataset, 9);
        }
    }

    #[test]
    fn nodes_count() {
        let sandbox = nodes::open();
        nodes::policy(&sandbox, "");
        let policy = std::fs::read_to_string(sandbox.path("policies/users.yaml")).expect("the policy");
        sandbox.write("policies/users.yaml", &policy.replace("max_rows: 1000000", "max_rows: 20"));
        nodes::users(&sandbox, 12);
        makes_wait(&sandbox, "clean-graph");
        let young = || {
            nodes::graph(&sandbox).seed(
                "MATCH (n:User{{graph}}) WHERE n.id > 900000 SET n.created_at = datetime('2019-01-01T00:00:00Z');
UNWIND range(101, 130) AS id CREATE (:User{{graph}} {id: id, created_at: datetime('2019-01-01T00:00:00Z')});",
            );
        };
        let words = ["run-job", "clean-graph", "--as-of", "2026-05-01", "--json"];
        let dataset = meanwhile(&sandbox, &words, young, 4);
        assert_eq!(dataset["removed"], 20, "{dataset:#}");
        stays_guarded(&dataset, 25);
    }
}
