//! kill -9 at random moments while the application goes on writing: nothing lost, nothing doubled, and every verdict true.
//!
//! Each writer has ids of its own and remembers what its statements did, by the number of rows that the server says they changed.
//! So of each id it knows what must be there in the end, whatever steward did in between:
//!
//! - a row that it saw last as due is in the archive, once, with the content it gave it last, and not in the source;
//! - a row that it dated anew is in the source, with its last content, and not in the archive;
//! - a row that it removed is nowhere; where it came back under the same key, it is the one that came back;
//! - a statement that changed no row met one that was moved: the archive has the content of before;
//! - there is nothing else in either table.
//!
//! The evidence is held against the archive, whose rows bear the id of the batch that brought them.

use super::held_in_time::every_intent_knows_the_holds_before_it;
use super::orders_fixture;
use super::promise_2::Tally;
use super::settings::Rng;
use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;
use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use steward::ledger::event::Event;

/// Writers at once.
const WRITERS: u64 = 2;
/// Ids of one writer.
const RANGE: u64 = 1_000_000;
/// Rows that lie there for every run.
const BULK: u64 = 700;
/// What a row bears that is not due.
const YOUNG: &str = "2098-01-01 00:00:00";

/// What must be there of an id in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Must {
    /// In the archive, with this content.
    Archived(String),
    /// In the source, with this content.
    Young(String),
    /// Nowhere.
    Gone,
}

/// Ids, and what must become of them.
type Journal = BTreeMap<u64, Must>;

/// Kills runs while writers write, with other policies, holds and dates in between; then compares everything.
pub fn campaign(sandbox: &Sandbox, kills: u64, tally: &mut Tally, kill: impl Fn(&Sandbox, &mut Tally) -> bool) {
    orders_fixture::make_archive(sandbox);
    orders_fixture::slow_down(sandbox, "orders", "DELETE");
    orders_fixture::slow_down(sandbox, "orders_archive", "INSERT");
    let stop = AtomicBool::new(false);
    let mut journal = std::thread::scope(|scope| {
        let writers: Vec<_> = (1..=WRITERS)
            .map(|number| {
                let (stop, rng) = (&stop, Rng(tally.rng.below(u64::MAX)));
                scope.spawn(move || Writer::new(sandbox, number, rng).write_until(stop))
            })
            .collect();
        let stopped = StopAtTheEnd(&stop);
        let mut journal = Journal::new();
        while tally.kills < kills {
            tally.rounds += 1;
            bulk(sandbox, &mut journal);
            kill(sandbox, tally);
            change_something(sandbox, &mut tally.rng);
        }
        drop(stopped);
        for writer in writers {
            journal.append(&mut writer.join().expect("a writer"));
        }
        journal
    });
    sandbox.policy("orders", &orders_fixture::policy(""));
    if is_held(sandbox) {
        sandbox.steward(["hold", "release", "case-1", "--why", "settled"]).must_end(0);
    }
    let last = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(0).json();
    assert_eq!(last["datasets"][0]["debt"]["rows"], 0, "{last:#}");
    journal.retain(|_, must| *must != Must::Gone);
    compare(sandbox, "orders", &journal, |must| if let Must::Young(content) = must { Some(content) } else { None });
    compare(sandbox, "orders_archive", &journal, |must| if let Must::Archived(content) = must { Some(content) } else { None });
    verdicts_are_true(sandbox);
    every_intent_knows_the_holds_before_it(sandbox);
    assert_eq!(orders_fixture::open_batches(sandbox, "archive-orders"), [], "a batch is still open");
    orders_fixture::must_be_whole(sandbox);
}

/// Stops the writers, also when the test fails: they are waited for.
struct StopAtTheEnd<'a>(&'a AtomicBool);

impl Drop for StopAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Rows that nobody touches but steward.
fn bulk(sandbox: &Sandbox, journal: &mut Journal) {
    let next = journal.keys().next_back().map_or(1, |id| id + 1);
    let mut sql = "INSERT INTO orders (id, customer, amount, note, created_at) VALUES ".to_owned();
    for id in next..next + BULK {
        let comma = if id == next { "" } else { ", " };
        let _ = write!(sql, "{comma}({id}, 'bulk', 1, 'bulk {id}', '{}')", due_date(id));
        journal.insert(id, Must::Archived(format!("bulk {id}")));
    }
    sandbox.sql(&sql);
}

