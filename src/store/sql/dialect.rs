//! What SQL engines spell and do in their own ways: a trait for each topic, implemented in the folder of each engine.
//!
//! The traits know values, tables and [`super::session::statements::Statements`]; no `Session`, no `Rows` and no `Archive`, which
//! know a [`Dialect`]: so nothing imports in a circle.

use super::batch::dialect::BatchDialect;
use super::health::dialect::HealthDialect;
use super::schema::dialect::SchemaDialect;
use super::schema::table::{Column, Table};
use super::session::dialect::SessionDialect;
use crate::policy::condition::Language;
use std::fmt::Debug;

/// The dialect that a store speaks; it gives what its [`Engine`] gives. MariaDB is MySQL but for a few names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL.
    Mysql,
    /// MariaDB.
    Mariadb,
}

/// All that shared code asks of a SQL engine.
pub trait Engine: Spelling + SessionDialect + SchemaDialect + BatchDialect + HealthDialect {}

impl<T: Spelling + SessionDialect + SchemaDialect + BatchDialect + HealthDialect> Engine for T {}

/// How names and values are written.
pub trait Spelling: Debug + Send + Sync {
    /// The name in its owner's spelling.
    fn name(&self) -> &'static str;

    /// The language of what people write for it.
    fn language(&self) -> Language;

    /// An identifier, quoted so that it can only be a name.
    ///
    /// The catalog has confirmed every name before it gets here, so a NUL or an overlong name cannot.
    fn quote(&self, name: &str) -> String;

    /// The `n`th bind of a statement, counted from 1.
    fn bind(&self, n: usize) -> String;

    /// A key or clock column as it travels to us: lossless, and in an order that `>` agrees with.
    fn outgoing(&self, table: &str, column: &Column) -> String;

    /// A text that travelled as [`Self::outgoing`] made it, as a value of the column's own type.
    fn incoming(&self, text: &str, column: &Column) -> String;

    /// True when two values are the same, byte for byte, NULL being the same as NULL.
    fn same(&self, left: &str, right: &str, column: &Column) -> String;

    /// True for rows of which `condition` is known to be false: neither true nor NULL.
    fn is_false(&self, condition: &str) -> String {
        format!("((\n{condition}\n) IS FALSE)")
    }

    /// Quotes schema and table.
    fn table(&self, table: &Table) -> String {
        self.path(table.schema.as_deref(), &table.name)
    }

    /// Quotes a schema, if any, and a name.
    fn path(&self, schema: Option<&str>, name: &str) -> String {
        match schema {
            Some(schema) => format!("{}.{}", self.quote(schema), self.quote(name)),
            None => self.quote(name),
        }
    }
}

impl Dialect {
    /// True for MySQL and MariaDB.
    pub const fn is_mysql(self) -> bool {
        matches!(self, Self::Mysql | Self::Mariadb)
    }
}

/// A name between quotation marks, those inside it doubled.
pub fn quoted(mark: char, name: &str) -> String {
    format!("{mark}{}{mark}", name.replace(mark, &format!("{mark}{mark}")))
}

#[cfg(test)]
mod tests {
    use super::Dialect;

    #[test]
    fn a_quoted_name_stays_one_name() {
        assert_eq!(Dialect::Postgres.quote("a\"b; drop"), "\"a\"\"b; drop\"");
        assert_eq!(Dialect::Mysql.quote("a`b"), "`a``b`");
        assert_eq!(Dialect::Mysql.quote("a\"b"), "`a\"b`");
    }
}
