//! Shows the whole ledger to a verifier, in one snapshot and row by row.

use super::open::Sqlite;
use crate::ledger::chain::{Link, sha256};
use crate::ledger::refusal::LedgerError;
use crate::ledger::verify::{Table, Told, Verifier};
use futures_util::TryStreamExt;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Column, Row};

impl Sqlite {
    /// Shows every event, then every row that follows from events.
    ///
    /// A page that cannot be read ends the walk and is a fault, not an error: the verifier says up to where it was whole.
    ///
    /// # Errors
    /// Busy, or the file cannot be read.
    pub async fn show(&self, verifier: &mut Verifier) -> Result<(), LedgerError> {
        let mut tx = self.read.begin().await.map_err(|error| self.reading(error))?;
        match show_all(&mut tx, verifier).await.map_err(|error| self.reading(error)) {
            Err(LedgerError::Damaged { why, .. }) => verifier.damaged(why),
            shown => shown?,
        }
        Ok(())
    }
}

async fn show_all(tx: &mut SqliteConnection, verifier: &mut Verifier) -> Result<(), sqlx::Error> {
    let mut events = sqlx::query("SELECT * FROM event ORDER BY seq").fetch(&mut *tx);
    while let Some(row) = events.try_next().await? {
        verifier.see(link(&row)?);
    }
    drop(events);
    for (table, sql) in [
        (Table::Run, "SELECT * FROM run ORDER BY seq"),
        (Table::OpenIntent, "SELECT batch AS id, seq, run FROM open_intent ORDER BY seq"),
        (Table::Hold, "SELECT * FROM hold ORDER BY seq"),
        (Table::Finding, "SELECT seq AS id, run, check_name, outcome, body FROM finding ORDER BY seq, position"),
    ] {
        let mut rows = sqlx::query(sql).fetch(&mut *tx);
        while let Some(row) = rows.try_next().await? {
            verifier.compare(table, told(&row)?);
        }
    }
    Ok(())
}

fn link(row: &SqliteRow) -> Result<Link, sqlx::Error> {
    let must = |column| text(row, column).map(Option::unwrap_or_default);
    Ok(Link {
        seq: row.try_get("seq")?,
        at: must("at")?,
        run: text(row, "run")?,
        kind: must("kind")?,
        body: must("body")?,
        prev: must("prev")?,
        hash: must("hash")?,
    })
}

/// A row as text, column by column; of a report only its hash, which is all that an event tells of it.
fn told(row: &SqliteRow) -> Result<Told, sqlx::Error> {
    let mut told = Told::new();
    for column in row.columns() {
        let name = column.name();
        let value = match name {
            "report" => row.try_get_unchecked::<Option<Vec<u8>>, _>(name)?.map(|report| sha256(&report)),
            _ => text(row, name)?,
        };
        told.insert(name.to_owned(), value);
    }
    Ok(told)
}

/// Whatever the bytes are: a flipped bit that breaks the encoding is then an edit with a place, not an error without one.
fn text(row: &SqliteRow, column: &str) -> Result<Option<String>, sqlx::Error> {
    let bytes: Option<Vec<u8>> = row.try_get_unchecked(column)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}
