//! A crash at any point loses nothing and doubles nothing: kill -9 anywhere; the next run finishes the batch.

use super::campaign::campaign;
use super::orders_fixture;
use super::settings::{Rng, number, seed};
use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use steward::ledger::event::{Event, OpenIntent};

/// Rows of a round: a few batches, each some tenths of a second with the table slowed down.
const ROWS: u64 = 2_500;

on_every_engine!(
    /// STEWARD_TEST_KILLS (over the three servers, 60 by default) and STEWARD_TEST_SEED are settings. On a server the
    /// application goes on writing meanwhile; a SQLite file, which has one writer at a time, stands still.
    a_crash_at_any_point_loses_nothing_and_doubles_nothing,
    crash
);

fn crash(engine: Engine) {
    let (kills, seed) = (number("STEWARD_TEST_KILLS", 60).div_ceil(3), seed());
    println!("{}: seed {seed}", engine.name());
    let mut tally = Tally { rng: Rng(seed ^ engine as u64), kills: 0, inside: 0, rounds: 0 };
    let sandbox = orders_fixture::open(engine);
    if engine == Engine::Sqlite {
        let mut keep_batch = true;
        while tally.kills < kills {
            tally.rounds += 1;
            round(&sandbox, keep_batch, kills, &mut tally);
            // An archive that does not know batches is settled by the mark alone.
            keep_batch = !keep_batch;
        }
    } else {
        campaign(&sandbox, kills, &mut tally, killed);
    }
    let [applied, rolled_back, unclear] = settled(&sandbox);
    println!(
        "{}: seed {seed}: {} kills in {} rounds, {} of them inside a batch; settled as applied {applied}, rolled back {rolled_back}, unclear {unclear}",
        engine.name(),
        tally.kills,
        tally.rounds,
        tally.inside,
    );
    assert!(tally.inside * 4 >= kills, "only {} of {kills} kills hit inside a batch: this proves too little", tally.inside);
    assert!(applied > 0 && rolled_back > 0, "no kill after a commit, or none before one: this proves too little");
}

/// What was done, and the rng with which.
pub struct Tally {
    pub rng: Rng,
    pub kills: u64,
    /// Kills that left a batch open.
    inside: u64,
    pub rounds: u64,
}

/// Fresh rows, killed again and again until they are all moved or there were kills enough; then everything is compared.
fn round(sandbox: &Sandbox, keep_batch: bool, kills: u64, tally: &mut Tally) {
    sandbox.sql("DROP TABLE IF EXISTS orders_archive; DELETE FROM orders");
    if keep_batch {
        orders_fixture::make_archive(sandbox);
    } else {
        sandbox.sql(&orders_fixture::tables(sandbox.database.engine, "orders_archive"));
    }
    orders_fixture::fill(sandbox, ROWS);
    if tally.rounds == 1 {
        orders_fixture::slow_down(sandbox, "orders", "DELETE");
    }
    orders_fixture::slow_down_again(sandbox, "orders_archive", "INSERT");
    let before = orders_fixture::everything(sandbox);
    let told_before = if tally.rounds == 1 { 0 } else { orders_fixture::told_archived(sandbox) };

    while tally.kills < kills && killed(sandbox, tally) {
        assert_eq!(together(sandbox), before.len() as u64, "rows were lost or doubled; {} kills", tally.kills);
    }
    let last = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(0);
    let last = last.json();

    let after = orders_fixture::everything(sandbox);
    assert!(before == after, "source and archive are not what they were:\n{}", difference(&before, &after));
    assert_eq!(orders_fixture::orders(sandbox), 5, "what is due is moved");
    assert_eq!(last["datasets"][0]["debt"]["rows"], 0, "{last:#}");
    assert_eq!(orders_fixture::open_batches(sandbox, "archive-orders"), [], "a batch is still open");
    assert_eq!(orders_fixture::told_archived(sandbox) - told_before, ROWS, "the evidence tells of another number of rows");
    orders_fixture::must_be_whole(sandbox);
}

/// Starts a run and kills it at a random moment; false when it was over before that.
fn killed(sandbox: &Sandbox, tally: &mut Tally) -> bool {
    let mut run = sandbox.command(["run-job", "archive-orders"]);
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
    let open_before = orders_fixture::open_batches(sandbox, "archive-orders");
    let is_new = |batch: &OpenIntent| !open_before.contains(batch);
    let mut ledger = None;
    // Each kind in its turn, the moment left to rng.
    match tally.kills % 4 {
        // Anywhere from the first instruction on.
        3 => std::thread::sleep(Duration::from_micros(tally.rng.below(400_000))),
        // Between the store's commit and the ledger's word of it: the ledger is kept busy until the rows are gone.
        0 => {
            await_that(&mut run, || orders_fixture::open_batches(sandbox, "archive-orders").iter().any(is_new));
            let moved = archived(sandbox);
            ledger = Some(orders_fixture::Busy::new(&sandbox.path("state/steward.db")));
            await_that(&mut run, || archived(sandbox) > moved);
        }
        // Anywhere from the first batch on.
        _ => {
            await_that(&mut run, || orders_fixture::open_batches(sandbox, "archive-orders").iter().any(is_new));
            std::thread::sleep(Duration::from_micros(tally.rng.below(400_000)));
        }
    }
    if over(&mut run) {
        return false;
    }
    run.kill().expect("SIGKILL");
    run.wait().expect("its end");
    drop(ledger);
    tally.kills += 1;
    let open = orders_fixture::open_batches(sandbox, "archive-orders");
    tally.inside += u64::from(open.iter().any(is_new));
    // Now and then a whole run follows, else the next kill.
    if tally.rng.below(4) == 0 {
        // What the application writes meanwhile may exceed what was counted at the beginning, or be in the way for a while.
        let ended = sandbox.steward(["run-job", "archive-orders"]);
        let allowed: &[i32] = if sandbox.database.engine == Engine::Sqlite { &[0] } else { &[0, 3, 4, 75] };
        assert!(ended.code.is_some_and(|code| allowed.contains(&code)), "{ended}");
    }
    true
}

/// Rows in the archive; none where it is not there yet.
fn archived(sandbox: &Sandbox) -> u64 {
    if orders_fixture::archive_is_there(sandbox) { sandbox.database.count("SELECT COUNT(*) FROM orders_archive") } else { 0 }
}

fn over(run: &mut Child) -> bool {
    run.try_wait().expect("its state").is_some()
}

/// Waits until it is so, or the run is over.
fn await_that(run: &mut Child, it_is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !it_is_so() && !over(run) && began.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// How often batches of dead runs were settled, by verdict: applied, rolled back, unclear.
fn settled(sandbox: &Sandbox) -> [u64; 3] {
    let mut settled = [0; 3];
    for event in orders_fixture::events(sandbox) {
        if let Event::Settled { verdict, .. } = event {
            settled[["applied", "rolled back"].iter().position(|word| *word == verdict).unwrap_or(2)] += 1;
        }
    }
    settled
}

/// Rows in source and archive, in one statement: a batch of the dead process may end this very moment.
fn together(sandbox: &Sandbox) -> u64 {
    sandbox.database.count("SELECT (SELECT COUNT(*) FROM orders) + (SELECT COUNT(*) FROM orders_archive)")
}

fn difference(before: &[String], after: &[String]) -> String {
    let lost = before.iter().filter(|row| !after.contains(row)).take(5).map(|row| format!("- {row}\n"));
    let new = after.iter().filter(|row| !before.contains(row)).take(5).map(|row| format!("+ {row}\n"));
    format!("{} rows, then {}\n{}", before.len(), after.len(), lost.chain(new).collect::<String>())
}
