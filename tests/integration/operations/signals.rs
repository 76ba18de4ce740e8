//! What SIGHUP does: it reloads `serve`, and ends a run by hand at the edge of a batch.

use super::serving::{Worker, signal};
use crate::promises::orders_fixture;
use crate::promises::under_way::a_run_waits_in_a_batch;
use crate::service::until;
use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;
use std::process::Stdio;
use std::time::Duration;

on_every_engine!(a_closed_terminal_ends_a_run_by_hand_at_the_edge_of_a_batch, hung_up);

fn hung_up(engine: Engine) {
    let sandbox = orders_fixture::open_with(engine, 5);
    orders_fixture::make_archive(&sandbox);
    // SQLite makes the table of marks under the lock that is held below.
    sandbox.steward(["run-job", "archive-orders"]).must_end(0);
    sandbox.sql(&orders_fixture::insert("orders", &[901, 902, 903]));
    let (holder, mut run) = a_run_waits_in_a_batch(&sandbox);
    // The kernel sends it, and then the shell once more to all that it had started.
    signal(run.id(), "HUP");
    signal(run.id(), "HUP");
    drop(holder);
    assert_eq!(run.wait().expect("its end").code(), Some(75));
    let runs = sandbox.steward(["runs", "--json"]).must_end(0).json();
    assert_eq!((&runs["runs"][0]["outcome"], &runs["runs"][0]["exit"]), (&"temporary".into(), &75.into()), "{runs:#}");
    sandbox.steward(["run-job", "archive-orders"]).must_end(0);
    orders_fixture::must_be_whole(&sandbox);
}

#[test]
fn a_run_under_nohup_hears_nothing_of_a_closed_terminal() {
    let sandbox = Sandbox::new(Engine::Sqlite);
    sandbox.sql("create table waiting (n integer); insert into waiting values (1);");
    sandbox.sql(
        "create table marks (id integer primary key, created_at text); insert into marks values (1, '2020-01-01 00:00:00');",
    );
    sandbox.policy("marks", "lifecycle:\n  - { name: marks, dataset: core.marks, clock: created_at, delete: { after: 1 year }, guard: { max_percent: 100 } }\n");
    sandbox.job("delete-marks", "action: delete\npolicies: [marks]\nmode: enforce\npause_when: { query: { store: core, sql: \"select count(*) from waiting\" } }\n");
    let mut run = sandbox.command_by(&["nohup"], ["run-job", "delete-marks"]);
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("nohup");
    let runs = || sandbox.steward(["runs", "--json"]).must_end(0).json()["runs"].clone();
    until("the run", Duration::from_secs(20), || runs().as_array().is_some_and(|runs| !runs.is_empty()));
    signal(run.id(), "HUP");
    sandbox.sql("delete from waiting");
    assert_eq!(run.wait().expect("its end").code(), Some(0));
    assert_eq!(runs()[0]["outcome"], "done");
}

const JOB: &str = "action: delete\npolicies: [marks]\nschedule: \"0 0 1 1 *\"\n";

#[test]
fn sighup_reloads_serve_and_an_invalid_reload_keeps_what_was_there() {
    let sandbox = Sandbox::new(Engine::Sqlite);
    sandbox.sql("create table marks (id integer primary key, created_at text);");
    sandbox
        .policy("marks", "lifecycle:\n  - { name: marks, dataset: core.marks, clock: created_at, delete: { after: 1 year } }\n");
    sandbox.job("first", JOB);
    let mut worker = Worker::start(&sandbox);
    assert_eq!(worker.jobs(), ["first"]);

    sandbox.job("second", &JOB.replace("0 0 1 1 *", "* * * * *"));
    worker.signal("HUP");
    until("the new job", Duration::from_secs(20), || worker.jobs() == ["first", "second"]);
    until("its tick", Duration::from_secs(75), || worker.page()["jobs"][1]["last"]["outcome"] == "done");

    std::fs::remove_file(sandbox.path("jobs/first.yaml")).expect("the first job");
    sandbox.job("second", "action: delete\npolicies: [misspelt]\nschedule: \"* * * * *\"\n");
    worker.signal("HUP");
    let log = || std::fs::read_to_string(sandbox.path("serve.log")).expect("the log");
    until("the refusal", Duration::from_secs(20), || log().contains("not reloaded, the jobs and schedules before stay in force"));
    assert!(log().contains("misspelt") && worker.jobs() == ["first", "second"], "{}", log());

    sandbox.job("second", &JOB.replace("0 0 1 1 *", "30 3 * * *"));
    worker.signal("HUP");
    until("the old job is gone", Duration::from_secs(20), || worker.jobs() == ["second"]);
    assert!(worker.page()["jobs"][0]["next"].as_str().is_some_and(|next| next.contains("T03:30:00")), "{:#}", worker.page());
    assert_eq!(worker.stop(), Some(0));
}
