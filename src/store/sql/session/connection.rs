//! One conversation with a store: statements in, cells out, nothing half-done left behind.

use super::driver_values::{as_text, by_class, mysql_row, named, postgres_row, sqlite_row};
use super::statements::{Answer, Statements};
use crate::diagnostic::codes;
use crate::store::cutoff::read_time;
use crate::store::error::{StoreFailure, would_write};
use crate::store::sql::dialect::Dialect;
use crate::store::value::Cell;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;
use futures_util::{TryFutureExt, TryStreamExt};
use sqlx::AssertSqlSafe;
use std::future::Future;
use std::time::Duration;

/// The driver's side of a session.
pub(crate) enum Link {
    /// SQLite.
    Sqlite(sqlx::pool::PoolConnection<sqlx::Sqlite>),
    /// PostgreSQL.
    Postgres(sqlx::pool::PoolConnection<sqlx::Postgres>),
    /// MySQL and MariaDB.
    Mysql(sqlx::pool::PoolConnection<sqlx::MySql>),
}

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Only read: the server refuses every write.
    Read,
    /// What the account may.
    Write,
}

/// One conversation with a store.
///
/// Every statement is bounded in time. Dropped inside a transaction, or after a statement that never
/// answered, it closes its connection: the server rolls back, and nobody inherits the rest.
///
/// On PostgreSQL every statement runs in a transaction, which is set up with settings that end with it: a pooler may give each
/// transaction another connection of the server, and the connection to the application afterwards. Nothing is prepared under a
/// name for the same reason. Held by `through_a_pooler_in_transaction_mode_…`.
pub struct Session {
    store: String,
    dialect: Dialect,
    link: Option<Link>,
    comment: String,
    limit: Duration,
    unsettled: bool,
    /// What each transaction of PostgreSQL is set to; empty elsewhere.
    settings: String,
    /// True where the server refuses every write: there a refused write is the query's fault, and no server's that went over.
    only_reads: bool,
}

impl Session {
    pub(crate) fn new(store: &str, dialect: Dialect, link: Link, comment: String, limit: Duration) -> Self {
        Self {
            store: store.to_owned(),
            dialect,
            link: Some(link),
            comment,
            limit,
            unsettled: false,
            settings: String::new(),
            only_reads: false,
        }
    }

