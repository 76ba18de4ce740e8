//! What can be removed for good: rows of a table, nodes of a label. The one place where removal tells stores apart.

use super::batch_mark::{BatchesOf, Found};
use super::cutoff::Cutoff;
use super::error::StoreFailure;
use super::holds::Holds;
use super::neo4j::nodes::Nodes;
use super::page::Page;
use super::registry::{AnyStore, Stores};
use super::sql::batch::rows::Rows;
use super::sql::batch::transfer::Carried;
use super::survey_source::Walk;
use crate::policy::dataset::DatasetName;
use crate::policy::lifecycle::{Cascade, Lifecycle};

/// Rows or nodes that a policy dates by a clock and cuts at an instant.
#[derive(Debug, Clone)]
pub enum Removable {
    /// Rows of a table.
    Rows(Box<Rows>),
    /// Nodes of a label.
    Nodes(Box<Nodes>),
}

impl Removable {
    /// Finds them, and checks every condition; touches nothing.
    ///
    /// # Errors
    /// What is declared cannot work there; the store's own.
    pub async fn prepare(
        stores: &Stores,
        who: &str,
        dataset: &DatasetName,
        policy: &Lifecycle,
        cutoff: Cutoff,
        holds: &Holds,
    ) -> Result<Self, StoreFailure> {
        if let AnyStore::Graph(store) = stores.any(&dataset.store)? {
            return Ok(Self::Nodes(Box::new(Nodes::prepare(store, who, dataset, policy, cutoff, holds).await?)));
        }
        let (clock, condition) = (&policy.clock, policy.r#where.as_deref());
        let rows = Rows::prepare(stores.get(&dataset.store)?, who, dataset, clock, cutoff, condition, holds).await?;
        Ok(Self::Rows(Box::new(rows.guarded_by(policy.guard))))
    }

    /// The same, ready to be removed: see [`Rows::removing`].
    ///
    /// # Errors
    /// As there.
    pub async fn removing(self, cascade: Cascade, holds: &Holds) -> Result<Self, StoreFailure> {
        Ok(match self {
            Self::Rows(rows) => Self::Rows(Box::new(rows.removing(None, cascade, holds).await?)),
            Self::Nodes(nodes) => {
                nodes.refuse_read_only().await?;
                Self::Nodes(nodes)
            }
        })
    }

    /// The rows, where they are rows.
    pub fn rows(&self) -> Option<&Rows> {
        match self {
            Self::Rows(rows) => Some(rows),
            Self::Nodes(_) => None,
        }
    }

    /// The same, whose batches leave a mark.
    #[must_use]
    pub fn with_batches(self, of: BatchesOf) -> Self {
        match self {
            Self::Rows(rows) => Self::Rows(Box::new(rows.with_batches(of))),
            Self::Nodes(nodes) => Self::Nodes(Box::new(nodes.with_batches(of))),
        }
    }

    /// Makes what batches leave their mark in; see [`Rows::begin_batches`].
    ///
    /// # Errors
    /// The cutoff is counted from a time that has not come; the store is away.
    pub async fn begin_batches(&self) -> Result<Vec<(String, String)>, StoreFailure> {
        match self {
            Self::Rows(rows) => rows.begin_batches().await,
            Self::Nodes(nodes) => nodes.begin_batches().await,
        }
    }

    /// The mark that the next batch will replace.
    pub fn last_batch(&self) -> Option<String> {
        match self {
            Self::Rows(rows) => rows.last_batch(),
            Self::Nodes(nodes) => nodes.last_batch(),
        }
    }

    /// What became of a batch that was begun where the mark was `before`.
    ///
    /// # Errors
    /// Busy while its transaction is under way.
    pub async fn settle(&self, batch: &str, before: Option<&str>) -> Result<Found, StoreFailure> {
        match self {
            Self::Rows(rows) => rows.settle(batch, before).await,
            Self::Nodes(nodes) => nodes.settle(batch, before).await,
        }
    }

    /// What is looked at.
    pub fn walk(&self) -> Walk<'_> {
        match self {
            Self::Rows(rows) => Walk::Rows(rows),
            Self::Nodes(nodes) => Walk::Nodes(nodes),
        }
    }

    /// Removes those of a page that still may go, in one transaction.
    ///
    /// # Errors
    /// Busy means: rolled back, try again.
    pub async fn remove(&self, page: &Page, batch: &str, holds: &Holds) -> Result<Carried, StoreFailure> {
        match self {
            Self::Rows(rows) => rows.remove(page, batch, holds).await,
            Self::Nodes(nodes) => {
                let done = nodes.remove(page, batch, holds).await?;
                Ok(Carried { removed: done.removed, changed: done.changed, ..Carried::default() })
            }
        }
    }

    /// The statements of one batch in their order.
    pub fn batch_statements(&self, holds: &Holds) -> Vec<String> {
        match self {
            Self::Rows(rows) => rows.batch_sql(None, holds),
            Self::Nodes(nodes) => nodes.batch_statements(holds),
        }
    }

    /// The grants for removing them.
    pub fn grants(&self) -> Vec<String> {
        match self {
            Self::Rows(rows) => rows.grants(None),
            Self::Nodes(nodes) => nodes.grants(),
        }
    }
}
