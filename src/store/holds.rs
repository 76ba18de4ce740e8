//! The predicates that decide which rows may go. The only way to build one takes the holds.

use super::neo4j::identifier::quote;
use super::sql::dialect::Dialect;
use crate::policy::hold::Hold;

/// The legal holds on a dataset, as conditions. Without this value no removing statement can be written (promise 4).
#[derive(Debug, Clone, Default)]
pub struct Holds {
    clauses: Vec<HoldClause>,
}

#[derive(Debug, Clone)]
struct HoldClause {
    name: String,
    /// The table or label that the hold names.
    of: String,
    /// The whole dataset when absent.
    condition: Option<String>,
    /// True for the rows that the hold is about at all; every row when absent. PostgreSQL's partitions alone need it.
    within: Option<String>,
}

impl Holds {
    /// The holds that apply, already chosen for the dataset: its own, and those of every dataset that feeds it.
    pub fn new<'a>(holds: impl IntoIterator<Item = &'a Hold>) -> Self {
        Self::within(holds.into_iter().map(|hold| (hold, None)))
    }

    /// The same, each with the condition of the rows that it is about at all, where those are not all.
    pub fn within<'a>(holds: impl IntoIterator<Item = (&'a Hold, Option<String>)>) -> Self {
        let clauses = holds.into_iter().map(|(hold, within)| HoldClause {
            name: hold.name.clone(),
            of: hold.dataset.table.clone(),
            condition: hold.r#where.clone(),
            within,
        });
        Self { clauses: clauses.collect() }
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.clauses.iter().map(|clause| clause.name.as_str())
    }

    /// Each hold's name with the condition that is true for the rows it keeps, unknown rows included.
    pub fn each(&self, dialect: Dialect) -> impl Iterator<Item = (&str, String)> {
        self.clauses.iter().map(move |clause| (clause.name.as_str(), format!("(NOT {})", clause.frees(dialect))))
    }

    /// Each hold's own condition, to be tried out before it is trusted.
    pub fn conditions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.clauses.iter().filter_map(|clause| Some((clause.name.as_str(), clause.condition.as_deref()?)))
    }

    /// True for rows that no hold keeps.
    pub fn free(&self, dialect: Dialect) -> String {
        if self.clauses.is_empty() {
            return "(1 = 1)".to_owned();
        }
        let free = self.clauses.iter().map(|clause| clause.frees(dialect));
        free.collect::<Vec<_>>().join(" AND ")
    }

    /// True for rows that some hold keeps.
    pub fn held(&self, dialect: Dialect) -> String {
        if self.clauses.is_empty() {
            return "(1 = 0)".to_owned();
        }
        format!("({})", self.each(dialect).map(|(_, held)| held).collect::<Vec<_>>().join(" OR "))
    }

    /// Each hold's name with the Cypher condition that is true for the nodes `n` it keeps, unknown ones included.
    ///
    /// A node has any number of labels: a hold on `Admin` keeps a `User` that is an `Admin` too.
    pub fn each_of_nodes(&self, label: &str) -> impl Iterator<Item = (&str, String)> {
        self.clauses.iter().map(move |clause| (clause.name.as_str(), format!("(NOT {})", clause.frees_node(label))))
    }

    /// Each hold's own condition over `n`, with the label it is about.
    pub fn node_conditions(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.clauses.iter().filter_map(|clause| Some((clause.name.as_str(), clause.of.as_str(), clause.condition.as_deref()?)))
    }

    /// True, in Cypher, for nodes `n` of a label that no hold keeps.
    pub fn free_nodes(&self, label: &str) -> String {
        let free: Vec<String> = self.clauses.iter().map(|clause| clause.frees_node(label)).collect();
        if free.is_empty() { "true".to_owned() } else { format!("({})", free.join(" AND ")) }
    }
}

impl HoldClause {
    /// True or false for a row of a table, never unknown: a condition that is unknown for a row does not free it.
    fn frees(&self, dialect: Dialect) -> String {
        let free = self.condition.as_ref().map_or("(1 = 0)".to_owned(), |condition| dialect.is_false(condition));
        match &self.within {
            None => free,
            Some(within) => format!("(NOT ({within}) OR {free})"),
        }
    }

    /// True or false, never unknown: a condition that is unknown for a node does not free it.
    fn frees_node(&self, label: &str) -> String {
        let free = self.condition.as_ref().map_or("false".to_owned(), |c| format!("coalesce(NOT (\n{c}\n), false)"));
        if self.of == label { free } else { format!("(NOT n:{} OR {free})", quote(&self.of)) }
    }
}
