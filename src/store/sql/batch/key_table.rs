//! The keys of a page, in a temporary table of their store: what every statement of a batch joins.

use super::dialect::{KeyedRows, key_name};
use super::rows::Rows;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::table::Column;
use crate::store::sql::session::connection::Session;
use crate::store::value::{self, Cell};
use sha2::{Digest, Sha256};

/// Bytes of keys that one statement carries: servers may take no more than a megabyte in one packet.
const MOST_BYTES: usize = 256 << 10;

/// The keys in parts that each fit into a statement; a key that does not is one of its own.
fn parts(keys: &[Vec<Cell>]) -> impl Iterator<Item = &[Vec<Cell>]> {
    let size = |cell: &Cell| match cell {
        // Each letter may be written with six.
        Cell::Text(text) => text.len() * 6,
        Cell::Bytes(bytes) => bytes.len() * 2,
        _ => 0,
    };
    let mut rest = keys;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |key: &&Vec<Cell>| {
            bytes += 8 + key.iter().map(|cell| 24 + size(cell)).sum::<usize>();
            bytes <= MOST_BYTES
        };
        let many = rest.iter().take_while(fits).count().max(1).min(rest.len());
        let (part, behind) = rest.split_at(many);
        rest = behind;
        (!part.is_empty()).then_some(part)
    })
}

/// The temporary table that holds a page's keys, typed as the table's own.
pub(crate) struct Keys {
    pub(crate) name: String,
    pub(crate) dialect: Dialect,
    pub(crate) columns: Vec<Column>,
}

impl Keys {
    /// The table, and the statement that makes it.
    pub(crate) fn of(rows: &Rows) -> (Self, String) {
        let dialect = rows.dialect;
        let path = dialect.table(&rows.table);
        let shape = Sha256::digest(format!("{path}|{:?}", rows.key));
        let short = format!("steward_keys_{}", hex::encode(&shape[..6]));
        let columns: Vec<_> = rows
            .key
            .iter()
            .enumerate()
            .map(|(at, column)| format!("{path}.{} AS {}", dialect.quote(&column.name), key_name(at)))
            .collect();
        let select = format!("SELECT {} FROM {path} WHERE 1 = 0", columns.join(", "));
        let beside = dialect.path(rows.table.schema.as_deref(), &short);
        let (name, create) = dialect.key_table(&short, &beside, &select);
        (Self { name, dialect, columns: rows.key.clone() }, create)
    }

    /// Replaces what the table holds.
    pub(crate) async fn fill(&self, session: &mut Session, keys: &[Vec<Cell>]) -> Result<(), StoreFailure> {
        session.execute(&format!("DELETE FROM {}", self.name), &[]).await?;
        let source = self.dialect.rows_of_json(&self.columns);
        let columns: Vec<_> = (0..self.columns.len()).map(key_name).collect();
        let insert = format!("INSERT INTO {} ({}) {source}", self.name, columns.join(", "));
        for part in parts(keys) {
            session.execute(&insert, &[Cell::Text(value::as_json(part))]).await?;
        }
        Ok(())
    }

    pub(crate) fn outgoing(&self) -> String {
        let columns = self.columns.iter().enumerate().map(|(at, column)| {
            let named = Column { name: key_name(at), ..column.clone() };
            self.dialect.outgoing(&self.name, &named)
        });
        columns.collect::<Vec<_>>().join(", ")
    }

    /// True where a row of `other` bears one of the keys. The row's column stands first: its collation decides.
    pub(crate) fn matches(&self, dialect: Dialect, other: &str) -> String {
        let pairs = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| format!("{other}.{} = {}.{}", dialect.quote(&column.name), self.name, key_name(at)));
        pairs.collect::<Vec<_>>().join(" AND ")
    }

    /// The keys joined to their rows, in that order whatever the planner thinks: a page is small, the table is not.
    pub(crate) fn joined(&self, rows: &Rows) -> String {
        let path = rows.dialect.table(&rows.table);
        format!("{} {} {path} ON {}", self.name, rows.dialect.join_in_order(), self.matches(rows.dialect, &path))
    }

    /// The keys and their rows, for a statement that changes the rows.
    pub(crate) fn rows(&self, rows: &Rows) -> KeyedRows {
        let path = rows.dialect.table(&rows.table);
        KeyedRows {
            columns: self.columns.iter().map(|column| self.dialect.quote(&column.name)).collect::<Vec<_>>().join(", "),
            keys: self.name.clone(),
            key_columns: (0..self.columns.len()).map(key_name).collect::<Vec<_>>().join(", "),
            joined: self.joined(rows),
            matches: self.matches(rows.dialect, &path),
            path,
        }
    }

    pub(crate) fn joined_to(&self, dialect: Dialect, path: &str, alias: &str) -> String {
        format!("{} {}", self.name, self.join(dialect, path, alias))
    }

    pub(crate) fn join(&self, dialect: Dialect, path: &str, alias: &str) -> String {
        format!("{} {path} {alias} ON {}", dialect.join_in_order(), self.matches(dialect, alias))
    }
}

/// Has the planner look up each key by its index, until the transaction ends.
pub(crate) async fn keys_first(session: &mut Session) -> Result<(), StoreFailure> {
    match session.dialect().keys_first() {
        Some(sql) => session.raw(sql).await,
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_in_parts_that_fit_into_a_packet() {
        let keys: Vec<_> = (0..20_000).map(|id| vec![Cell::Int(id), Cell::Text("\u{1}".repeat(40))]).collect();
        let parts: Vec<_> = parts(&keys).collect();
        assert!(parts.len() > 4 && parts.concat() == keys);
        assert!(parts.iter().all(|part| value::as_json(part).len() <= MOST_BYTES));
        let long = vec![vec![Cell::Text("x".repeat(MOST_BYTES))]; 2];
        assert_eq!(super::parts(&long).map(<[_]>::len).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(super::parts(&[]).count(), 0);
    }
}
