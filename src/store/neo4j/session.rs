//! One conversation with the store: Cypher in, cells out, nothing half-done left behind.
//!
//! The driver loses the order of columns, so every statement names them `c0`, `c1` and so on.

use super::error;
use super::pool::Pool;
use crate::store::error::StoreFailure;
use crate::store::value::Cell;
use neo4rs::{BoltType, Error, Query, Row, Txn};
use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

/// What a statement's `$name` stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    /// One value.
    One(Cell),
    /// A list of values.
    List(Vec<Cell>),
}

/// A statement's parameters.
pub type Params = Vec<(&'static str, Param)>;

/// A session that only looks. Every statement is bounded in time, here and on the server, which refuses it any write.
#[derive(Debug)]
pub struct Reading {
    pool: Pool,
    who: String,
    limit: Duration,
}

/// A transaction that may write. Dropped without a commit it is rolled back by the server, for its connection is closed.
pub struct Writing {
    pool: Pool,
    /// Gone once it has ended.
    transaction: Option<Txn>,
    comment: String,
    limit: Duration,
}

impl Reading {
    pub(crate) fn new(pool: Pool, who: &str, limit: Duration) -> Self {
        Self { pool, who: plain(who), limit }
    }

    /// The store's name.
    pub fn store(&self) -> &str {
        self.pool.store()
    }

    /// The rows of a statement, columns in the order of their names `c0`, `c1`, ….
    ///
    /// # Errors
    /// The store's own; a statement that would write.
    pub async fn rows(&self, cypher: &str, params: Params) -> Result<Vec<Vec<Cell>>, StoreFailure> {
        self.all(cypher, params, cells).await
    }

    /// The rows of a statement by the names of their columns; what is neither number, truth nor text reads as no bytes.
    ///
    /// # Errors
    /// The same as [`Self::rows`].
    pub async fn named(&self, cypher: &str) -> Result<Vec<BTreeMap<String, Cell>>, StoreFailure> {
        // A node, a list or a date is told as bytes that nobody reads: who wants a number says that it is none.
        let cell = |row: &Row, name: &str| match cell(row, name) {
            Err(Error::ConversionError | Error::DeserializationError(_)) => Ok(Cell::Bytes(vec![])),
            told => told,
        };
        let by_name = |row: &Row| row.keys().iter().map(|key| Ok((key.value.clone(), cell(row, &key.value)?))).collect();
        self.all(cypher, vec![], by_name).await
    }

    /// The first cell of the first row as a count.
    ///
    /// # Errors
    /// The same as [`Self::rows`].
    pub async fn count(&self, cypher: &str, params: Params) -> Result<u64, StoreFailure> {
        let rows = self.rows(cypher, params).await?;
        Ok(rows.first().and_then(|row| row.first()).map_or(0, Cell::as_count))
    }

    /// Why the server cannot plan a statement, in its own words; none when it can. Nothing is carried out.
    ///
    /// # Errors
    /// The store is away, or refuses for another reason than the statement.
    pub async fn cannot_plan(&self, cypher: &str) -> Result<Option<String>, StoreFailure> {
        let query = self.query(&format!("EXPLAIN {cypher}"), vec![]);
        bounded(&self.pool, self.limit, async {
            match read_all(&self.pool, query, |_| Ok(())).await {
                Ok(_) => Ok(None),
                Err(error) => error::of_planning(&error).map(Some).ok_or(error),
            }
        })
        .await
    }

    async fn all<T>(
        &self,
        cypher: &str,
        params: Params,
        read: impl Fn(&Row) -> Result<T, Error>,
    ) -> Result<Vec<T>, StoreFailure> {
        bounded(&self.pool, self.limit, read_all(&self.pool, self.query(cypher, params), read)).await
    }

    fn query(&self, cypher: &str, params: Params) -> Query {
        let milliseconds = i64::try_from(self.limit.as_millis()).unwrap_or(i64::MAX);
        let mut about = neo4rs::BoltMap::new();
        about.put("app".into(), "steward".into());
        about.put("who".into(), self.who.as_str().into());
        query(cypher, params).extra("tx_timeout", milliseconds).extra("tx_metadata", BoltType::Map(about))
    }
}

impl Writing {
    pub(crate) fn new(pool: Pool, transaction: Txn, who: &str, limit: Duration) -> Self {
        // The driver passes no metadata with a transaction's begin: the statements say who sends them.
        let comment = format!("/* steward {} */ ", plain(who));
        Self { pool, transaction: Some(transaction), comment, limit }
    }

    /// The rows of a statement, read to the end.
    ///
    /// # Errors
    /// The store's own. [`StoreFailure::Busy`] after a silence: the transaction had begun, and is rolled back.
    pub async fn rows(&mut self, cypher: &str, params: Params) -> Result<Vec<Vec<Cell>>, StoreFailure> {
        let query = query(&format!("{}{cypher}", self.comment), params);
        let (pool, limit) = (self.pool.clone(), self.limit);
        let Some(transaction) = self.transaction.as_mut() else { return Err(ended(pool.store())) };
        let answered = tokio::time::timeout(limit, async {
            let mut stream = transaction.execute(query).await?;
            let mut rows = vec![];
            while let Some(row) = stream.next(transaction.handle()).await? {
                rows.push(cells(&row)?);
            }
            Ok::<_, Error>(rows)
        });
        match answered.await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => {
                self.close();
                Err(error::read(pool.store(), &error))
            }
            Err(_) => {
                self.close();
                let text =
                    format!("no answer in {} s, so the batch is rolled back; a lock may be held elsewhere", limit.as_secs());
                Err(StoreFailure::Busy { store: pool.store().to_owned(), text })
            }
        }
    }

    /// The first cell of the first row as a count.
    ///
    /// # Errors
    /// The same as [`Self::rows`].
    pub async fn count(&mut self, cypher: &str, params: Params) -> Result<u64, StoreFailure> {
        let rows = self.rows(cypher, params).await?;
        Ok(rows.first().and_then(|row| row.first()).map_or(0, Cell::as_count))
    }

    /// Commits.
    ///
    /// # Errors
    /// An answer that never comes is [`StoreFailure::Uncertain`]: look before claiming anything. Any other: rolled back.
    pub async fn commit(mut self) -> Result<(), StoreFailure> {
        let store = self.pool.store().to_owned();
        let Some(transaction) = self.transaction.take() else { return Err(ended(&store)) };
        match tokio::time::timeout(self.limit, transaction.commit()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                self.pool.forget();
                let is_certain = error::ends_a_commit(&error);
                Err(match error::read(&store, &error) {
                    certain if is_certain => certain,
                    other => StoreFailure::Uncertain { store, text: other.to_string() },
                })
            }
            Err(_) => {
                self.pool.forget();
                Err(StoreFailure::Uncertain { store, text: format!("no answer in {} s", self.limit.as_secs()) })
            }
        }
    }

    /// Rolls back and gives the connection back. When even that fails the connection is closed, which does the same.
    pub async fn rollback(mut self) {
        let Some(transaction) = self.transaction.take() else { return };
        if !matches!(tokio::time::timeout(error::CONNECT, transaction.rollback()).await, Ok(Ok(()))) {
            self.pool.forget();
        }
    }

    fn close(&mut self) {
        self.pool.forget();
        self.transaction = None;
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if self.transaction.is_some() {
            self.close();
        }
    }
}

