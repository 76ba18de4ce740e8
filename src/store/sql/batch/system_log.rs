//! `audit_log.SYSTEM_LOG`: the row that the stores' own audit expects of whoever moves data (source document 002, §3).

use super::rows::Rows;
use crate::diagnostic::codes;
use crate::policy::dataset::DatasetName;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::catalog;
use crate::store::sql::schema::table::Class;
use crate::store::sql::schema::table::{Column, Table};
use crate::store::sql::session::connection::Session;
use crate::store::sql::session::store::Store;
use crate::store::value::Cell;
use chrono::{DateTime, Utc};

/// Writes one row per dataset and run where the table exists, in any letter case; where it does not, nothing is expected. One of another shape
/// than `level`, `message` and `metadata` is the application's own: it is refused, and nothing is written.
///
/// # Errors
/// The store's own.
pub async fn write(
    rows: &Rows,
    job: &str,
    run: &str,
    what: &str,
    count: u64,
    cutoff: DateTime<Utc>,
    dataset: &str,
) -> Result<(), StoreFailure> {
    let cutoff = cutoff.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
    let metadata = serde_json::json!({
        format!("{what}_count"): count, "cutoff_date": cutoff, "dataset": dataset, "job": job, "run": run,
    });
    note(&rows.store, &rows.who, format!("steward: {what} {count} rows of {dataset}"), &metadata).await
}

/// The same for a view that was refreshed, with the rows it has now where they were counted.
///
/// # Errors
/// The store's own.
pub async fn write_refresh(
    store: &Store,
    who: &str,
    job: &str,
    run: &str,
    dataset: &str,
    rows: Option<u64>,
) -> Result<(), StoreFailure> {
    let metadata = serde_json::json!({ "refreshed_count": 1, "rows": rows, "dataset": dataset, "job": job, "run": run });
    note(store, who, format!("steward: refreshed {dataset}"), &metadata).await
}

async fn note(store: &Store, who: &str, message: String, metadata: &serde_json::Value) -> Result<(), StoreFailure> {
    let mut session = store.session(who).await.map_err(not_looked_up)?;
    let Some(log) = find(&mut session).await.map_err(not_looked_up)? else { return Ok(()) };
    let values = [("level", "INFO".to_owned()), ("message", message), ("metadata", metadata.to_string())];
    if let Some(why) = unfit(&log, &values.each_ref().map(|(name, _)| *name)) {
        return Err(StoreFailure::refused(
            codes::AUDIT_UNFIT,
            format!(
                "`{}` {why}: it is not the table that steward leaves its rows in, and nothing was written there",
                log.label()
            ),
            "see `audit_log.SYSTEM_LOG` in docs/reference.md; the ledger has all that was done",
        ));
    }
    insert(&mut session, &log, &values).await.map_err(|failure| about(failure, "the row in SYSTEM_LOG is missing"))
}

/// Nobody knows whether there is such a table.
fn not_looked_up(failure: StoreFailure) -> StoreFailure {
    about(failure, "whether the store has a SYSTEM_LOG was not found out")
}

/// The failure, and what follows from it.
fn about(failure: StoreFailure, what: &str) -> StoreFailure {
    let with = |text: String| format!("{what}: {text}");
    match failure {
        StoreFailure::Away { store, text } => StoreFailure::Away { store, text: with(text) },
        StoreFailure::Busy { store, text } => StoreFailure::Busy { store, text: with(text) },
        StoreFailure::Uncertain { store, text } => StoreFailure::Uncertain { store, text: with(text) },
        StoreFailure::Refused { code, text, help } => StoreFailure::Refused { code, text: with(text), help },
        StoreFailure::Misdeclared { code, text, help } => StoreFailure::Misdeclared { code, text: with(text), help },
        StoreFailure::Failed { store, text } => StoreFailure::Failed { store, text: with(text) },
    }
}

/// What keeps a table from being the documented one: a column that is not there, or cannot hold a text, or wants a value that nobody gives.
fn unfit(log: &Table, names: &[&str]) -> Option<String> {
    let own = |column: &Column| names.iter().any(|name| column.name.eq_ignore_ascii_case(name));
    if let Some(name) = names.iter().find(|name| !log.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name))) {
        return Some(format!("has no column `{name}`"));
    }
    let holds_text =
        |column: &&Column| !matches!(column.class, Class::Text | Class::Json | Class::Choice | Class::Dynamic | Class::Other);
    if let Some(odd) = log.columns.iter().filter(|column| own(column)).find(holds_text) {
        return Some(format!("has a column `{}` of type {}", odd.name, odd.declared));
    }
    let is_row_number = |column: &Column| {
        let key = log.key().unwrap_or_default();
        key.len() == 1 && key[0].name == column.name && column.declared.eq_ignore_ascii_case("integer")
    };
    let wants =
        |column: &&Column| !own(column) && !column.nullable && !column.has_default && !column.generated && !is_row_number(column);
    log.columns.iter().find(wants).map(|column| format!("wants a value in `{}`", column.name))
}

async fn find(session: &mut Session) -> Result<Option<Table>, StoreFailure> {
    match name(session).await? {
        Some(name) => catalog::find(session, &name).await,
        None => Ok(None),
    }
}

/// The table's name, in its own letter case.
pub(crate) async fn name(session: &mut Session) -> Result<Option<DatasetName>, StoreFailure> {
    // SQLite has no schemas: the table stands alone there.
    let schema = (session.dialect() != Dialect::Sqlite).then_some("audit_log");
    for schema in schemas(session, schema).await? {
        let tables = catalog::tables(session, schema.as_deref()).await?;
        if let Some(table) = tables.into_iter().find(|table| table.eq_ignore_ascii_case("system_log")) {
            return Ok(Some(DatasetName { store: session.store().to_owned(), schema, table }));
        }
    }
    Ok(None)
}

async fn schemas(session: &mut Session, wanted: Option<&str>) -> Result<Vec<Option<String>>, StoreFailure> {
    let Some(wanted) = wanted else { return Ok(vec![None]) };
    let sql = match session.dialect() {
        Dialect::Postgres => "SELECT nspname::text FROM pg_namespace WHERE lower(nspname) = $1::text",
        _ => "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE LOWER(SCHEMA_NAME) = ?",
    };
    let found = session.rows(sql, &[Cell::Text(wanted.to_owned())]).await?;
    Ok(found.iter().map(|row| Some(row[0].shown())).collect())
}

async fn insert(session: &mut Session, log: &Table, values: &[(&str, String)]) -> Result<(), StoreFailure> {
    let dialect = session.dialect();
    let known: Vec<_> = values
        .iter()
        .filter_map(|(name, value)| Some((log.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))?, value)))
        .collect();
    let columns = known.iter().map(|(column, _)| dialect.quote(&column.name)).collect::<Vec<_>>().join(", ");
    let binds = known.iter().enumerate().map(|(at, (column, _))| match (dialect, column.class) {
        (Dialect::Postgres, Class::Text) => dialect.bind(at + 1),
        (Dialect::Postgres, _) => format!("{}::{}", dialect.bind(at + 1), column.declared),
        _ => dialect.bind(at + 1),
    });
    let sql = format!("INSERT INTO {} ({columns}) VALUES ({})", dialect.table(log), binds.collect::<Vec<_>>().join(", "));
    let cells: Vec<_> = known.iter().map(|(_, value)| Cell::Text((*value).clone())).collect();
    session.execute(&sql, &cells).await.map(|_| ())
}
