//! Legal holds as conditions of Cypher.

use super::identifier::quote;
use crate::store::holds::{HoldClause, Holds};

impl Holds {
    /// Each hold's name with the Cypher condition that is true for the nodes `n` it keeps, unknown ones included.
    ///
    /// A node has any number of labels: a hold on `Admin` keeps a `User` that is an `Admin` too.
    pub fn each_of_nodes(&self, label: &str) -> impl Iterator<Item = (&str, String)> {
        self.clauses().iter().map(move |clause| (clause.name.as_str(), format!("(NOT {})", clause.frees_node(label))))
    }

    /// Each hold's own condition over `n`, with the label it is about.
    pub fn node_conditions(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.clauses().iter().filter_map(|clause| Some((clause.name.as_str(), clause.of.as_str(), clause.condition.as_deref()?)))
    }

    /// True, in Cypher, for nodes `n` of a label that no hold keeps.
    pub fn free_nodes(&self, label: &str) -> String {
        let free: Vec<String> = self.clauses().iter().map(|clause| clause.frees_node(label)).collect();
        if free.is_empty() { "true".to_owned() } else { format!("({})", free.join(" AND ")) }
    }
}

impl HoldClause {
    /// True or false, never unknown: a condition that is unknown for a node does not free it.
    fn frees_node(&self, label: &str) -> String {
        let free = self.condition.as_ref().map_or("false".to_owned(), |c| format!("coalesce(NOT (\n{c}\n), false)"));
        if self.of == label { free } else { format!("(NOT n:{} OR {free})", quote(&self.of)) }
    }
}
