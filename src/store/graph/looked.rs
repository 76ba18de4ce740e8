//! A label that a check looks at: found, its condition tried out, in a session that may take its time and write nothing.

use super::catalogue::{self, Label};
use super::condition;
use super::connect::GraphStore;
use super::name::property;
use super::session::{Params, Reading};
use crate::policy::dataset::DatasetName;
use crate::store::cell::Cell;
use crate::store::failure::StoreFailure;

/// A label and the nodes of it that count. Reads only.
#[derive(Debug)]
pub struct LookedLabel {
    session: Reading,
    label: Label,
    condition: Option<String>,
}

impl LookedLabel {
    /// Finds the label and tries the condition out.
    ///
    /// # Errors
    /// The store is away; there is no such label; the condition does not work there.
    pub async fn at(store: &GraphStore, who: &str, dataset: &DatasetName, condition: Option<&str>) -> Result<Self, StoreFailure> {
        let session = store.reading(who).await?;
        let label = catalogue::label(&session, dataset).await?;
        if let Some(text) = condition {
            condition::check(&session, &label, text, "the check").await?;
        }
        Ok(Self { session, label, condition: condition.map(str::to_owned) })
    }

    /// The label.
    pub const fn label(&self) -> &Label {
        &self.label
    }

    /// A property of the node `n`, quoted.
    ///
    /// # Errors
    /// No node of the store has one of that name; near names are suggested.
    pub async fn property(&self, name: &str) -> Result<String, StoreFailure> {
        catalogue::must_have(&self.session, &self.label, name).await?;
        Ok(property(name))
    }

    /// `MATCH (n:Label) WHERE …` for the nodes that count and meet these conditions too.
    pub fn matching(&self, also: &[String]) -> String {
        let own = self.condition.iter().map(|condition| format!("(\n{condition}\n)"));
        let all: Vec<String> = own.chain(also.iter().map(|condition| format!("({condition})"))).collect();
        let from = format!("MATCH {}", self.label.pattern());
        if all.is_empty() { from } else { format!("{from} WHERE {}", all.join(" AND ")) }
    }

    /// Counts the nodes that meet these conditions too, in the store, and says with which query.
    ///
    /// # Errors
    /// The store's own.
    pub async fn count(&self, also: &[String]) -> Result<(u64, String), StoreFailure> {
        // `count(n)` of a label alone is a number that the store keeps: a million nodes are not read for it.
        let cypher = format!("{} RETURN count(n)", self.matching(also));
        Ok((self.session.count(&format!("{cypher} AS c0"), vec![]).await?, cypher))
    }

    /// The rows of a statement, whose columns are named `c0`, `c1`, ….
    ///
    /// # Errors
    /// The store's own.
    pub async fn rows(&self, cypher: &str, params: Params) -> Result<Vec<Vec<Cell>>, StoreFailure> {
        self.session.rows(cypher, params).await
    }
}
