//! The ledger against real files: what it keeps, what it refuses, what it finds.

mod evidence;
mod file;
mod hold;
mod lease;
mod run;

use crate::counter::Counts;
use crate::job::spec::Mode;
use crate::ledger::{Event, Ledger, NewRun};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::path::PathBuf;
use tempfile::TempDir;

/// A folder that is gone with the test, and a ledger's place in it.
fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state/steward.db");
    (dir, path)
}

fn at(second: u32) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000 + i64::from(second), 123_456_789).unwrap()
}

fn new_run(id: &str, job: &str) -> NewRun {
    NewRun {
        id: id.into(),
        job: job.into(),
        action: "archive".into(),
        mode: Mode::Enforce,
        dry_run: false,
        as_of: at(0),
        started: at(1),
        started_by: None,
    }
}

fn intent(batch: &str) -> Event {
    Event::Intent {
        batch: batch.into(),
        dataset: "core.orders".into(),
        policy: "orders".into(),
        rows: 118,
        from: json!([{ "int": 1 }]),
        to: json!([{ "int": 118 }]),
        holds: i64::MAX,
        before: None,
    }
}

fn outcome(batch: &str) -> Event {
    Event::Outcome {
        batch: batch.into(),
        counts: Event::counted(&Counts::from([("archived", 118), ("removed", 118)])),
        changed: 0,
        conflict: 0,
        digest: Some("ab12".into()),
        pass: None,
    }
}

/// Does to the file what no ledger would, with the guards taken down first.
async fn tamper(path: &std::path::Path, sql: &'static str) {
    use sqlx::ConnectOptions;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).foreign_keys(false);
    let mut connection = options.connect().await.unwrap();
    let guards = "SELECT sql || ';' FROM sqlite_master WHERE type = 'trigger'";
    let guards: Vec<String> = sqlx::query_scalar(guards).fetch_all(&mut connection).await.unwrap();
    let down = "DROP TRIGGER event_is_never_edited; DROP TRIGGER event_is_never_removed;";
    for sql in [down, sql, &guards.join("\n")] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
    sqlx::Connection::close(connection).await.unwrap();
}

/// A ledger with one run of three batches (events 2 to 7), one left open (8), and its end (9).
async fn told(path: &std::path::Path) -> Ledger {
    let ledger = Ledger::open(path).await.unwrap();
    ledger.start_run(&new_run("run-1", "orders")).await.unwrap();
    for batch in ["b1", "b2", "b3"] {
        ledger.append(Some("run-1"), &intent(batch), at(2)).await.unwrap();
        ledger.append(Some("run-1"), &outcome(batch), at(3)).await.unwrap();
    }
    ledger.append(Some("run-1"), &intent("b4"), at(4)).await.unwrap();
    ledger.end_run("run-1", at(5), crate::job::outcome::Outcome::Partial, &json!({ "removed": 354 })).await.unwrap();
    ledger
}
