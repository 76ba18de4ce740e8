//! `audit_log.SYSTEM_LOG`: the row that the stores' own audit expects of whoever moves data (source document 002, §3).

use super::cell::Cell;
use super::connect::Store;
use super::dialect::Dialect;
use super::failure::StoreFailure;
use super::rows::Rows;
use super::session::Session;
use super::table::Table;
use super::{catalogue, table::Class};
use crate::policy::dataset::DatasetName;
use chrono::{DateTime, Utc};

/// Writes one row per dataset and run where the table exists, in any letter case; where it does not, nothing is expected.
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
    let mut session = store.session(who).await?;
    let Some(log) = find(&mut session).await? else { return Ok(()) };
    let values = [("level", "INFO".to_owned()), ("message", message), ("metadata", metadata.to_string())];
    insert(&mut session, &log, &values).await
}

async fn find(session: &mut Session) -> Result<Option<Table>, StoreFailure> {
    // SQLite has no schemas: the table stands alone there.
    let schema = (session.dialect() != Dialect::Sqlite).then_some("audit_log");
    for schema in schemas(session, schema).await? {
        let tables = catalogue::tables(session, schema.as_deref()).await?;
        if let Some(table) = tables.into_iter().find(|table| table.eq_ignore_ascii_case("system_log")) {
            return catalogue::find(session, &DatasetName { store: session.store().to_owned(), schema, table }).await;
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
