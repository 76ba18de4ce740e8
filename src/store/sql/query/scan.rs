//! All rows of a table that count, in pages along its key: what a worker must see itself, in bounded memory.

use super::table_query::Looked;
use crate::store::error::StoreFailure;
use crate::store::sql::batch::keyset::Keyset;
use crate::store::sql::batch::rows;
use crate::store::sql::schema::table::Column;
use crate::store::value::{Cell, Cursor};

/// Rows on a page.
const PAGE: usize = 5_000;

/// A place in a scan along the key.
#[derive(Debug, Clone)]
pub struct Scan {
    key: Vec<Column>,
    also: Vec<String>,
    wanted: Vec<String>,
    behind: Option<Cursor>,
    done: bool,
}

/// A row of a scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Scanned {
    /// Its key, as text that goes back unchanged.
    pub key: Vec<Cell>,
    /// What was wanted of it.
    pub cells: Vec<Cell>,
}

impl Looked {
    /// A scan of the rows that meet these conditions too, for these expressions. Every row that stays is seen once; one that
    /// comes or goes meanwhile may be seen or not.
    ///
    /// # Errors
    /// The table has no usable key.
    pub async fn scan(&mut self, also: &[String], wanted: &[String]) -> Result<Scan, StoreFailure> {
        let table = self.table().clone();
        let key: Vec<Column> = table.key()?.into_iter().cloned().collect();
        rows::refuse_unnamed_rows(self.session(), &table, &key).await?;
        Ok(Scan { key, also: also.to_vec(), wanted: wanted.to_vec(), behind: None, done: false })
    }

    /// The names of the columns that a walk goes along; none where there is no usable key.
    pub fn key_names(&self) -> Vec<String> {
        self.table().key().unwrap_or_default().into_iter().map(|column| column.name.clone()).collect()
    }
}

impl Scan {
    /// The next page; none when all was seen.
    ///
    /// # Errors
    /// The store's own.
    pub async fn next(&mut self, looked: &mut Looked) -> Result<Option<Vec<Scanned>>, StoreFailure> {
        if self.done {
            return Ok(None);
        }
        let (sql, binds) = self.sql(looked);
        let rows = looked.rows(&sql, &binds).await?;
        self.done = rows.len() < PAGE;
        let split = |mut row: Vec<Cell>| {
            let cells = row.split_off(self.key.len());
            Scanned { key: row, cells }
        };
        let page: Vec<Scanned> = rows.into_iter().map(split).collect();
        self.behind = page.last().map(|row| row.key.clone());
        Ok((!page.is_empty()).then_some(page))
    }

    fn sql(&self, looked: &Looked) -> (String, Vec<Cell>) {
        let (dialect, path) = (looked.dialect(), looked.dialect().table(looked.table()));
        let mut binds = vec![];
        let mut conditions = self.also.clone();
        if let Some(cursor) = &self.behind {
            let columns: Vec<&Column> = self.key.iter().collect();
            conditions.push(Keyset { dialect, path: &path, columns: &columns }.behind(cursor, &mut binds));
        }
        let key = self.key.iter().map(|column| dialect.outgoing(&path, column));
        let order: Vec<_> = self.key.iter().map(|column| format!("{path}.{}", dialect.quote(&column.name))).collect();
        let wanted: Vec<_> = key.chain(self.wanted.iter().cloned()).collect();
        let sql =
            format!("SELECT {}{} ORDER BY {} LIMIT {PAGE}", wanted.join(", "), looked.from_where(&conditions), order.join(", "));
        (sql, binds)
    }
}
