//! The unique index that a materialized view lacks: over which columns it could be.

use crate::store::error::StoreFailure;
use crate::store::sql::session::connection::Session;
use crate::store::value::Cell;

/// Rows that are compared. Of a larger view nobody can say it in a moment.
const MOST: u64 = 20_000;
/// Columns that are tried, alone and two by two.
const COLUMNS: usize = 6;

/// The first column, else the first two, by which all rows of the view differ now, as they stand in a statement. None where there
/// are none, or no rows, or too many to compare: nothing is guessed.
///
/// # Errors
/// The store is away, or does not let us read the view.
pub async fn columns(session: &mut Session, oid: &str, path: &str) -> Result<Option<String>, StoreFailure> {
    let candidates = candidates(&comparable(session, oid).await?);
    if candidates.is_empty() {
        return Ok(None);
    }
    let counts: Vec<String> = candidates.iter().map(|columns| format!("COUNT(DISTINCT ({columns}))")).collect();
    let sql = format!("SELECT COUNT(*), {} FROM (SELECT * FROM {path} LIMIT {}) v", counts.join(", "), MOST + 1);
    let rows = session.rows(&sql, &[]).await?;
    let Some([all, differing @ ..]) = rows.first().map(Vec::as_slice) else { return Ok(None) };
    let all = all.as_count();
    if all == 0 || all > MOST {
        return Ok(None);
    }
    let found = candidates.iter().zip(differing).find(|(_, differing)| differing.as_count() == all);
    Ok(found.map(|(columns, _)| columns.clone()))
}

/// Columns that name things: what was added up may differ in every row today and not tomorrow.
async fn comparable(session: &mut Session, oid: &str) -> Result<Vec<String>, StoreFailure> {
    let sql = "SELECT a.attname::text FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
               WHERE a.attrelid = $1::text::oid AND a.attnum > 0 AND NOT a.attisdropped AND (t.typtype = 'e' OR t.typname IN \
               ('int2', 'int4', 'int8', 'uuid', 'text', 'varchar', 'bpchar', 'name', 'date', 'timestamp', 'timestamptz')) \
               ORDER BY a.attnum";
    let dialect = session.dialect();
    let rows = session.rows(sql, &[Cell::Text(oid.to_owned())]).await?;
    Ok(rows.iter().take(COLUMNS).map(|row| dialect.quote(&row[0].shown())).collect())
}

/// Each column alone, then each two.
fn candidates(columns: &[String]) -> Vec<String> {
    let twos =
        columns.iter().enumerate().flat_map(|(at, one)| columns[at + 1..].iter().map(move |other| format!("{one}, {other}")));
    columns.iter().cloned().chain(twos).collect()
}