/// Dates on both sides of what the policies below take.
fn due_date(id: u64) -> String {
    format!("20{:02}-{:02}-01 00:00:00", 1 + id % 20, 1 + id % 12)
}

/// Another period or condition, a hold more or less: what is due is something else for the run that settles.
fn change_something(sandbox: &Sandbox, rng: &mut Rng) {
    match rng.below(5) {
        0 => sandbox.policy("orders", &orders_fixture::policy("").replace("1 year", "15 years")),
        1 => sandbox.policy("orders", &orders_fixture::policy("    where: \"id % 3 <> 0\"\n")),
        2 => sandbox.policy("orders", &orders_fixture::policy("")),
        _ if is_held(sandbox) => drop(sandbox.steward(["hold", "release", "case-1", "--why", "settled"]).must_end(0)),
        3 => {
            let add = ["hold", "add", "case-1", "--dataset", "core.orders", "--where", "id % 7 = 3", "--because", "litigation"];
            sandbox.steward(add).must_end(0);
        }
        _ => {}
    }
}

fn is_held(sandbox: &Sandbox) -> bool {
    orders_fixture::ask(sandbox, async |ledger| ledger.holds().await.expect("holds").iter().any(|hold| hold.in_force()))
}

/// One application.
struct Writer {
    link: Link,
    runtime: tokio::runtime::Runtime,
    rng: Rng,
    next: u64,
    made: u64,
    journal: Journal,
    /// Ids that may still be in the source, and are due.
    due: Vec<u64>,
}

enum Link {
    Postgres(PgConnection),
    Mysql(MySqlConnection),
}

impl Writer {
    fn new(sandbox: &Sandbox, number: u64, rng: Rng) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let url = sandbox.database.url();
        let link = runtime.block_on(async {
            match sandbox.database.engine {
                Engine::Postgres => PgConnection::connect(&url).await.map(Link::Postgres),
                _ => MySqlConnection::connect(&url).await.map(Link::Mysql),
            }
        });
        let (link, journal) = (link.expect("a connection"), Journal::new());
        Self { link, runtime, rng, next: number * RANGE, made: 0, journal, due: vec![] }
    }

    fn write_until(mut self, stop: &AtomicBool) -> Journal {
        while !stop.load(Ordering::SeqCst) {
            self.step();
            std::thread::sleep(Duration::from_micros(500 + self.rng.below(3_000)));
        }
        self.journal
    }

    fn step(&mut self) {
        let some = self.rng.below(self.due.len().max(1) as u64) as usize;
        let Some(id) = self.due.get(some).copied().filter(|_| self.rng.below(5) > 1) else { return self.insert() };
        let content = self.content(id);
        match self.rng.below(5) {
            0 => {
                let sql = format!("UPDATE orders SET note = '{content}', created_at = '{YOUNG}' WHERE id = {id}");
                self.change(id, some, &sql, Must::Young(content));
            }
            1 => self.change(id, some, &format!("DELETE FROM orders WHERE id = {id}"), Must::Gone),
            2 => {
                // Gone, and back under the same key with other content.
                self.change(id, some, &format!("DELETE FROM orders WHERE id = {id}"), Must::Gone);
                if self.journal.get(&id) == Some(&Must::Gone) {
                    self.put(id, content);
                }
            }
            3 => {
                let new = self.next;
                self.next += 1;
                let sql = format!("UPDATE orders SET id = {new}, note = '{content}' WHERE id = {id}");
                self.change(id, some, &sql, Must::Gone);
                if self.journal.get(&id) == Some(&Must::Gone) {
                    self.journal.insert(new, Must::Archived(content));
                    self.due.push(new);
                }
            }
            _ => {
                let sql = format!("UPDATE orders SET note = '{content}' WHERE id = {id}");
                // Changing none it met a row that was moved as it was.
                if self.run(&sql) == Some(1) {
                    self.journal.insert(id, Must::Archived(content));
                }
            }
        }
    }

    fn content(&mut self, id: u64) -> String {
        self.made += 1;
        format!("row {id} version {}", self.made)
    }

    fn insert(&mut self) {
        let id = self.next;
        self.next += 1;
        let content = self.content(id);
        self.put(id, content);
    }

    fn put(&mut self, id: u64, content: String) {
        let sql = format!(
            "INSERT INTO orders (id, customer, amount, note, created_at) VALUES ({id}, 'live', 1, '{content}', '{}')",
            due_date(id)
        );
        if self.run(&sql) == Some(1) {
            self.journal.insert(id, Must::Archived(content));
            self.due.push(id);
        }
    }

    /// A statement after which the id is no longer due, if it changed a row; if it changed none, the row was moved as it was.
    fn change(&mut self, id: u64, at: usize, sql: &str, then: Must) {
        match self.run(sql) {
            Some(1) => {
                self.journal.insert(id, then);
                self.due.swap_remove(at);
            }
            Some(_) => drop(self.due.swap_remove(at)),
            None => {}
        }
    }

    /// How many rows it changed; none when a lock or a deadlock ended it, which changes nothing.
    fn run(&mut self, sql: &str) -> Option<u64> {
        let sql = AssertSqlSafe(sql.to_owned());
        let done = self.runtime.block_on(async {
            match &mut self.link {
                Link::Postgres(link) => sqlx::raw_sql(sql).execute(link).await.map(|done| done.rows_affected()),
                Link::Mysql(link) => sqlx::raw_sql(sql).execute(link).await.map(|done| done.rows_affected()),
            }
        });
        match done {
            Ok(rows) => Some(rows),
            Err(error) => {
                let said = error.to_string().to_lowercase();
                assert!(said.contains("deadlock") || said.contains("lock wait timeout"), "a writer failed: {error}");
                None
            }
        }
    }
}

