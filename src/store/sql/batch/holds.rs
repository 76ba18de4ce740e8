//! Legal holds as conditions of SQL.

use crate::store::holds::{HoldClause, Holds};
use crate::store::sql::dialect::Dialect;

impl Holds {
    /// Each hold's name with the condition that is true for the rows it keeps, unknown rows included.
    pub fn each(&self, dialect: Dialect) -> impl Iterator<Item = (&str, String)> {
        self.clauses().iter().map(move |clause| (clause.name.as_str(), format!("(NOT {})", clause.frees(dialect))))
    }

    /// True for rows that no hold keeps.
    pub fn free(&self, dialect: Dialect) -> String {
        if self.clauses().is_empty() {
            return "(1 = 1)".to_owned();
        }
        let free = self.clauses().iter().map(|clause| clause.frees(dialect));
        free.collect::<Vec<_>>().join(" AND ")
    }

    /// True for rows that some hold keeps.
    pub fn held(&self, dialect: Dialect) -> String {
        if self.clauses().is_empty() {
            return "(1 = 0)".to_owned();
        }
        format!("({})", self.each(dialect).map(|(_, held)| held).collect::<Vec<_>>().join(" OR "))
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
}
