//! Values between a driver and a [`Cell`], in both directions.

use crate::store::value::Cell;
use sqlx::mysql::MySqlRow;
use sqlx::postgres::PgRow;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Column as _, Row, TypeInfo, ValueRef};

/// SQLite takes each bind in its own storage class.
pub(crate) fn by_class<'q>(sql: AssertSqlSafe<String>, binds: &[Cell]) -> Query<'q, sqlx::Sqlite, SqliteArguments> {
    binds.iter().fold(sqlx::query(sql), |query, cell| match cell {
        Cell::Null => query.bind(None::<String>),
        Cell::Int(int) => query.bind(*int),
        Cell::Real(real) => query.bind(*real),
        Cell::Text(text) => query.bind(text.clone()),
        Cell::Bytes(bytes) => query.bind(bytes.clone()),
    })
}

/// PostgreSQL and MySQL take every bind as text and cast it in the statement.
pub(crate) fn as_text(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Null => None,
        Cell::Int(int) => Some(int.to_string()),
        Cell::Real(real) => Some(real.to_string()),
        Cell::Text(text) => Some(text.clone()),
        Cell::Bytes(bytes) => Some(hex::encode_upper(bytes)),
    }
}

pub(crate) fn sqlite_row(row: &SqliteRow) -> Result<Vec<Cell>, sqlx::Error> {
    let cell = |at: usize| -> Result<Cell, sqlx::Error> {
        let raw = row.try_get_raw(at)?;
        if raw.is_null() {
            return Ok(Cell::Null);
        }
        let class = raw.type_info().name().to_owned();
        Ok(match class.as_str() {
            "INTEGER" | "BOOLEAN" => Cell::Int(row.try_get_unchecked(at)?),
            "REAL" => Cell::Real(row.try_get_unchecked(at)?),
            "BLOB" => Cell::Bytes(row.try_get_unchecked(at)?),
            _ => Cell::Text(row.try_get_unchecked(at)?),
        })
    };
    (0..row.columns().len()).map(cell).collect()
}

pub(crate) fn postgres_row(row: &PgRow) -> Result<Vec<Cell>, sqlx::Error> {
    let cell = |at: usize| -> Result<Cell, sqlx::Error> {
        if row.try_get_raw(at)?.is_null() {
            return Ok(Cell::Null);
        }
        Ok(match row.column(at).type_info().name() {
            "INT8" => Cell::Int(row.try_get::<i64, _>(at)?),
            "INT4" => Cell::Int(row.try_get::<i32, _>(at)?.into()),
            "INT2" => Cell::Int(row.try_get::<i16, _>(at)?.into()),
            "BOOL" => Cell::Int(row.try_get::<bool, _>(at)?.into()),
            "BYTEA" => Cell::Bytes(row.try_get(at)?),
            _ => Cell::Text(row.try_get_unchecked(at)?),
        })
    };
    (0..row.columns().len()).map(cell).collect()
}

pub(crate) fn mysql_row(row: &MySqlRow) -> Result<Vec<Cell>, sqlx::Error> {
    let cell = |at: usize| -> Result<Cell, sqlx::Error> {
        if row.try_get_raw(at)?.is_null() {
            return Ok(Cell::Null);
        }
        let name = row.column(at).type_info().name();
        if name.ends_with("UNSIGNED") {
            let value: u64 = row.try_get_unchecked(at)?;
            return Ok(i64::try_from(value).map_or_else(|_| Cell::Text(value.to_string()), Cell::Int));
        }
        if name.contains("INT") || name == "BOOLEAN" {
            return Ok(Cell::Int(row.try_get_unchecked(at)?));
        }
        if name == "DOUBLE" {
            return Ok(Cell::Real(row.try_get_unchecked(at)?));
        }
        if name == "FLOAT" {
            return Ok(Cell::Real(row.try_get_unchecked::<f32, _>(at)?.into()));
        }
        // Catalogue texts arrive as bytes on some versions: what is text in UTF-8 is text.
        let bytes: Vec<u8> = row.try_get_unchecked(at)?;
        Ok(String::from_utf8(bytes).map_or_else(|error| Cell::Bytes(error.into_bytes()), Cell::Text))
    };
    (0..row.columns().len()).map(cell).collect()
}

pub(crate) fn named(row: &MySqlRow, names: &[&str]) -> Result<Vec<Cell>, sqlx::Error> {
    let cells = mysql_row(row)?;
    let at = |name: &&str| row.columns().iter().position(|column| column.name().eq_ignore_ascii_case(name));
    Ok(names.iter().map(|name| at(name).map_or(Cell::Null, |at| cells[at].clone())).collect())
}
