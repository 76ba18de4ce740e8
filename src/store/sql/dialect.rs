//! Where the three SQL dialects differ in spelling.

use super::schema::table::{Class, Column, Table};
use crate::policy::condition::Language;

/// The dialect a store speaks. MariaDB is MySQL but for a few names.
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

impl Dialect {
    /// True for MySQL and MariaDB.
    pub const fn is_mysql(self) -> bool {
        matches!(self, Self::Mysql | Self::Mariadb)
    }

    /// The name in its owner's spelling.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL",
            Self::Mariadb => "MariaDB",
        }
    }

    /// The language of what people write for it.
    pub const fn language(self) -> Language {
        match self {
            Self::Sqlite => Language::Sqlite,
            Self::Postgres => Language::Postgres,
            Self::Mysql | Self::Mariadb => Language::Mysql,
        }
    }

    /// An identifier, quoted so that it can only be a name.
    ///
    /// The catalogue has confirmed every name before it gets here, so a NUL or an overlong name cannot.
    pub fn quote(self, name: &str) -> String {
        let mark = if self.is_mysql() { '`' } else { '"' };
        format!("{mark}{}{mark}", name.replace(mark, &format!("{mark}{mark}")))
    }

    /// The `n`th bind of a statement, counted from 1.
    pub fn bind(self, n: usize) -> String {
        match self {
            Self::Postgres => format!("${n}::text"),
            _ => "?".to_owned(),
        }
    }

    /// A key or clock column as it travels to us: lossless, and in an order that `>` agrees with.
    pub fn outgoing(self, table: &str, column: &Column) -> String {
        let name = format!("{table}.{}", self.quote(&column.name));
        match (self, column.class) {
            (Self::Sqlite, _) => name,
            (Self::Postgres, _) => format!("{name}::text"),
            (_, Class::Bytes) => format!("HEX({name})"),
            (_, Class::Bit | Class::Choice) => format!("CAST({name} + 0 AS CHAR)"),
            _ => format!("CAST({name} AS CHAR)"),
        }
    }

    /// A text that travelled as [`Self::outgoing`] made it, as a value of the column's own type.
    pub fn incoming(self, text: &str, column: &Column) -> String {
        match (self, column.class) {
            (Self::Sqlite, _) => text.to_owned(),
            (Self::Postgres, _) => format!("({text})::{}", column.declared),
            (_, Class::Bytes) => format!("UNHEX({text})"),
            // By way of a decimal: MySQL takes a bound text beyond 63 bits for the largest signed number.
            (_, Class::Integer { unsigned: true } | Class::Bit) => format!("CAST(CAST({text} AS DECIMAL(20)) AS UNSIGNED)"),
            (_, Class::Choice) => format!("CAST({text} AS UNSIGNED)"),
            (_, Class::Integer { unsigned: false }) => format!("CAST({text} AS SIGNED)"),
            (_, Class::Decimal) => {
                format!("CAST({text} AS {})", column.declared.replace("unsigned", "").replace("zerofill", "").trim())
            }
            (_, Class::Date) => format!("CAST({text} AS DATE)"),
            (_, Class::Naive | Class::Zoned) => format!("CAST({text} AS DATETIME(6))"),
            _ => text.to_owned(),
        }
    }

    /// True for rows of which `condition` is known to be false: neither true nor NULL.
    pub fn is_false(self, condition: &str) -> String {
        format!("((\n{condition}\n) IS FALSE)")
    }

    /// True when two values are the same, byte for byte, NULL being the same as NULL.
    pub fn same(self, left: &str, right: &str, column: &Column) -> String {
        match (self, column.class) {
            (Self::Sqlite, _) => format!("({left} IS {right} COLLATE BINARY AND typeof({left}) = typeof({right}))"),
            (Self::Postgres, _) => format!("({left}::text COLLATE \"C\" IS NOT DISTINCT FROM {right}::text COLLATE \"C\")"),
            (_, Class::Json | Class::Text) => format!("(CAST({left} AS BINARY) <=> CAST({right} AS BINARY))"),
            (_, Class::Other) => format!("(HEX({left}) <=> HEX({right}))"),
            _ => format!("({left} <=> {right})"),
        }
    }

    /// Quotes schema and table.
    pub fn table(self, table: &Table) -> String {
        self.path(table.schema.as_deref(), &table.name)
    }

    /// Quotes a schema, if any, and a name.
    pub fn path(self, schema: Option<&str>, name: &str) -> String {
        match schema {
            Some(schema) => format!("{}.{}", self.quote(schema), self.quote(name)),
            None => self.quote(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_name_stays_one_name() {
        assert_eq!(Dialect::Postgres.quote("a\"b; drop"), "\"a\"\"b; drop\"");
        assert_eq!(Dialect::Mysql.quote("a`b"), "`a``b`");
        assert_eq!(Dialect::Mysql.quote("a\"b"), "`a\"b`");
    }
}
