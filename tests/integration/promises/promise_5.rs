//! One run of a job at a time, across processes; a lost lease stops the run before its next batch.

use super::obstacle::Session;
use super::settings::number;
use super::shop;
use crate::support::engine::Engine;
use crate::support::house::{Ended, House};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use steward::ledger::event::Event;

/// Scenario 17: two processes, STEWARD_TEST_RACES times (100 by default): exactly one runs, the other says who holds the lock since when.
///
/// The store's write lock is held meanwhile, so that whoever won is still under way when the other asks.
#[test]
fn one_run_of_a_job_at_a_time() {
    let races = number("STEWARD_TEST_RACES", 100);
    let house = shop::open(Engine::Sqlite);
    shop::make_archive(&house);
    let (mut first_won, mut began) = (0, 0);
    for race in 1..=races {
        house.sql(&shop::insert("orders", &[race]));
        let store = Session::begin(&house.database, "SELECT 1");
        let mut runs = [start(&house), start(&house)];
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
        let runs = ran(&house);
        assert_eq!(runs, began, "race {race}: exactly one run begins");
        assert_eq!(house.database.count("SELECT COUNT(*) FROM orders"), 0, "race {race}");
    }
    println!("{races} races; the process that was started first won {first_won} times");
    assert_eq!(house.database.count("SELECT COUNT(*) FROM orders_archive"), races);
    shop::must_be_whole(&house);
}

/// Somebody removes the lock file, and a second run takes the job's place: the first one stops at its next word.
#[test]
fn a_lost_lease_stops_the_run_before_its_next_batch() {
    let house = shop::open_with(Engine::Sqlite, 3_000);
    shop::make_archive(&house);
    let before = shop::everything(&house);
    shop::slow_down(&house, "orders", "DELETE");
    let first = start(&house);
    let began = Instant::now();
    while shop::open_batches(&house, "archive-orders").is_empty() {
        assert!(began.elapsed() < Duration::from_secs(20), "no batch was begun");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::fs::remove_file(house.path("state/steward.db.locks/archive-orders.lock")).expect("the lock file");
    let second = start(&house);
    let (first, second) = (ended(first), ended(second));
    assert_eq!(second.code, Some(0), "{second}");
    assert!(first.code == Some(3) || first.code == Some(75), "{first}");
    assert!(first.stderr.contains("no longer holds the lock"), "it does not say why: {first}");
    assert_eq!(shop::everything(&house), before);
    assert_eq!(shop::orders(&house), 5);
    shop::must_be_whole(&house);
}

/// The lock of a process that was killed is free at once.
#[test]
fn a_dead_process_holds_no_lock() {
    let house = shop::open_with(Engine::Sqlite, 10);
    let store = Session::begin(&house.database, "SELECT 1");
    let mut run = start(&house);
    let began = Instant::now();
    while shop::open_batches(&house, "archive-orders").is_empty() && began.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(1));
    }
    run.kill().expect("SIGKILL");
    run.wait().expect("its end");
    drop(store);
    house.steward(["run-job", "archive-orders"]).must_end(0);
    assert_eq!(shop::orders(&house), 5);
}

fn start(house: &House) -> Child {
    let mut command = house.command(["run-job", "archive-orders"]);
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
fn ran(house: &House) -> u64 {
    shop::events(house).iter().filter(|event| matches!(event, Event::RunStarted { .. })).count() as u64
}