    pub(crate) fn speaking(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Remembers what the session may do, once the server was told.
    pub(crate) fn set_access(&mut self, access: Access) {
        self.only_reads = access == Access::Read;
    }

    /// Sets each transaction to this.
    pub(crate) fn set_each_transaction(&mut self, settings: String) {
        self.settings = settings;
    }

    /// The dialect spoken here.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The store's name.
    pub fn store(&self) -> &str {
        &self.store
    }

    /// The store's own time, to the millisecond; none for a file.
    pub(crate) async fn now(&mut self) -> Result<Option<DateTime<Utc>>, StoreFailure> {
        let Some(sql) = self.dialect.time_query() else { return Ok(None) };
        let rows = self.rows(sql, &[]).await?;
        read_time(&self.store, rows.first().and_then(|row| row.first())).map(Some)
    }

    /// Starts a transaction. On SQLite it takes the write lock at once, so that it cannot fail half-way for want of it.
    pub async fn begin(&mut self) -> Result<(), StoreFailure> {
        let begin = self.dialect.begin(self.only_reads, &self.settings);
        self.begin_with(&begin).await
    }

    /// Starts a transaction that can only read, on a connection that is closed after it.
    pub async fn begin_reading(&mut self) -> Result<(), StoreFailure> {
        let begin = self.dialect.begin_reading(&self.settings);
        self.begin_with(&begin).await?;
        self.only_reads = true;
        Ok(())
    }

    /// The same, and all its statements see the store as the first of them found it. Takes no lock that a writer would meet.
    pub async fn begin_snapshot(&mut self) -> Result<(), StoreFailure> {
        let (before, begin) = self.dialect.begin_snapshot(&self.settings);
        if let Some(before) = before {
            self.raw(before).await?;
        }
        self.begin_with(&begin).await?;
        self.only_reads = true;
        Ok(())
    }

    async fn begin_with(&mut self, begin: &str) -> Result<(), StoreFailure> {
        self.unsettled = true;
        self.raw_inside(begin).await
    }

    /// Begins a transaction for one statement, where there is need of one and none is open.
    async fn enter(&mut self) -> Result<bool, StoreFailure> {
        let is_own = self.dialect.sets_each_transaction() && !self.unsettled;
        if is_own {
            self.begin().await?;
        }
        Ok(is_own)
    }

    /// Ends what [`Self::enter`] began.
    async fn leave<T>(&mut self, is_own: bool, done: Result<T, StoreFailure>) -> Result<T, StoreFailure> {
        if is_own {
            let ended = self.raw_inside(if done.is_ok() { "COMMIT" } else { "ROLLBACK" }).await;
            self.unsettled = ended.is_err();
            if done.is_ok() {
                ended?;
            }
        }
        done
    }

    /// Commits. An answer that never comes is [`StoreFailure::Uncertain`]: look before claiming anything.
    pub async fn commit(mut self) -> Result<(), StoreFailure> {
        match self.raw_inside("COMMIT").await {
            Ok(()) => {
                self.unsettled = false;
                Ok(())
            }
            Err(StoreFailure::Away { store, text }) => Err(StoreFailure::Uncertain { store, text }),
            Err(other) => Err(other),
        }
    }

    /// Rolls back and gives the connection back. When even that fails the connection is closed, which does the same.
    pub async fn rollback(mut self) {
        if self.raw_inside("ROLLBACK").await.is_ok() {
            self.unsettled = false;
        }
    }

    /// Runs a statement that takes no binds and is not worth preparing.
    pub async fn raw(&mut self, sql: &str) -> Result<(), StoreFailure> {
        let is_own = self.enter().await?;
        let done = self.raw_inside(sql).await;
        self.leave(is_own, done).await
    }

    async fn raw_inside(&mut self, sql: &str) -> Result<(), StoreFailure> {
        let sql = AssertSqlSafe(format!("{}{sql}", self.comment));
        let limit = self.limit;
        let store = self.store.clone();
        let done = match self.link.as_mut() {
            Some(Link::Sqlite(link)) => bounded(limit, sqlx::raw_sql(sql).execute(&mut **link).map_ok(|_| ())).await,
            Some(Link::Postgres(link)) => bounded(limit, sqlx::raw_sql(sql).execute(&mut **link).map_ok(|_| ())).await,
            Some(Link::Mysql(link)) => bounded(limit, sqlx::raw_sql(sql).execute(&mut **link).map_ok(|_| ())).await,
            None => return Err(closed(&store)),
        };
        self.answer(done)
    }

    /// Runs a statement and says how many rows it changed.
    pub async fn execute(&mut self, sql: &str, binds: &[Cell]) -> Result<u64, StoreFailure> {
        let is_own = self.enter().await?;
        let done = self.execute_inside(sql, binds).await;
        self.leave(is_own, done).await
    }

    async fn execute_inside(&mut self, sql: &str, binds: &[Cell]) -> Result<u64, StoreFailure> {
        let sql = AssertSqlSafe(format!("{}{sql}", self.comment));
        let limit = self.limit;
        let store = self.store.clone();
        let done = match self.link.as_mut() {
            Some(Link::Sqlite(link)) => {
                let query = by_class(sql, binds);
                bounded(limit, query.execute(&mut **link).map_ok(|done| done.rows_affected())).await
            }
            Some(Link::Postgres(link)) => {
                let query = binds.iter().fold(sqlx::query(sql).persistent(false), |query, cell| query.bind(as_text(cell)));
                bounded(limit, query.execute(&mut **link).map_ok(|done| done.rows_affected())).await
            }
            Some(Link::Mysql(link)) => {
                let query = binds.iter().fold(sqlx::query(sql), |query, cell| query.bind(as_text(cell)));
                bounded(limit, query.execute(&mut **link).map_ok(|done| done.rows_affected())).await
            }
            None => return Err(closed(&store)),
        };
        self.answer(done)
    }

    /// PostgreSQL: whether the database keeps text in UTF-8.
    pub(crate) async fn is_utf8(&mut self) -> Result<bool, StoreFailure> {
        Ok(self.count("SELECT COUNT(*) WHERE current_setting('server_encoding') = 'UTF8'", &[]).await? == 1)
    }

    /// Runs a query and gives its rows. PostgreSQL and MySQL columns must be text, integers or bytes,
    /// on MySQL also fractions: cast the rest.
    pub async fn rows(&mut self, sql: &str, binds: &[Cell]) -> Result<Vec<Vec<Cell>>, StoreFailure> {
        let mut rows = vec![];
        self.each(sql, binds, |row| rows.push(row)).await?;
        Ok(rows)
    }

    /// Runs a query and shows its rows one by one as they arrive, so that there may be many; columns as in [`Self::rows`].
    ///
    /// # Errors
    /// The store's own, when some were shown already.
    pub async fn each(&mut self, sql: &str, binds: &[Cell], see: impl FnMut(Vec<Cell>)) -> Result<(), StoreFailure> {
        let is_own = self.enter().await?;
        let done = self.each_inside(sql, binds, see).await;
        self.leave(is_own, done).await
    }

    async fn each_inside(&mut self, sql: &str, binds: &[Cell], see: impl FnMut(Vec<Cell>)) -> Result<(), StoreFailure> {
        let sql = AssertSqlSafe(format!("{}{sql}", self.comment));
        let limit = self.limit;
        let store = self.store.clone();
        let done = match self.link.as_mut() {
            Some(Link::Sqlite(link)) => {
                bounded(limit, one_by_one(by_class(sql, binds).fetch(&mut **link), sqlite_row, see)).await
            }
            Some(Link::Postgres(link)) => {
                let query = binds.iter().fold(sqlx::query(sql).persistent(false), |query, cell| query.bind(as_text(cell)));
                bounded(limit, one_by_one(query.fetch(&mut **link), postgres_row, see)).await
            }
            Some(Link::Mysql(link)) => {
                let query = binds.iter().fold(sqlx::query(sql), |query, cell| query.bind(as_text(cell)));
                bounded(limit, one_by_one(query.fetch(&mut **link), mysql_row, see)).await
            }
            None => return Err(closed(&store)),
        };
        self.answer(done)
    }

    /// All numbers of a query with one column of whole numbers, of this name, in their order; none of them may be NULL.
    ///
    /// They come in one text. A row for each costs the drivers more than the stores take to find it.
    ///
    /// # Errors
    /// The store's own; and when the text was cut off.
    pub async fn numbers(&mut self, sql: &str, name: &str, binds: &[Cell]) -> Result<Vec<i128>, StoreFailure> {
        let (before, joined) = self.dialect.joined(name);
        if let Some(before) = before {
            self.raw(&before).await?;
        }
        let rows = self.rows(&format!("SELECT {joined}, COUNT(*) FROM ({sql}) steward_n"), binds).await?;
        let [Some(text), Some(count)] = [0, 1].map(|at| rows.first().and_then(|row| row.get(at))) else { return Ok(vec![]) };
        let parts = text.as_text().unwrap_or_default().split(',').filter(|part| !part.is_empty());
        let mut numbers: Vec<i128> = parts.map_while(|part| part.parse().ok()).collect();
        if numbers.len() as u64 != count.as_count() {
            let text = format!("{} numbers were asked for, and {} came", count.as_count(), numbers.len());
            return Err(StoreFailure::Failed { store: self.store.clone(), text });
        }
        // In order already, as a rule: no store promises it of what is joined.
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Runs a query of MySQL or MariaDB whose columns differ by version, and gives of each row the columns of these names; one
    /// that is not there is NULL.
    pub(crate) async fn fields(&mut self, sql: &str, names: &[&str]) -> Result<Vec<Vec<Cell>>, StoreFailure> {
        let sql = AssertSqlSafe(format!("{}{sql}", self.comment));
        let Some(Link::Mysql(link)) = self.link.as_mut() else { return Err(closed(&self.store)) };
        let rows = bounded(self.limit, sqlx::query(sql).fetch_all(&mut **link)).await;
        let done = rows.and_then(|rows| rows.iter().map(|row| named(row, names).map_err(Trouble::Driver)).collect());
        self.answer(done)
    }

    /// The first cell of the first row as a count; zero when there is none.
    pub async fn count(&mut self, sql: &str, binds: &[Cell]) -> Result<u64, StoreFailure> {
        let rows = self.rows(sql, binds).await?;
        Ok(rows.first().and_then(|row| row.first()).map_or(0, Cell::as_count))
    }

    /// Takes the connection out of its pool and drops it: the server rolls back what was open.
    fn close(&mut self) {
        match self.link.take() {
            Some(Link::Sqlite(link)) => drop(link.detach()),
            Some(Link::Postgres(link)) => drop(link.detach()),
            Some(Link::Mysql(link)) => drop(link.detach()),
            None => {}
        }
    }

    fn answer<T>(&mut self, done: Result<T, Trouble>) -> Result<T, StoreFailure> {
        done.map_err(|trouble| match trouble {
            Trouble::Silence => {
                // Whatever is asked next would wait as long: a ROLLBACK too, and closing does the same.
                self.unsettled = true;
                self.close();
                StoreFailure::timed_out(&self.store, self.limit)
            }
            Trouble::Driver(error) if self.only_reads && would_write(&error) => StoreFailure::refused(
                codes::LOOK_WRITES,
                "this would write, and what looks may only read; nothing was changed",
                "call no function that writes in a condition or query, directly or by way of a view, a trigger or another function",
            ),
            Trouble::Driver(error) => StoreFailure::read(&self.store, &error),
        })
    }
}

impl Statements for Session {
    fn store(&self) -> &str {
        &self.store
    }

    fn rows<'a>(&'a mut self, sql: &'a str, binds: &'a [Cell]) -> Answer<'a, Vec<Vec<Cell>>> {
        Box::pin(self.rows(sql, binds))
    }

