//! A whole table as text, byte for byte: what was in it can be compared with what is in it.

use super::database::Database;
use super::engine::Engine;

impl Database {
    /// Every row of a table, one a line, every column exact, in the order of the text; the first line names the columns.
    ///
    /// Columns come in the order of their names, so that a table compares with its archive. `table` is written as the
    /// engine reads it, quotes included: `orders`, `archive.orders`, `"USER"`.
    pub fn dump(&self, table: &str) -> String {
        self.dump_without(table, &[])
    }

    /// The same without some columns: `steward_batch` is not in the source.
    pub fn dump_without(&self, table: &str, without: &[&str]) -> String {
        let mut columns = self.columns(table);
        columns.retain(|(name, _)| !without.contains(&name.as_str()));
        columns.sort();
        let exact: Vec<String> = columns.iter().map(|(name, kind)| exact(self.engine, name, kind)).collect();
        let rows = self.rows(&format!("SELECT {} FROM {table}", exact.join(", ")));
        let mut lines: Vec<String> = rows.iter().map(|row| line(row)).collect();
        lines.sort();
        lines.insert(0, columns.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(" | "));
        lines.join("\n") + "\n"
    }

    /// The columns of a table and their types, generated ones included.
    fn columns(&self, table: &str) -> Vec<(String, String)> {
        let (schema, name) = match table.rsplit_once('.') {
            Some((schema, name)) => (bare(schema), bare(name)),
            None => (String::new(), bare(table)),
        };
        let name = name.replace('\'', "''");
        let query = match self.engine {
            Engine::Sqlite => format!("SELECT name, type FROM pragma_table_xinfo('{name}')"),
            Engine::Postgres => format!(
                "SELECT attname::text, atttypid::regtype::text FROM pg_attribute WHERE attrelid = '{}'::regclass AND attnum > 0 AND NOT attisdropped",
                table.replace('\'', "''")
            ),
            Engine::Mysql | Engine::Mariadb => format!(
                "SELECT COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS WHERE TABLE_NAME = '{name}' AND TABLE_SCHEMA = {}",
                if schema.is_empty() { "DATABASE()".to_owned() } else { format!("'{schema}'") }
            ),
        };
        let found: Vec<_> = self
            .rows(&query)
            .into_iter()
            .map(|row| (row[0].clone().unwrap_or_default(), row[1].clone().unwrap_or_default().to_lowercase()))
            .collect();
        assert!(!found.is_empty(), "there is no table {table}");
        found
    }
}

/// A query's row as a line: values between bars, line ends and backslashes escaped.
pub fn line(row: &[Option<String>]) -> String {
    let value = |value: &Option<String>| match value {
        None => "NULL".to_owned(),
        Some(text) => text.chars().map(escaped).collect(),
    };
    row.iter().map(value).collect::<Vec<String>>().join(" | ")
}

fn escaped(c: char) -> String {
    if c == '\\' || c.is_control() { c.escape_default().to_string() } else { c.to_string() }
}

fn bare(name: &str) -> String {
    name.trim_matches(['"', '`']).to_owned()
}

/// An expression that gives a column without losing a bit of it.
fn exact(engine: Engine, name: &str, kind: &str) -> String {
    let column = engine.quote(name);
    match engine {
        Engine::Sqlite => {
            format!(
                "CASE WHEN typeof({column}) = 'text' AND instr({column}, char(0)) THEN 'text x' || hex({column}) ELSE quote({column}) END"
            )
        }
        Engine::Postgres => format!("{column}::text"),
        Engine::Mysql | Engine::Mariadb => match kind {
            "float" | "double" => format!("CAST({column} + 0e0 AS CHAR)"),
            "bit" | "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "geometry" | "point"
            | "polygon" | "linestring" | "vector" => format!("HEX({column})"),
            _ => format!("CAST({column} AS CHAR CHARACTER SET utf8mb4)"),
        },
    }
}
