//! Promise 2, its narrowest place: the run died after it had sent its COMMIT, and the server is still at it.

use super::fault_proxy::Session;
use super::orders_fixture;
use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use steward::ledger::event::Event;

const JOB: &str = "archive-orders";
/// What the dead run's transaction did, its mark first, and may still commit.
fn gone(sandbox: &Sandbox) -> String {
    let batch = &orders_fixture::open_batches(sandbox, JOB)[0].batch;
    format!("UPDATE steward_batches SET batch = '{batch}'; DELETE FROM orders WHERE created_at < '2021-01-01'")
}

on_every_engine!(a_commit_under_way_is_waited_for_and_never_guessed, under_way);

fn under_way(engine: Engine) {
    let sandbox = orders_fixture::open_with(engine, 5);
    orders_fixture::make_archive(&sandbox);
    let young = orders_fixture::orders(&sandbox) - 5;
    // SQLite makes the table of marks under the lock that is held below.
    sandbox.steward(["run-job", JOB]).must_end(0);
    sandbox.sql(&("DELETE FROM orders_archive;".to_owned() + &orders_fixture::insert("orders", &[1, 2, 3, 4, 5])));

    // It never ends: nothing is claimed, and nothing is forgotten.
    a_run_dies_in_a_batch(&sandbox);
    let other = Session::begin(&sandbox.database, &gone(&sandbox));
    let waited = sandbox.steward(["run-job", JOB]).must_end(75);
    assert!(waited.stdout.contains("is busy"), "{waited}");
    assert_eq!((verdicts(&sandbox), orders_fixture::open_batches(&sandbox, JOB).len()), (vec![], 1), "{waited}");

    // It commits after all.
    let ended = ends_while_it_waits(&sandbox, other, "COMMIT").must_end(0);
    assert_eq!(verdicts(&sandbox), ["applied"], "{ended}");
    assert_eq!(orders_fixture::orders(&sandbox), young);

    // It is rolled back after all: the rows are still there, and the run takes them.
    sandbox.sql(&orders_fixture::insert("orders", &[901, 902, 903]));
    a_run_dies_in_a_batch(&sandbox);
    let other = Session::begin(&sandbox.database, &gone(&sandbox));
    let ended = ends_while_it_waits(&sandbox, other, "ROLLBACK").must_end(0);
    assert_eq!(verdicts(&sandbox), ["applied", "rolled back"], "{ended}");
    assert_eq!((orders_fixture::orders(&sandbox), sandbox.database.count("SELECT COUNT(*) FROM orders_archive")), (young, 3));
    assert_eq!(orders_fixture::open_batches(&sandbox, JOB), []);
    orders_fixture::must_be_whole(&sandbox);
}

/// Leaves an open batch in the ledger: somebody holds the table, and the run that waits for it is killed.
pub fn a_run_dies_in_a_batch(sandbox: &Sandbox) {
    let (holder, mut run) = a_run_waits_in_a_batch(sandbox);
    run.kill().expect("SIGKILL");
    run.wait().expect("its end");
    drop(holder);
}

/// A run that has begun a batch and waits for somebody who holds its table.
pub fn a_run_waits_in_a_batch(sandbox: &Sandbox) -> (Session, Child) {
    // A row that somebody holds is not waited for; a table is.
    let lock = match sandbox.database.engine {
        Engine::Sqlite => "SELECT 1",
        Engine::Postgres => "LOCK TABLE orders IN EXCLUSIVE MODE",
        _ => "LOCK TABLES orders READ",
    };
    let holder = Session::begin(&sandbox.database, lock);
    // It hears of a closed terminal whoever started these tests, `nohup` included.
    let mut run = sandbox.command_by(&["env", "--default-signal=HUP"], ["run-job", JOB]);
    let run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
    let began = Instant::now();
    while orders_fixture::open_batches(sandbox, JOB).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(30), "no batch was begun");
        std::thread::sleep(Duration::from_millis(2));
    }
    (holder, run)
}

/// Starts a run, ends the other's transaction once it was waited for, and gives what became of the run.
fn ends_while_it_waits(sandbox: &Sandbox, mut other: Session, how: &str) -> Ended {
    let before = verdicts(sandbox);
    let mut run = sandbox.command(["run-job", JOB]);
    let run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(2) {
        assert_eq!(verdicts(sandbox), before, "it was guessed");
        std::thread::sleep(Duration::from_millis(100));
    }
    other.run(how).expect("its end");
    run.wait_with_output().expect("its end").into()
}

/// How batches of dead runs were settled so far.
pub fn verdicts(sandbox: &Sandbox) -> Vec<String> {
    let verdict = |event| if let Event::Settled { verdict, .. } = event { Some(verdict) } else { None };
    orders_fixture::events(sandbox).into_iter().filter_map(verdict).collect()
}