/// Exactly those rows, with that content.
fn compare(sandbox: &Sandbox, table: &str, journal: &Journal, wanted: impl Fn(&Must) -> Option<&String>) {
    let rows = sandbox.database.rows(&format!("SELECT id, note FROM {table} ORDER BY id"));
    let found: Vec<(u64, String)> = rows
        .into_iter()
        .map(|row| (row[0].as_deref().and_then(|id| id.parse().ok()).expect("an id"), row[1].clone().unwrap_or_default()))
        .collect();
    let wanted: Vec<(u64, String)> = journal.iter().filter_map(|(id, must)| Some((*id, wanted(must)?.clone()))).collect();
    if found != wanted {
        let lost: Vec<_> = wanted.iter().filter(|row| !found.contains(row)).take(5).collect();
        let odd: Vec<_> = found.iter().filter(|row| !wanted.contains(row)).take(5).collect();
        panic!("`{table}` has {} rows, and the writers say {}: missing {lost:?}, too many {odd:?}", found.len(), wanted.len());
    }
}

/// The archive says which batch brought each row; the evidence must say the same of every batch.
fn verdicts_are_true(sandbox: &Sandbox) {
    let rows = sandbox.database.rows("SELECT steward_batch, COUNT(*) FROM orders_archive GROUP BY steward_batch");
    let mut brought: BTreeMap<String, u64> = rows
        .into_iter()
        .map(|row| (row[0].clone().expect("a batch"), row[1].as_deref().and_then(|rows| rows.parse().ok()).expect("a count")))
        .collect();
    for event in orders_fixture::events(sandbox) {
        match event {
            Event::Outcome { batch, counts, .. } => {
                let archived = counts.by_key("archived").unwrap_or(0);
                assert_eq!(brought.remove(&batch).unwrap_or(0), archived, "batch {batch}");
            }
            Event::Settled { batch, verdict, rows, .. } => {
                let there = brought.remove(&batch).unwrap_or(0);
                // Of a few rows all may have changed before they were locked: such a batch was committed, and brought none.
                let true_to_it =
                    if verdict == "applied" { there > 0 || rows < 20 } else { verdict == "rolled back" && there == 0 };
                assert!(true_to_it, "batch {batch} of {rows} rows is told as {verdict}: {there} are there");
            }
            Event::Failed { batch, .. } => assert_eq!(brought.get(&batch), None, "batch {batch} failed"),
            _ => {}
        }
    }
    assert_eq!(brought, BTreeMap::new(), "batches that no evidence tells of");
}
