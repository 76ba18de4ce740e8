//! The predicates that decide which rows may go. The only way to build one takes the holds.

use crate::policy::hold::Hold;

/// The legal holds on a dataset, as conditions. Without this value no removing statement can be written (promise 4).
#[derive(Debug, Clone, Default)]
pub struct Holds {
    clauses: Vec<HoldClause>,
}

/// One legal hold, as far as a store needs it.
#[derive(Debug, Clone)]
pub(crate) struct HoldClause {
    pub name: String,
    /// The table or label that the hold names.
    pub of: String,
    /// The whole dataset when absent.
    pub condition: Option<String>,
    /// True for the rows that the hold is about at all; every row when absent. PostgreSQL's partitions alone need it.
    pub within: Option<String>,
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

    /// Each hold's own condition, to be tried out before it is trusted.
    pub fn conditions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.clauses.iter().filter_map(|clause| Some((clause.name.as_str(), clause.condition.as_deref()?)))
    }

    /// Each of them.
    pub(crate) fn clauses(&self) -> &[HoldClause] {
        &self.clauses
    }
}
