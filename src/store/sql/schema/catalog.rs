//! Finds tables by name, whatever the store.

use super::table::{Dependents, Table};
use crate::diagnostic::codes;
use crate::policy::dataset::DatasetName;
use crate::policy::lifecycle::Clock;
use crate::store::batch_mark::BATCH_TABLE;
use crate::store::clock::ClockKind;
use crate::store::error::StoreFailure;
use crate::store::sql::session::connection::Session;
use crate::store::value::Cell;

/// A table by its exact name, or `None`.
pub async fn find(session: &mut Session, name: &DatasetName) -> Result<Option<Table>, StoreFailure> {
    session.dialect().table_of(session, name.schema.as_deref(), &name.table).await
}

/// A table that must be there; a near miss is suggested, never used.
pub async fn must_find(session: &mut Session, name: &DatasetName) -> Result<Table, StoreFailure> {
    if let Some(table) = find(session, name).await? {
        return Ok(table);
    }
    let tables = tables(session, name.schema.as_deref()).await?;
    let near =
        tables.iter().map(|table| (strsim::damerau_levenshtein(&table.to_lowercase(), &name.table.to_lowercase()), table)).min();
    let help = match near {
        Some((distance, table)) if distance <= 2 => format!("did you mean `{table}`? names match exactly, letter case included"),
        _ if tables.is_empty() => no_tables(session, name).await?,
        _ => format!("it has: {}", tables.iter().take(12).cloned().collect::<Vec<_>>().join(", ")),
    };
    Err(StoreFailure::refused(codes::NOT_THERE, format!("there is no table `{name}`"), help))
}

/// Where no table was found at all: which schema that is, and how the name came to it.
async fn no_tables(session: &mut Session, name: &DatasetName) -> Result<String, StoreFailure> {
    let Some(sql) = session.dialect().own_schema() else { return Ok("the file has no tables".to_owned()) };
    if let Some(schema) = &name.schema {
        return Ok(format!("schema `{schema}` has no tables, or does not exist, or the account may not see it"));
    }
    let row = session.rows(sql, &[]).await?.into_iter().next().unwrap_or_default();
    let text = |at: usize| row.get(at).filter(|cell| **cell != Cell::Null).map(Cell::shown);
    let path = text(1).map(|path| format!(" (`search_path` is `{path}`)")).unwrap_or_default();
    let whole = format!("name the schema: `{}.schema.{}`", name.store, name.table);
    Ok(match text(0) {
        Some(schema) => format!("`{schema}`, the schema of this connection{path}, has no tables; {whole}"),
        None => format!("this connection has no schema{path}; {whole}"),
    })
}

/// The tables of a schema, of the connection's own when none is named; in one order, whatever the store's collation.
pub async fn tables(session: &mut Session, schema: Option<&str>) -> Result<Vec<String>, StoreFailure> {
    let mut tables = session.dialect().tables(session, schema).await?;
    // Ours, and nobody's dataset.
    tables.retain(|table| table != BATCH_TABLE);
    tables.sort_unstable();
    Ok(tables)
}

/// What hangs on a table, whether or not it can be governed; `None` when it is not there.
pub async fn dependents(session: &mut Session, name: &DatasetName) -> Result<Option<Dependents>, StoreFailure> {
    session.dialect().dependents(session, name.schema.as_deref(), &name.table).await
}

/// Which index a query uses; `None` when it reads the whole table.
pub async fn index_used(session: &mut Session, sql: &str, binds: &[Cell]) -> Result<Option<String>, StoreFailure> {
    session.dialect().index_used(session, sql, binds).await
}

/// What the clock column holds.
pub async fn clock_kind(session: &mut Session, table: &Table, clock: &Clock) -> Result<ClockKind, StoreFailure> {
    let column = table.column(&clock.column)?;
    match session.dialect().clock_by_values(session, table, clock).await? {
        Some(kind) => Ok(kind),
        None => ClockKind::of(table, column, clock),
    }
}
