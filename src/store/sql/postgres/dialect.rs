//! How PostgreSQL writes names and values.

use crate::policy::condition::Language;
use crate::store::sql::dialect::{Spelling, quoted};
use crate::store::sql::schema::table::Column;

/// PostgreSQL.
#[derive(Debug)]
pub struct Postgres;

impl Spelling for Postgres {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn language(&self) -> Language {
        Language::Postgres
    }

    fn quote(&self, name: &str) -> String {
        quoted('"', name)
    }

    fn bind(&self, n: usize) -> String {
        format!("${n}::text")
    }

    fn outgoing(&self, table: &str, column: &Column) -> String {
        format!("{table}.{}::text", self.quote(&column.name))
    }

    fn incoming(&self, text: &str, column: &Column) -> String {
        format!("({text})::{}", column.declared)
    }

    fn same(&self, left: &str, right: &str, _: &Column) -> String {
        format!("({left}::text COLLATE \"C\" IS NOT DISTINCT FROM {right}::text COLLATE \"C\")")
    }
}
