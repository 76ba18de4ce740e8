//! A table that a check looks at: found in the catalogue, its condition tried out, in a session that may take its time.

use super::cell::Cell;
use super::connect::Store;
use super::dialect::Dialect;
use super::failure::StoreFailure;
use super::session::Session;
use super::table::Table;
use super::{catalogue, condition};
use crate::policy::dataset::DatasetName;

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
        let table = catalogue::must_find(&mut session, dataset).await?;
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

    /// The rows of a statement.
    ///
    /// # Errors
    /// The store's own.
    pub async fn rows(&mut self, sql: &str, binds: &[Cell]) -> Result<Vec<Vec<Cell>>, StoreFailure> {
        self.session.rows(sql, binds).await
    }
}
