//! How SQLite writes names and values.

use crate::policy::condition::Language;
use crate::store::sql::dialect::{Spelling, quoted};
use crate::store::sql::schema::table::Column;

/// SQLite.
#[derive(Debug)]
pub struct Sqlite;

impl Spelling for Sqlite {
    fn name(&self) -> &'static str {
        "SQLite"
    }

    fn language(&self) -> Language {
        Language::Sqlite
    }

    fn quote(&self, name: &str) -> String {
        quoted('"', name)
    }

    fn bind(&self, _: usize) -> String {
        "?".to_owned()
    }

    fn outgoing(&self, table: &str, column: &Column) -> String {
        format!("{table}.{}", self.quote(&column.name))
    }

    fn incoming(&self, text: &str, _: &Column) -> String {
        text.to_owned()
    }

    fn same(&self, left: &str, right: &str, _: &Column) -> String {
        format!("({left} IS {right} COLLATE BINARY AND typeof({left}) = typeof({right}))")
    }
}
