//! One run of a job at a time, across processes; a lost lease stops the run before its next batch.

use super::fault_proxy::Session;
use super::orders_fixture;
use super::settings::number;
use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use steward::ledger::event::Event;

/// Scenario 17: two processes, STEWARD_TEST_RACES times (100 by default): exactly one runs, the other says who holds the lock since when.
///
/// The store's write lock is held meanwhile, so that whoever won is still under way when the other asks.
#[test]
fn one_run_of_a_job_at_a_time() {
    let races = number("STEWARD_TEST_RACES", 100);
    let sandbox = orders_fixture::open(Engine::Sqlite);
    orders_fixture::make_archive(&sandbox);
    let (mut first_won, mut began) = (0, 0);
    for race in 1..=races {
        sandbox.sql(&orders_fixture::insert("orders", &[race]));
        let store = Session::begin(&sandbox.database, "SELECT 1");
        let mut runs = [start(&sandbox), start(&sandbox)];
        let loser = first_to_end(&mut runs);
        drop(store);
        let [one, two] = runs;
        let (winner, loser) = if loser == 0 { (two, one) } else { (one, two) };
        first_won += u64::from(loser.id() > winner.id());
        let pid = winner.id();
        let (winner, loser) = (ended(winner), ended(loser));
        assert_eq!((winner.code, loser.code), (Some(0), Some(75)), "race {race}\n{winner}\n{loser}");
        let told = loser.stderr.lines().last().unwrap_or_default();
        assert!(told.contains("holds its lock") && told.contains("since 20"), "race {race}: it does not say since when: {told}");
        assert!(told.contains(&format!("process {pid} on ")), "race {race}: it names another than process {pid}: {told}");
        began += 1;
        let runs = ran(&sandbox);
        assert_eq!(runs, began, "race {race}: exactly one run begins");
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders"), 0, "race {race}");
    }
    println!("{races} races; the process that was started first won {first_won} times");
    assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders_archive"), races);
    orders_fixture::must_be_whole(&sandbox);
}

/// Somebody removes the lock file, and a second run takes the job's place: the first one stops at its next word.
#[test]
fn a_lost_lease_stops_the_run_before_its_next_batch() {
    let sandbox = orders_fixture::open_with(Engine::Sqlite, 3_000);
    orders_fixture::make_archive(&sandbox);
    let before = orders_fixture::everything(&sandbox);
    orders_fixture::slow_down(&sandbox, "orders", "DELETE");
    let first = start(&sandbox);
    let began = Instant::now();
    while orders_fixture::open_batches(&sandbox, "archive-orders").is_empty() {
        assert!(began.elapsed() < Duration::from_secs(20), "no batch was begun");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::fs::remove_file(sandbox.path("state/steward.db.locks/archive-orders.lock")).expect("the lock file");
    let second = start(&sandbox);
    let (first, second) = (ended(first), ended(second));
    assert_eq!(second.code, Some(0), "{second}");
    assert!(first.code == Some(3) || first.code == Some(75), "{first}");
    assert!(first.stderr.contains("no longer holds the lock"), "it does not say why: {first}");
    assert_eq!(orders_fixture::everything(&sandbox), before);
    assert_eq!(orders_fixture::orders(&sandbox), 5);
    orders_fixture::must_be_whole(&sandbox);
}

/// The lock of a process that was killed is free at once.
#[test]
fn a_dead_process_holds_no_lock() {
    let sandbox = orders_fixture::open_with(Engine::Sqlite, 10);
    let store = Session::begin(&sandbox.database, "SELECT 1");
    let mut run = start(&sandbox);
    let began = Instant::now();
    while orders_fixture::open_batches(&sandbox, "archive-orders").is_empty() && began.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(1));
    }
    run.kill().expect("SIGKILL");
    run.wait().expect("its end");
    drop(store);
    sandbox.steward(["run-job", "archive-orders"]).must_end(0);
    assert_eq!(orders_fixture::orders(&sandbox), 5);
}

fn start(sandbox: &Sandbox) -> Child {
    let mut command = sandbox.command(["run-job", "archive-orders"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts")
}

fn first_to_end(runs: &mut [Child; 2]) -> usize {
    let began = Instant::now();
    loop {
        for (at, run) in runs.iter_mut().enumerate() {
            if run.try_wait().expect("its state").is_some() {
                return at;
            }
        }
        assert!(began.elapsed() < Duration::from_secs(30), "neither of them ends");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn ended(run: Child) -> Ended {
    run.wait_with_output().expect("its end").into()
}

/// Runs that began, going by the evidence.
fn ran(sandbox: &Sandbox) -> u64 {
    orders_fixture::events(sandbox).iter().filter(|event| matches!(event, Event::RunStarted { .. })).count() as u64
}
