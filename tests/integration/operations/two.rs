//! Two `serve` on one ledger, and what a killed one leaves.

use super::serving::Worker;
use crate::promises::orders_fixture;
use crate::promises::under_way::a_run_waits_in_a_batch;
use crate::service::until;
use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;
use std::time::Duration;

const POLICY: &str = "lifecycle:\n  - { name: marks, dataset: core.marks, clock: created_at, delete: { after: 1 year }, guard: { max_percent: 100 } }\n";

fn sandbox(schedule: &str) -> Sandbox {
    let sandbox = Sandbox::new(Engine::Sqlite);
    sandbox.sql("create table marks (id integer primary key, created_at text);");
    sandbox.policy("marks", POLICY);
    sandbox.job("delete-marks", &format!("action: delete\npolicies: [marks]\nmode: enforce\nschedule: \"{schedule}\"\n"));
    sandbox
}

#[test]
fn a_second_serve_on_one_ledger_refuses_and_a_killed_one_is_in_nobodys_way() {
    let sandbox = sandbox("0 0 1 1 *");
    let mut first = Worker::start(&sandbox);
    let log = || std::fs::read_to_string(sandbox.path("serve.log")).expect("the log");
    for _ in 0..2 {
        let mut second = Worker::begin(&sandbox, &[]);
        assert_eq!(second.serving.0.wait().expect("its end").code(), Some(75));
        assert!(
            log().contains("another `steward serve` works by the ledger") && log().contains("no job was started"),
            "{}",
            log()
        );
    }
    first.serving.0.kill().expect("SIGKILL");
    first.serving.0.wait().expect("its end");
    let mut next = Worker::start(&sandbox);
    assert_eq!((next.stop(), first.jobs()), (Some(0), vec![]));
}

#[test]
fn a_tick_is_one_run_though_two_serves_are_started_and_the_page_knows_it_after_a_restart() {
    let sandbox = sandbox("* * * * *");
    let mut first = Worker::start(&sandbox);
    let mut second = Worker::begin(&sandbox, &[]);
    assert_eq!(second.serving.0.wait().expect("its end").code(), Some(75));
    assert_eq!(first.page()["jobs"][0]["last"], serde_json::Value::Null);
    let runs = || sandbox.steward(["runs", "--json"]).must_end(0).json()["runs"].as_array().expect("runs").clone();
    until("a tick", Duration::from_secs(75), || !runs().is_empty() && runs()[0]["outcome"] == "done");
    assert_eq!(first.stop(), Some(0));
    let before = runs().len();
    let mut again = Worker::start(&sandbox);
    let last = again.page()["jobs"][0]["last"].clone();
    assert!(
        last["outcome"] == "done" && last["exit"] == 0 && last["ended"] == runs()[runs().len() - before]["ended"],
        "{last:#}"
    );
    let mut ticks: Vec<String> = runs().iter().map(|run| run["started"].as_str().expect("a time")[..16].to_owned()).collect();
    ticks.dedup();
    assert_eq!(ticks.len(), runs().len(), "{:#?}", runs());
    assert_eq!(again.stop(), Some(0));
}

#[test]
fn runs_tells_a_run_that_is_at_it_from_one_that_was_killed() {
    let sandbox = orders_fixture::open_with(Engine::Postgres, 5);
    orders_fixture::make_archive(&sandbox);
    let newest = || sandbox.steward(["runs", "--json"]).must_end(0).json()["runs"][0].clone();
    let (holder, mut run) = a_run_waits_in_a_batch(&sandbox);
    for _ in 0..3 {
        assert_eq!((&newest()["state"], &newest()["outcome"]), (&"running".into(), &serde_json::Value::Null));
    }
    let listed = sandbox.steward(["runs"]).must_end(0);
    assert!(listed.stdout.contains(" running "), "{listed}");
    run.kill().expect("SIGKILL");
    run.wait().expect("its end");
    assert_eq!(newest()["state"], "killed");
    let id = newest()["run"].as_str().expect("an id").to_owned();
    let story = sandbox.steward(["runs", &id]).must_end(0);
    assert!(story.stdout.contains("its process died"), "{story}");
    drop(holder);
    sandbox.steward(["run-job", "archive-orders"]).must_end(0);
    assert_eq!(newest()["state"], "ended");
}
