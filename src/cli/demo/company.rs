//! The company: four tables, 50,000 rows over three years, in one SQLite file.

use super::people;
use super::rng::Rng;
use crate::store::error::StoreFailure;
use crate::store::sql::session::connection::Session;
use crate::store::sql::session::store::Store;
use crate::store::value::Cell;
use chrono::{DateTime, TimeDelta, Utc};

/// Rows that go into one statement.
const ROWS_AT_ONCE: usize = 500;
/// Three years.
const DAYS: u64 = 1_095;

/// The tables as an application would have made them. `grading_results` lacks the index on its clock, as tables do.
const TABLES: &str = "
CREATE TABLE users (
  id INTEGER PRIMARY KEY, username TEXT NOT NULL, email TEXT, phone TEXT, first_name TEXT, last_name TEXT, created_at TEXT NOT NULL,
  email_encrypted BLOB, phone_encrypted BLOB);
CREATE TABLE user_sessions (
  id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id), session_token TEXT NOT NULL,
  created_at TEXT NOT NULL, expires_at TEXT NOT NULL);
CREATE INDEX idx_sessions_expires ON user_sessions (expires_at);
CREATE TABLE consumption_record (
  id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER NOT NULL REFERENCES users (id), item TEXT NOT NULL, amount_fen INTEGER NOT NULL, created_at TEXT);
CREATE INDEX idx_consumption_created ON consumption_record (created_at);
CREATE TABLE sales_by_month (month TEXT PRIMARY KEY, records INTEGER NOT NULL, amount_fen INTEGER NOT NULL);
CREATE TABLE grading_results (
  id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id), assignment TEXT NOT NULL, score INTEGER, feedback TEXT, created_at TEXT);
";

/// One table and the rows it begins with.
pub(super) struct Filled {
    /// The table.
    pub(super) name: &'static str,
    /// The columns that are written.
    pub(super) columns: &'static str,
    rows: u32,
    row: fn(&mut Company, i64) -> Vec<Cell>,
}

/// The tables in the order in which they are filled.
pub(super) const FILLED: &[Filled] = &[
    Filled {
        name: "users",
        columns: "id, username, email, phone, first_name, last_name, created_at",
        rows: 2_000,
        row: Company::user,
    },
    Filled {
        name: "user_sessions",
        columns: "id, user_id, session_token, created_at, expires_at",
        rows: 12_000,
        row: Company::session,
    },
    Filled {
        name: "consumption_record",
        columns: "id, user_id, item, amount_fen, created_at",
        rows: 24_000,
        row: Company::consumption,
    },
    Filled {
        name: "grading_results",
        columns: "id, user_id, assignment, score, feedback, created_at",
        rows: 12_000,
        row: Company::grading,
    },
];

/// Makes rows, the same ones every time, dated back from now.
pub(super) struct Company {
    rng: Rng,
    now: DateTime<Utc>,
}

impl Company {
    /// A company that is three years old now.
    pub(super) const fn new(now: DateTime<Utc>) -> Self {
        Self { rng: Rng::new(20_260_521), now }
    }

    /// Makes the tables and fills them, each in one transaction.
    pub(super) async fn settle_in(mut self, store: &Store) -> Result<(), StoreFailure> {
        store.session("demo").await?.raw(TABLES).await?;
        for table in FILLED {
            let mut session = store.session("demo").await?;
            session.begin().await?;
            self.fill(&mut session, table).await?;
            session.commit().await?;
        }
        Ok(())
    }

    async fn fill(&mut self, session: &mut Session, table: &Filled) -> Result<(), StoreFailure> {
        let ids: Vec<i64> = (1..=i64::from(table.rows)).collect();
        for ids in ids.chunks(ROWS_AT_ONCE) {
            let rows: Vec<Vec<Cell>> = ids.iter().map(|id| (table.row)(self, *id)).collect();
            let row = format!("({})", vec!["?"; rows.first().map_or(0, Vec::len)].join(", "));
            let sql = format!("INSERT INTO {} ({}) VALUES {}", table.name, table.columns, vec![row; rows.len()].join(", "));
            session.execute(&sql, &rows.concat()).await?;
        }
        Ok(())
    }

    fn user(&mut self, id: i64) -> Vec<Cell> {
        let created = written(self.some_time_ago());
        people::user(&mut self.rng, id, created)
    }

    fn session(&mut self, id: i64) -> Vec<Cell> {
        let began = self.some_time_ago();
        let token = format!("demo-{:08x}{:08x}", self.rng.below(u64::from(u32::MAX)), self.rng.below(u64::from(u32::MAX)));
        vec![
            Cell::Int(id),
            self.someone(),
            Cell::Text(token),
            Cell::Text(written(began)),
            Cell::Text(written(began + TimeDelta::days(1))),
        ]
    }

    fn consumption(&mut self, id: i64) -> Vec<Cell> {
        let item = self.rng.of(&["GPU 小时", "云存储", "模型调用", "workspace seat", "image credits 🖼"]);
        let amount = i64::try_from(self.rng.below(90_000)).unwrap_or(0) + 100;
        vec![Cell::Int(id), self.someone(), Cell::Text(item.to_owned()), Cell::Int(amount), self.clock(2_600)]
    }

    fn grading(&mut self, id: i64) -> Vec<Cell> {
        let assignment = self.rng.of(&["作文", "数学", "English essay", "物理", "Geschichte"]);
        let feedback = self.rng.of(&["结构清晰,论据充分", "再检查一遍计算", "Well argued; watch the tenses.", "很好!"]);
        let score = i64::try_from(self.rng.below(61)).unwrap_or(0) + 40;
        let (assignment, feedback) = (Cell::Text(assignment.to_owned()), Cell::Text(feedback.to_owned()));
        vec![Cell::Int(id), self.someone(), assignment, Cell::Int(score), feedback, self.clock(2_400)]
    }

    fn someone(&mut self) -> Cell {
        Cell::Int(i64::try_from(self.rng.below(2_000)).unwrap_or(0) + 1)
    }

    /// A clock; one in so many rows was never given one.
    fn clock(&mut self, one_in: u64) -> Cell {
        if self.rng.below(one_in) == 0 { Cell::Null } else { Cell::Text(written(self.some_time_ago())) }
    }

    /// Some time in three years, more often lately: the company grows.
    ///
    /// Never within a quarter of an hour of the present time of day: a period counts whole days back from now,
    /// so no row comes due while the demo runs, and a second run finds nothing to do because there is nothing.
    fn some_time_ago(&mut self) -> DateTime<Utc> {
        const MARGIN: u64 = 15 * 60;
        let days = self.rng.below(DAYS).min(self.rng.below(DAYS)) + 1;
        let seconds = MARGIN + self.rng.below(86_400 - 2 * MARGIN);
        let ago = TimeDelta::days(i64::try_from(days).unwrap_or(0)) - TimeDelta::seconds(i64::try_from(seconds).unwrap_or(0));
        self.now - ago
    }
}

/// As the company's applications write a time: UTC, to the second.
pub(super) fn written(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_comes_due_while_the_demo_runs() {
        let now = crate::clock::now();
        let mut company = Company::new(now);
        for _ in 0..20_000 {
            let age = (now - company.some_time_ago()).num_seconds();
            assert!((900..=1_095 * 86_400).contains(&age), "{age}");
            assert!((900..=86_400 - 900).contains(&(age % 86_400)), "{age}");
        }
    }

    #[test]
    fn there_are_fifty_thousand_rows() {
        assert_eq!(FILLED.iter().map(|table| table.rows).sum::<u32>(), 50_000);
    }
}