    fn count<'a>(&'a mut self, sql: &'a str, binds: &'a [Cell]) -> Answer<'a, u64> {
        Box::pin(self.count(sql, binds))
    }

    fn fields<'a>(&'a mut self, sql: &'a str, names: &'a [&'a str]) -> Answer<'a, Vec<Vec<Cell>>> {
        Box::pin(self.fields(sql, names))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.unsettled {
            self.close();
        }
    }
}

enum Trouble {
    Silence,
    Driver(sqlx::Error),
}

async fn bounded<T>(limit: Duration, call: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Trouble> {
    match tokio::time::timeout(limit, call).await {
        Ok(answer) => answer.map_err(Trouble::Driver),
        Err(_) => Err(Trouble::Silence),
    }
}

/// Reads each row as it comes and shows it; none is kept.
async fn one_by_one<R>(
    mut rows: BoxStream<'_, Result<R, sqlx::Error>>,
    read: fn(&R) -> Result<Vec<Cell>, sqlx::Error>,
    mut see: impl FnMut(Vec<Cell>),
) -> Result<(), sqlx::Error> {
    while let Some(row) = rows.try_next().await? {
        see(read(&row)?);
    }
    Ok(())
}

fn closed(store: &str) -> StoreFailure {
    StoreFailure::Away { store: store.to_owned(), text: "the connection is closed".into() }
}
