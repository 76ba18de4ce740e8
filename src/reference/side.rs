//! One side of a reference, whatever store it is in.

use super::neo4j::GraphSide;
use super::redis::KeysSide;
use super::sql::TableSide;
use super::stream::{IdStream, Keyed};
use crate::diagnostic::codes;
use crate::policy::checks::field::ReferenceEnd;
use crate::store::error::StoreFailure;
use crate::store::registry::{AnyStore, Stores};
use crate::store::sql::schema::id_column::IdKind;
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use tokio::task::JoinSet;

/// One side of a reference: it can be read in order, and asked.
#[derive(Debug, Clone)]
pub enum Side {
    /// A column.
    Table(Box<TableSide>),
    /// Ids in the names of keys.
    Keys(Box<KeysSide>),
    /// A property of nodes.
    Graph(Box<GraphSide>),
}

impl Side {
    /// Finds the side, tries its condition out, and finds what dates its things where only older ones count.
    ///
    /// # Errors
    /// The store is away; there is no such table or column; condition or clock do not work there.
    pub async fn at(
        stores: &Stores,
        who: &str,
        end: &ReferenceEnd,
        settled_before: Option<DateTime<Utc>>,
    ) -> Result<Self, StoreFailure> {
        let field = &end.field;
        match (stores.any(&field.dataset.store)?, &field.column) {
            (AnyStore::Tables(store), Some(column)) => {
                Ok(Self::Table(Box::new(TableSide::at(store, who, end, column, settled_before).await?)))
            }
            (AnyStore::Keys(store), None) => Ok(Self::Keys(Box::new(KeysSide::at(store, who, end).await?))),
            (AnyStore::Graph(store), Some(property)) => {
                Ok(Self::Graph(Box::new(GraphSide::at(store, who, end, property, settled_before).await?)))
            }
            (other, _) => Err(StoreFailure::refused(
                codes::WRONG_FAMILY,
                format!("`{field}` names no ids of a store that holds {}; nothing was compared", other.data_model().holds()),
                "write `core.users.id`, `graph.User.id` or `cache.cache:user:{id}`",
            )),
        }
    }

    /// What its ids are.
    pub const fn id(&self) -> IdKind {
        match self {
            Self::Table(side) => side.id(),
            // Numbers and texts as they are.
            Self::Keys(_) | Self::Graph(_) => IdKind::Text,
        }
    }

    /// True when something dates its things, so that young ones can be told apart at once.
    pub const fn is_dated(&self) -> bool {
        match self {
            Self::Table(side) => side.is_dated(),
            Self::Keys(_) => false,
            Self::Graph(side) => side.is_dated(),
        }
    }

    /// What a person should know about how it is read.
    pub fn notes(&self) -> &[String] {
        match self {
            Self::Table(side) => side.notes(),
            Self::Keys(side) => side.notes(),
            Self::Graph(side) => side.notes(),
        }
    }

    /// Things that were read and whose value cannot be read as an id; known once all of it was read.
    pub fn unreadable(&self) -> u64 {
        match self {
            Self::Table(_) => 0,
            Self::Keys(side) => side.unreadable(),
            Self::Graph(side) => side.unreadable(),
        }
    }

    /// All things of the side, with an id or without. Reads only.
    ///
    /// # Errors
    /// The store's own.
    pub async fn things(&self) -> Result<u64, StoreFailure> {
        match self {
            Self::Table(side) => side.things().await,
            // Of names that give no id those of other patterns are none of it.
            Self::Keys(side) => Ok(side.unreadable()),
            Self::Graph(side) => side.things().await,
        }
    }

    /// True when its ids come in the order that both sides share; else they are sorted.
    pub const fn is_in_order(&self) -> bool {
        match self {
            Self::Table(side) => side.is_in_order(),
            Self::Keys(_) => false,
            Self::Graph(side) => side.is_in_order(),
        }
    }

    /// All its ids as they come; read by tasks that end with the set.
    pub fn stream(&self, keyed: Keyed, tasks: &mut JoinSet<()>) -> IdStream {
        match self {
            Self::Table(side) => side.stream(keyed, tasks),
            Self::Keys(side) => side.stream(keyed, tasks),
            Self::Graph(side) => side.stream(keyed, tasks),
        }
    }

    /// Those of the ids that are there; when `settled`, only the ones that are old enough to count.
    ///
    /// # Errors
    /// The store's own.
    pub async fn present(&self, ids: &[String], keyed: Keyed, settled: bool) -> Result<HashSet<String>, StoreFailure> {
        match self {
            Self::Table(side) => side.present(ids, keyed, settled).await,
            Self::Keys(side) => side.present(ids, keyed, settled).await,
            Self::Graph(side) => side.present(ids, keyed, settled).await,
        }
    }
}
