//! The values of a property, for references between stores: in order and a few at a time, or whether these are there.
//!
//! Ids are compared as text in their canonical form: integers in decimal, texts as they are.

use super::label_query::LookedLabel;
use super::session::Param;
use crate::store::error::StoreFailure;
use crate::store::value::Cell;
use std::collections::HashSet;

/// Values that are asked for at once.
pub const PAGE: usize = 10_000;

/// What is read of one kind of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdKind {
    /// Integers, in the order of numbers.
    Number,
    /// Texts, in the order of their code points.
    Text,
}

/// The values of a property in their own order, each once, a page at a time: memory does not grow with the label.
#[derive(Debug)]
pub struct SortedIds {
    looked: LookedLabel,
    property: String,
    kind: IdKind,
    last: Option<Cell>,
    ended: bool,
}

impl SortedIds {
    /// From the first one on. Nodes without the property are none of it; values of the other kind neither, see
    /// [`Self::strangers`].
    ///
    /// # Errors
    /// No node has such a property; the store's own.
    pub async fn of(looked: LookedLabel, property: &str, kind: IdKind) -> Result<Self, StoreFailure> {
        let property = looked.property(property).await?;
        Ok(Self { looked, property, kind, last: None, ended: false })
    }

    /// How many nodes have a value that is neither an integer nor a text of this kind, and so is in no page.
    ///
    /// # Errors
    /// The store's own.
    pub async fn strangers(&self) -> Result<u64, StoreFailure> {
        let other = format!("{0} IS NOT NULL AND NOT {0} IS :: {1}", self.property, self.kind.word());
        Ok(self.looked.count(&[other]).await?.0)
    }

    /// The next page; empty once there are no more.
    ///
    /// # Errors
    /// The store's own.
    pub async fn page(&mut self) -> Result<Vec<String>, StoreFailure> {
        if self.ended {
            return Ok(vec![]);
        }
        let mut also = vec![format!("{} IS :: {} NOT NULL", self.property, self.kind.word())];
        let mut params = vec![];
        if let Some(last) = &self.last {
            // Compares with values of its own kind alone, and lets the store follow an index from there.
            also.push(format!("{} > $last", self.property));
            params.push(("last", Param::One(last.clone())));
        }
        let cypher = format!("{} RETURN DISTINCT {} AS c0 ORDER BY c0 LIMIT {PAGE}", self.looked.matching(&also), self.property);
        let cells: Vec<Cell> = self.looked.rows(&cypher, params).await?.into_iter().flatten().collect();
        self.ended = cells.len() < PAGE;
        self.last = cells.last().cloned().or(self.last.take());
        Ok(cells.iter().map(Cell::shown).collect())
    }
}

impl IdKind {
    /// The kind of most of a label's values: texts when there is any, else integers.
    ///
    /// # Errors
    /// No node has such a property; the store's own.
    pub async fn of(looked: &LookedLabel, property: &str) -> Result<Self, StoreFailure> {
        let name = looked.property(property).await?;
        let cypher = format!("{} RETURN 1 AS c0 LIMIT 1", looked.matching(&[format!("{name} IS :: STRING NOT NULL")]));
        Ok(if looked.rows(&cypher, vec![]).await?.is_empty() { Self::Number } else { Self::Text })
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Number => "INTEGER",
            Self::Text => "STRING",
        }
    }
}

/// Which of these ids some node that counts has, as an integer or as a text. One look-up for all of them.
///
/// # Errors
/// No node has such a property; the store's own.
pub async fn present(looked: &LookedLabel, property: &str, ids: &[String]) -> Result<HashSet<String>, StoreFailure> {
    let name = looked.property(property).await?;
    let mut found = HashSet::new();
    for some in ids.chunks(PAGE) {
        let texts = some.iter().map(|id| Cell::Text(id.clone()));
        // `007` is a text and not the number 7: only what is written as numbers are can be one.
        let numbers =
            some.iter().filter_map(|id| id.parse::<i64>().ok().filter(|number| number.to_string() == *id).map(Cell::Int));
        let ids: Vec<Cell> = texts.chain(numbers).collect();
        // A list, not a row for each: without an index the label is read once for all of them, and not once for each.
        let among = looked.matching(&[format!("{name} IN $ids")]);
        let cypher = format!("{among} RETURN DISTINCT toString({name}) AS c0");
        let rows = looked.rows(&cypher, vec![("ids", Param::List(ids))]).await?;
        found.extend(rows.into_iter().flatten().map(|cell| cell.shown()));
    }
    Ok(found)
}
