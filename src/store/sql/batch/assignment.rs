//! What is written into an expired row that stays: a column, and a value of the column's own type.

use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::table::{Class, Column};
use std::fmt::Write;

/// A column and what is written into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The column.
    pub column: Column,
    /// The value in the store's text form; NULL when absent.
    pub value: Option<String>,
}

impl Mark {
    /// A mark as people declared it. Where booleans are numbers `true` and `false` are 1 and 0.
    pub fn of(dialect: Dialect, column: Column, value: Option<&str>) -> Self {
        let value = match value {
            Some("true") if counts(dialect, &column) => Some("1"),
            Some("false") if counts(dialect, &column) => Some("0"),
            other => other,
        };
        Self { column, value: value.map(str::to_owned) }
    }

    /// The value as an SQL expression of the column's own type.
    pub fn expression(&self, dialect: Dialect) -> String {
        let Some(value) = &self.value else {
            return if dialect == Dialect::Postgres { format!("NULL::{}", self.column.declared) } else { "NULL".into() };
        };
        let text = literal(dialect, value);
        match (dialect, self.column.class) {
            // A label, not its number.
            (Dialect::Mysql | Dialect::Mariadb, Class::Choice) => text,
            // JSON compares as the server writes it.
            (Dialect::Mysql, Class::Json) => format!("CAST({text} AS JSON)"),
            _ => dialect.incoming(&text, &self.column),
        }
    }

    /// `column = value`, as it stands in an UPDATE of the table.
    pub fn assignment(&self, dialect: Dialect, path: &str) -> String {
        let name = dialect.quote(&self.column.name);
        let name = if dialect.is_mysql() { format!("{path}.{name}") } else { name };
        format!("{name} = {}", self.expression(dialect))
    }

    /// True or false, never NULL: the row has the value already.
    pub fn is_set(&self, dialect: Dialect, path: &str) -> String {
        let name = format!("{path}.{}", dialect.quote(&self.column.name));
        match dialect {
            // The column's affinity reads the literal as it does on the way in.
            Dialect::Sqlite => format!("({name} IS {})", self.expression(dialect)),
            _ => dialect.same(&name, &self.expression(dialect), &self.column),
        }
    }
}

/// True for a column of numbers on an engine that has no booleans of its own.
fn counts(dialect: Dialect, column: &Column) -> bool {
    match dialect {
        Dialect::Postgres => false,
        Dialect::Sqlite => is_whole_number(&column.declared),
        Dialect::Mysql | Dialect::Mariadb => matches!(column.class, Class::Integer { .. }),
    }
}

/// True for a SQLite declaration that means whole numbers or booleans.
pub fn is_whole_number(declared: &str) -> bool {
    let declared = declared.to_lowercase();
    declared.contains("int") || declared.contains("bool")
}

/// A text as a literal that can only be a text: letter by letter where every engine reads them alike, else by its bytes.
///
/// Not a bind: it stands in the predicate, which people are shown and can ask again (promise 12).
pub fn literal(dialect: Dialect, text: &str) -> String {
    if !text.chars().any(|c| c == '\\' || c.is_control()) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let hex = text.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02X}");
        hex
    });
    match dialect {
        Dialect::Sqlite => format!("CAST(X'{hex}' AS TEXT)"),
        Dialect::Postgres => format!("convert_from(decode('{hex}', 'hex'), 'UTF8')"),
        Dialect::Mysql | Dialect::Mariadb => format!("CONVERT(X'{hex}' USING utf8mb4)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_a_text() {
        assert_eq!(literal(Dialect::Mysql, "it's"), "'it''s'");
        assert_eq!(literal(Dialect::Mysql, "\\' or 1=1"), "CONVERT(X'5C27206F7220313D31' USING utf8mb4)");
        assert_eq!(literal(Dialect::Sqlite, "a\nb"), "CAST(X'610A62' AS TEXT)");
    }

    #[test]
    fn where_booleans_are_numbers_they_are_written_as_numbers() {
        let column = |declared: &str, class| Column {
            name: "is_active".into(),
            declared: declared.into(),
            class,
            nullable: true,
            generated: false,
            has_default: false,
        };
        let tiny = Mark::of(Dialect::Mysql, column("tinyint(1)", Class::Integer { unsigned: false }), Some("false"));
        assert_eq!(tiny.assignment(Dialect::Mysql, "t"), "t.`is_active` = CAST('0' AS SIGNED)");
        let real = Mark::of(Dialect::Postgres, column("boolean", Class::Other), Some("false"));
        assert_eq!(real.assignment(Dialect::Postgres, "t"), "\"is_active\" = ('false')::boolean");
        let loose = Mark::of(Dialect::Sqlite, column("BOOLEAN", Class::Dynamic), Some("false"));
        assert_eq!(loose.is_set(Dialect::Sqlite, "t"), "(t.\"is_active\" IS '0')");
        assert_eq!(Mark::of(Dialect::Sqlite, column("", Class::Dynamic), None).expression(Dialect::Sqlite), "NULL");
    }
}
