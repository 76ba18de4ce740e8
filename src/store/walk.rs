//! What can be looked at before anything is touched, and settled afterwards: rows of a table, nodes of a label.

use super::cell::Cursor;
use super::failure::StoreFailure;
use super::graph::nodes::Nodes;
use super::holds::Holds;
use super::page::Keeps;
use super::rows::Rows;
use crate::policy::dataset::DatasetName;
use std::future::Future;

/// Rows or nodes under one policy, walked page by page.
pub trait Walk: Send + Sync {
    /// The dataset's name for messages.
    fn shown(&self) -> String;
    /// The index that finds them, by the store's own word.
    fn index(&self) -> Option<&str>;
    /// What a person should know before it runs, each with the way out if there is one.
    fn notes(&self) -> Vec<(String, String)>;
    /// The statement that counts what is due again.
    fn due_query(&self) -> String;
    /// The statement that finds a page; shown by `plan --sql`.
    fn page_statement(&self, limit: u64, holds: &Holds) -> String;
    /// What must stay the same for a stopped pass to go on.
    fn fingerprint(&self) -> String;
    /// Which places of the walk may be written down.
    fn keeps(&self, is_secret: &dyn Fn(&str) -> bool) -> Keeps;
    /// How many that may go stand between two places of the walk, both included, once whoever changes one of them meanwhile
    /// has come to an end. Changes nothing.
    fn between(&self, from: &Cursor, to: &Cursor, holds: &Holds) -> impl Future<Output = Result<u64, StoreFailure>> + Send;
    /// Every dataset of which something would go or change along. Reads only.
    fn taken_along(&self) -> impl Future<Output = Result<Vec<DatasetName>, StoreFailure>> + Send;
}

impl Walk for Rows {
    fn shown(&self) -> String {
        self.table().label()
    }

    fn index(&self) -> Option<&str> {
        self.index()
    }

    fn notes(&self) -> Vec<(String, String)> {
        self.notes()
    }

    fn due_query(&self) -> String {
        self.due_query()
    }

    fn page_statement(&self, limit: u64, holds: &Holds) -> String {
        self.page_sql(None, limit, holds).0
    }

    fn fingerprint(&self) -> String {
        self.fingerprint()
    }

    fn keeps(&self, is_secret: &dyn Fn(&str) -> bool) -> Keeps {
        self.keeps(is_secret)
    }

    async fn between(&self, from: &Cursor, to: &Cursor, holds: &Holds) -> Result<u64, StoreFailure> {
        self.between(from, to, holds).await
    }

    async fn taken_along(&self) -> Result<Vec<DatasetName>, StoreFailure> {
        self.taken_along().await
    }
}

impl Walk for Nodes {
    fn shown(&self) -> String {
        self.shown()
    }

    fn index(&self) -> Option<&str> {
        self.index()
    }

    fn notes(&self) -> Vec<(String, String)> {
        self.notes().to_vec()
    }

    fn due_query(&self) -> String {
        self.due_query()
    }

    fn page_statement(&self, limit: u64, holds: &Holds) -> String {
        self.page_statement(None, limit, holds).0
    }

    fn fingerprint(&self) -> String {
        self.fingerprint()
    }

    fn keeps(&self, is_secret: &dyn Fn(&str) -> bool) -> Keeps {
        self.keeps(is_secret)
    }

    async fn between(&self, from: &Cursor, to: &Cursor, holds: &Holds) -> Result<u64, StoreFailure> {
        self.between(from, to, holds).await
    }

    async fn taken_along(&self) -> Result<Vec<DatasetName>, StoreFailure> {
        self.taken_along().await
    }
}
