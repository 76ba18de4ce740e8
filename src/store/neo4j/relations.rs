//! Relations that say the same twice.

use super::catalog;
use super::condition;
use super::identifier::quote;
use super::store::GraphStore;
use crate::store::error::StoreFailure;
use crate::store::value::Cell;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicates {
    /// Relations beyond the first of those that say the same.
    pub beyond: u64,
    /// All relations of these types.
    pub of: u64,
    /// A few: the type, how often, and the store's own ids of both ends, which say nothing of whom they are about.
    pub samples: Vec<String>,
    /// The statement that counts again.
    pub query: String,
}

impl GraphStore {
    /// Relations of these types beyond the first between the same two nodes in the same direction, that agree in these
    /// properties too. Counted in the store, node by node, so that its memory holds the relations of one node at a time.
    /// `condition` is over the node `n` where they begin.
    ///
    /// # Errors
    /// No relation is of that type, and another is near; the condition does not work; the store's own.
    pub async fn duplicate_relations(
        &self,
        who: &str,
        types: &[String],
        by: &[String],
        condition: Option<&str>,
        samples: u32,
    ) -> Result<Duplicates, StoreFailure> {
        let session = self.reading(who).await?;
        for kind in types {
            catalog::must_have_type(&session, kind).await?;
        }
        let from = match condition {
            None => String::new(),
            Some(text) => {
                condition::check_any(&session, text, "the check").await?;
                format!(" AND (\n{text}\n)")
            }
        };
        let mut found = Duplicates { beyond: 0, of: 0, samples: vec![], query: String::new() };
        let types_of = types.iter().map(|kind| quote(kind)).collect::<Vec<_>>().join("|");
        let apart: String = by.iter().enumerate().map(|(at, name)| format!(", r.{} AS b{at}", quote(name))).collect();
        let alike = format!(
            "MATCH (n) WHERE (n)-[:{types_of}]->(){from} CALL {{ WITH n MATCH (n)-[r:{types_of}]->(m) \
             WITH n, m, type(r) AS kind{apart}, count(r) AS often"
        );
        found.query =
            format!("{alike} RETURN sum(often - 1) AS beyond, sum(often) AS total }} RETURN sum(beyond) AS c0, sum(total) AS c1");
        let row = session.rows(&found.query, vec![]).await?.into_iter().next().unwrap_or_default();
        let count = |at: usize| row.get(at).map_or(0, Cell::as_count);
        (found.beyond, found.of) = (count(0), count(1));
        if found.beyond > 0 && samples > 0 {
            let some = format!(
                "{alike} WHERE often > 1 RETURN m, kind, often }} RETURN kind AS c0, often AS c1, elementId(n) AS c2, elementId(m) AS c3 LIMIT {samples}"
            );
            for row in session.rows(&some, vec![]).await? {
                let told: Vec<String> = row.iter().map(Cell::shown).collect();
                if let [kind, often, from, to] = told.as_slice() {
                    found.samples.push(format!("{kind}: {often} times from node {from} to node {to}"));
                }
            }
        }
        Ok(found)
    }
}
