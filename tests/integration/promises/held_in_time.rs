//! A hold that came in time: none of the batches that follow it in the chain removes what it holds.
//!
//! The narrowest place is between reading the holds and writing the intent. The job's `pause_when` lies there, so a run that
//! waits for it stands exactly where the hold must come.

use super::orders_fixture;
use crate::graph::users_fixture as nodes;
use crate::keys::setup::keys;
use crate::promises::beyond_tables::setup::web;
use crate::support::engine::Engine;
use crate::support::keyspace::KeyServer;
use crate::support::sandbox::Sandbox;
use crate::support::wait::until;
use std::fs::File;
use std::process::Stdio;
use steward::ledger::Ledger;
use steward::ledger::event::Event;
use steward::ledger::hold::NewHold;

const WAITS: &str = "pause_when: { query: { store: core, sql: \"SELECT COUNT(*) FROM waiting\" } }\n";

on_every_engine!(
    /// Archived, removed, ended, swept, marked: of each the two rows stay that a hold names which came after the holds were read.
    a_hold_that_comes_after_the_holds_were_read_keeps_its_rows,
    |engine: Engine| {
        let marks = orders_fixture::expiring("sessions", "    set: { note: over }\n");
        for (action, policy) in [
            ("archive", orders_fixture::policy("")),
            ("delete", orders_fixture::DELETE.to_owned()),
            ("expire-sessions", orders_fixture::expiring("sessions", "")),
            ("sweep-cache", orders_fixture::expiring("cache", "")),
            ("expire-sessions", marks),
        ] {
            let sandbox = orders_fixture::open_with(engine, 20);
            sandbox.policy("orders", &policy);
            sandbox.job("archive-orders", &(orders_fixture::job(action) + WAITS));
            let held = sandbox.database.rows("SELECT * FROM orders WHERE id IN (3, 17) ORDER BY id");
            let report = placed_while_it_waits(&sandbox, "archive-orders", "core.orders", Some("id in (3, 17)"));
            assert_eq!(sandbox.database.rows("SELECT * FROM orders WHERE id IN (3, 17) ORDER BY id"), held, "{action}");
            let left = &report["datasets"][0]["left"];
            assert_eq!((&left["held"], &left["changed"]), (&2.into(), &0.into()), "{action}: {report:#}");
            assert_eq!(report["datasets"][0]["debt"]["rows"], 0, "the others went: {report:#}");
        }
    }
);

#[test]
fn a_hold_that_comes_after_the_holds_were_read_keeps_its_keys() {
    for server in [KeyServer::Redis, KeyServer::Cluster] {
        let sandbox = web(server, "cache", "");
        sandbox.job("sweep", &("action: sweep-cache\npolicies: [web]\nmode: enforce\n".to_owned() + WAITS));
        let before = keys(&sandbox).dump();
        let dataset = format!("cache.\"{}*\"", keys(&sandbox).prefix);
        placed_while_it_waits(&sandbox, "sweep", &dataset, None);
        assert_eq!(keys(&sandbox).dump(), before, "{server:?}");
    }
}

#[test]
fn a_hold_that_comes_after_the_holds_were_read_keeps_its_nodes() {
    let sandbox = nodes::open();
    nodes::policy(&sandbox, "");
    nodes::users(&sandbox, 20);
    sandbox.job("clean-graph", &("action: delete\npolicies: [\"*\"]\nmode: enforce\n".to_owned() + WAITS));
    let dataset = format!("graph.{}", nodes::graph(&sandbox).label("User"));
    placed_while_it_waits(&sandbox, "clean-graph", &dataset, Some("n.id IN [3, 17]"));
    assert_eq!(nodes::ids(&sandbox)[..2], ["3", "17"]);
}

/// Starts the job, places the hold while its first batch waits, lets it go on, and gives its report.
fn placed_while_it_waits(sandbox: &Sandbox, job: &str, dataset: &str, condition: Option<&str>) -> serde_json::Value {
    sandbox.sql("CREATE TABLE waiting (id integer NOT NULL PRIMARY KEY); INSERT INTO waiting VALUES (1)");
    let said = sandbox.path("said.txt");
    let run =
        sandbox.command(["run-job", job, "--json"]).stdout(Stdio::piped()).stderr(File::create(&said).expect("a file")).spawn();
    let run = run.expect("the binary starts");
    until("the run waits", || std::fs::read_to_string(&said).is_ok_and(|said| said.contains("waiting")));
    let hold = NewHold {
        name: "case-1".into(),
        dataset: dataset.into(),
        condition: condition.map(str::to_owned),
        because: "litigation".into(),
        owner: None,
        by: "li".into(),
    };
    orders_fixture::wait(async {
        let ledger = Ledger::open(&sandbox.path("state/steward.db")).await.expect("a ledger");
        ledger.add_hold(&hold, chrono::Utc::now()).await.expect("added");
        ledger.close().await;
    });
    sandbox.sql("DELETE FROM waiting");
    let ended: crate::support::sandbox::Ended = run.wait_with_output().expect("its end").into();
    every_intent_knows_the_holds_before_it(sandbox);
    sandbox.sql("DROP TABLE waiting");
    ended.must_end(0).json()
}

/// The chain itself says so: no hold stands between the event up to which an intent knows them and the intent.
pub fn every_intent_knows_the_holds_before_it(sandbox: &Sandbox) {
    let mut newest = 0;
    for (seq, event) in (1..).zip(orders_fixture::events(sandbox)) {
        match event {
            Event::HoldAdded { .. } | Event::HoldSeen { .. } | Event::HoldReleased { .. } => newest = seq,
            Event::Intent { holds, .. } => {
                assert!(holds >= newest, "intent {seq} knows holds up to {holds}, and one came at {newest}")
            }
            _ => {}
        }
    }
}