async fn bounded<T>(pool: &Pool, limit: Duration, call: impl Future<Output = Result<T, Error>>) -> Result<T, StoreFailure> {
    match tokio::time::timeout(limit, call).await {
        Ok(answer) => answer.map_err(|error| error::read(pool.store(), &error)),
        Err(_) => {
            pool.forget();
            Err(StoreFailure::timed_out(pool.store(), limit))
        }
    }
}

/// Reads an answer to its end: one that is dropped unread ends what it asked for, and says nothing of an error behind.
async fn read_all<T>(pool: &Pool, query: Query, read: impl Fn(&Row) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    let mut stream = pool.driver().execute_read(query).await?;
    let mut rows = vec![];
    while let Some(row) = stream.next().await? {
        rows.push(read(&row)?);
    }
    Ok(rows)
}

fn ended(store: &str) -> StoreFailure {
    StoreFailure::Away { store: store.to_owned(), text: "the transaction has ended".into() }
}

fn plain(who: &str) -> String {
    who.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ' ' | '.' | '_')).take(55).collect()
}

fn query(cypher: &str, params: Params) -> Query {
    params.into_iter().fold(Query::new(cypher.to_owned()), |query, (name, param)| match param {
        Param::One(cell) => query.param(name, bolt(cell)),
        Param::List(cells) => query.param(name, cells.into_iter().map(bolt).collect::<Vec<_>>()),
    })
}

fn bolt(cell: Cell) -> BoltType {
    match cell {
        Cell::Null => BoltType::Null(neo4rs::BoltNull),
        Cell::Int(int) => int.into(),
        Cell::Real(real) => real.into(),
        Cell::Text(text) => text.into(),
        Cell::Bytes(bytes) => bytes.into(),
    }
}

fn cells(row: &Row) -> Result<Vec<Cell>, Error> {
    (0..row.keys().len()).map(|at| cell(row, &format!("c{at}"))).collect()
}

/// A value as a cell; one that is neither number, truth, text nor bytes is an error: statements turn others into text.
fn cell(row: &Row, name: &str) -> Result<Cell, Error> {
    Ok(match row.get::<BoltType>(name).map_err(Error::DeserializationError)? {
        BoltType::Null(_) => Cell::Null,
        BoltType::Boolean(truth) => Cell::Int(i64::from(truth.value)),
        BoltType::Integer(integer) => Cell::Int(integer.value),
        BoltType::Float(float) => Cell::Real(float.value),
        BoltType::String(text) => Cell::Text(text.value),
        BoltType::Bytes(bytes) => Cell::Bytes(bytes.value.to_vec()),
        _ => return Err(Error::ConversionError),
    })
}
