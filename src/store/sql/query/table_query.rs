//! A table that a check looks at: found in the catalogue, its condition tried out, in a session that may take its time.

use super::condition;
use crate::policy::dataset::DatasetName;
use crate::store::answer::{NamedRows, Share};
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::catalog;
use crate::store::sql::schema::table::{Column, Table};
use crate::store::sql::session::connection::Session;
use crate::store::sql::session::store::Store;
use crate::store::value::Cell;

/// A table and the rows of it that count. Reads only.
pub struct Looked {
    session: Session,
    table: Table,
    condition: Option<String>,
}

impl Looked {
    /// Finds the table and tries the condition out.
    ///
    /// # Errors
    /// The store is away; there is no such table; the condition does not work there.
    pub async fn at(store: &Store, who: &str, dataset: &DatasetName, condition: Option<&str>) -> Result<Self, StoreFailure> {
        let mut session = store.reading(who).await?;
        let table = catalog::must_find(&mut session, dataset).await?;
        if let Some(text) = condition {
            condition::check(&mut session, &table, text, "the check").await?;
        }
        Ok(Self { session, table, condition: condition.map(str::to_owned) })
    }

    /// The table.
    pub const fn table(&self) -> &Table {
        &self.table
    }

    /// How the store speaks.
    pub fn dialect(&self) -> Dialect {
        self.session.dialect()
    }

    /// A column of the table, quoted and qualified.
    ///
    /// # Errors
    /// There is no such column; near names are suggested.
    pub fn column(&self, name: &str) -> Result<String, StoreFailure> {
        let column = self.table.column(name)?;
        Ok(format!("{}.{}", self.dialect().table(&self.table), self.dialect().quote(&column.name)))
    }

    /// ` FROM table WHERE …` for the rows that count and meet these conditions too.
    pub fn from_where(&self, also: &[String]) -> String {
        let own = self.condition.iter().map(|condition| format!("({condition})"));
        let all: Vec<String> = own.chain(also.iter().map(|condition| format!("({condition})"))).collect();
        let from = format!(" FROM {}", self.dialect().table(&self.table));
        if all.is_empty() { from } else { format!("{from} WHERE {}", all.join(" AND ")) }
    }

    /// Counts the rows that meet these conditions too, and says with which query.
    ///
    /// # Errors
    /// The store's own.
    pub async fn count(&mut self, also: &[String]) -> Result<(u64, String), StoreFailure> {
        let sql = format!("SELECT COUNT(*){}", self.from_where(also));
        Ok((self.session.count(&sql, &[]).await?, sql))
    }

    /// Of the rows that meet `of` how many meet `bad` too, and the statement that says both: the bad ones first.
    ///
    /// One statement, so that the part is never larger than the whole.
    ///
    /// # Errors
    /// The store's own.
    pub async fn share(&mut self, bad: &str, of: &[String]) -> Result<Share, StoreFailure> {
        let query = format!("SELECT COUNT(CASE WHEN ({bad}) THEN 1 END), COUNT(*){}", self.from_where(of));
        let row = self.session.rows(&query, &[]).await?.into_iter().next().unwrap_or_default();
        let count = |at: usize| row.get(at).map_or(0, Cell::as_count);
        Ok(Share { bad: count(0), of: count(1), query })
    }

    /// The key and these columns of a few rows that meet these conditions too: the columns' names, and the rows.
    ///
    /// A table without a usable key gives the columns alone.
    ///
    /// # Errors
    /// There is no such column; the store's own.
    pub async fn some(&mut self, also: &[String], columns: &[&str], limit: u32) -> Result<NamedRows, StoreFailure> {
        let mut wanted: Vec<Column> = self.table.key().unwrap_or_default().into_iter().cloned().collect();
        for name in columns {
            let column = self.table.column(name)?;
            if !wanted.contains(column) {
                wanted.push(column.clone());
            }
        }
        let path = self.dialect().table(&self.table);
        let list: Vec<_> = wanted.iter().map(|column| self.dialect().outgoing(&path, column)).collect();
        let sql = format!("SELECT {}{} LIMIT {limit}", list.join(", "), self.from_where(also));
        let rows = self.session.rows(&sql, &[]).await?;
        Ok(NamedRows { columns: wanted.into_iter().map(|column| column.name).collect(), rows })
    }

    /// Begins to read the store as it is now, in two sessions of a SQLite file; false where they did not find it in one state.
    ///
    /// # Errors
    /// The store's own.
    pub async fn begin_together(&mut self, other: &mut Self) -> Result<bool, StoreFailure> {
        // Counts what others commit. Read before the first snapshot and in the second one, it tells of anything in between.
        const STATE: &str = "PRAGMA data_version";
        let touch = format!("SELECT 1{} LIMIT 1", self.from_where(&[]));
        let before = other.rows(STATE, &[]).await?;
        for session in [&mut *self, &mut *other] {
            session.session.begin_snapshot().await?;
            session.rows(&touch, &[]).await?;
        }
        Ok(other.rows(STATE, &[]).await? == before)
    }

    /// The session, for what a kind asks on its own.
    pub const fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// The rows of a statement.
    ///
    /// # Errors
    /// The store's own.
    pub async fn rows(&mut self, sql: &str, binds: &[Cell]) -> Result<Vec<Vec<Cell>>, StoreFailure> {
        self.session.rows(sql, binds).await
    }

    /// The rows of a statement that may give many, one by one.
    ///
    /// # Errors
    /// The store's own. What was shown before it stays shown.
    pub async fn each(&mut self, sql: &str, see: impl FnMut(Vec<Cell>)) -> Result<(), StoreFailure> {
        self.session.each(sql, &[], see).await
    }
}
