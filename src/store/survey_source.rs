//! What can be looked at before anything is touched: rows of a table, nodes of a label.

use super::error::StoreFailure;
use super::holds::Holds;
use super::neo4j::nodes::Nodes;
use super::page::{Keeps, Page};
use super::sql::batch::rows::Rows;
use super::survey::Survey;
use super::value::Cursor;
use crate::policy::dataset::DatasetName;

/// Rows or nodes under one policy, walked page by page.
#[derive(Debug, Clone, Copy)]
pub enum Walk<'a> {
    /// Rows of a table.
    Rows(&'a Rows),
    /// Nodes of a label.
    Nodes(&'a Nodes),
}

impl<'a> From<&'a Rows> for Walk<'a> {
    fn from(rows: &'a Rows) -> Self {
        Self::Rows(rows)
    }
}

impl Walk<'_> {
    /// The dataset's name for messages.
    pub fn shown(&self) -> String {
        match self {
            Self::Rows(rows) => rows.table().label(),
            Self::Nodes(nodes) => nodes.shown(),
        }
    }

    /// True where a lock is one on rows, and not on the whole store.
    pub fn locks_rows(&self) -> bool {
        match self {
            Self::Rows(rows) => rows.dialect.locks_rows(),
            Self::Nodes(_) => true,
        }
    }

    /// The index that finds them, by the store's own word.
    pub fn index(&self) -> Option<&str> {
        match self {
            Self::Rows(rows) => rows.index(),
            Self::Nodes(nodes) => nodes.index(),
        }
    }

    /// What a person should know before it runs, each with the way out if there is one.
    pub fn notes(&self) -> Vec<(String, String)> {
        match self {
            Self::Rows(rows) => rows.notes(),
            Self::Nodes(nodes) => nodes.notes().to_vec(),
        }
    }

    /// The statement that counts what is due again (promise 12).
    pub fn due_query(&self) -> String {
        match self {
            Self::Rows(rows) => rows.due_query(),
            Self::Nodes(nodes) => nodes.due_query(),
        }
    }

    /// The statement that finds a page; shown by `plan --sql`.
    pub fn page_statement(&self, limit: u64, holds: &Holds) -> String {
        match self {
            Self::Rows(rows) => rows.page_sql(None, limit, holds).0,
            Self::Nodes(nodes) => nodes.page_statement(None, limit, holds).0,
        }
    }

    /// What must stay the same for a stopped pass to go on.
    pub fn fingerprint(&self) -> String {
        match self {
            Self::Rows(rows) => rows.fingerprint(),
            Self::Nodes(nodes) => nodes.fingerprint(),
        }
    }

    /// Which places of the walk may be written down.
    pub fn keeps(&self, is_secret: &dyn Fn(&str) -> bool) -> Keeps {
        match self {
            Self::Rows(rows) => rows.keeps(is_secret),
            Self::Nodes(nodes) => nodes.keeps(is_secret),
        }
    }

    /// Counts what is there. Reads only.
    ///
    /// # Errors
    /// The store's own.
    pub async fn count(&self, holds: &Holds) -> Result<Survey, StoreFailure> {
        match self {
            Self::Rows(rows) => rows.count(holds).await,
            Self::Nodes(nodes) => nodes.count(holds).await,
        }
    }

    /// The next due ones behind `cursor`, at most `limit`; `None` when there are no more. Reads only.
    ///
    /// # Errors
    /// The store's own.
    pub async fn page(&self, cursor: Option<&Cursor>, limit: u64, holds: &Holds) -> Result<Option<Page>, StoreFailure> {
        match self {
            Self::Rows(rows) => rows.page(cursor, limit, holds).await,
            Self::Nodes(nodes) => nodes.page(cursor, limit, holds).await,
        }
    }

    /// Every dataset of which something would go or change along. Reads only.
    ///
    /// # Errors
    /// The store's own.
    pub async fn taken_along(&self) -> Result<Vec<DatasetName>, StoreFailure> {
        match self {
            Self::Rows(rows) => rows.taken_along().await,
            Self::Nodes(nodes) => nodes.taken_along().await,
        }
    }
}
