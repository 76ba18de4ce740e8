//! The predicates that decide which rows may go. The only way to build one takes the holds.

use super::dialect::Dialect;
use crate::policy::hold::Hold;

/// The legal holds on a dataset, as conditions. Without this value no removing statement can be written (promise 4).
#[derive(Debug, Clone, Default)]
pub struct Holds {
    clauses: Vec<HoldClause>,
}

#[derive(Debug, Clone)]
struct HoldClause {
    name: String,
    /// The whole dataset when absent.
    condition: Option<String>,
}

impl Holds {
    /// The holds that apply, already chosen for the dataset: its own, and those of every dataset that feeds it.
    pub fn new<'a>(holds: impl IntoIterator<Item = &'a Hold>) -> Self {
        let clauses = holds.into_iter().map(|hold| HoldClause { name: hold.name.clone(), condition: hold.r#where.clone() });
        Self { clauses: clauses.collect() }
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.clauses.iter().map(|clause| clause.name.as_str())
    }

    /// Each hold's name with the condition that is true for the rows it keeps, unknown rows included.
    pub fn each(&self, dialect: Dialect) -> impl Iterator<Item = (&str, String)> {
        self.clauses.iter().map(move |clause| {
            let held = clause
                .condition
                .as_ref()
                .map_or("(1 = 1)".to_owned(), |condition| format!("(NOT {})", dialect.is_false(condition)));
            (clause.name.as_str(), held)
        })
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
        let free =
            self.clauses.iter().map(|clause| clause.condition.as_ref().map_or("(1 = 0)".to_owned(), |c| dialect.is_false(c)));
        free.collect::<Vec<_>>().join(" AND ")
    }

    /// True for rows that some hold keeps.
    pub fn held(&self, dialect: Dialect) -> String {
        if self.clauses.is_empty() {
            return "(1 = 0)".to_owned();
        }
        format!("({})", self.each(dialect).map(|(_, held)| held).collect::<Vec<_>>().join(" OR "))
    }
}
