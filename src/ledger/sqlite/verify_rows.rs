//! Shows the whole ledger to a verifier, in one snapshot and row by row.

use super::open::Sqlite;
use super::schema;
use crate::ledger::chain::{Link, sha256};
use crate::ledger::checkpoint;
use crate::ledger::error::LedgerError;
use crate::ledger::fault::Table;
use crate::ledger::verify::{RowText, Verifier, checkpoint_id};
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

impl Sqlite {
    /// Shows a verifier what came since it last looked, and holds what runs trust against it. Gives the first fault.
    ///
    /// # Errors
    /// Busy, or the file cannot be read.
    pub async fn catch_up(&self, verifier: &mut Verifier) -> Result<Option<String>, LedgerError> {
        let mut tx = self.read.begin().await.map_err(|error| self.reading(error))?;
        catch_up(&mut tx, verifier).await.map_err(|error| self.reading(error))
    }
}

async fn catch_up(tx: &mut SqliteConnection, verifier: &mut Verifier) -> Result<Option<String>, sqlx::Error> {
    if let Some(place) = schema::difference(tx).await? {
        return Ok(Some(place));
    }
    let seen = verifier.seen();
    if let Some(last) = &seen {
        let hash = sqlx::query_scalar("SELECT hash FROM event WHERE seq = ?").bind(last.seq);
        if hash.fetch_optional(&mut *tx).await?.as_ref() != Some(&last.hash) {
            return Ok(Some(format!("event {} is no longer what it was", last.seq)));
        }
    }
    let mut events =
        sqlx::query("SELECT * FROM event WHERE seq > ? ORDER BY seq").bind(seen.map_or(0, |last| last.seq)).fetch(&mut *tx);
    while let Some(row) = events.try_next().await? {
        verifier.see(link(&row)?);
    }
    drop(events);
    for (table, sql) in [(Table::OpenIntent, OPEN_INTENTS), (Table::Hold, HOLDS)] {
        let rows = sqlx::query(sql).fetch_all(&mut *tx).await?;
        let rows = rows.iter().map(told).collect::<Result<Vec<_>, _>>()?;
        if let Some(fault) = verifier.first_fault(table, &rows) {
            return Ok(Some(fault.to_string()));
        }
    }
    Ok(None)
}

const OPEN_INTENTS: &str = "SELECT batch AS id, seq, run FROM open_intent ORDER BY seq";
const HOLDS: &str = "SELECT * FROM hold ORDER BY seq";

async fn show_all(tx: &mut SqliteConnection, verifier: &mut Verifier) -> Result<(), sqlx::Error> {
    if let Some(place) = schema::difference(tx).await? {
        verifier.schema(place);
    }
    let mut events = sqlx::query("SELECT * FROM event ORDER BY seq").fetch(&mut *tx);
    while let Some(row) = events.try_next().await? {
        verifier.see(link(&row)?);
    }
    drop(events);
    for (table, sql) in [
        (Table::Run, "SELECT * FROM run ORDER BY seq"),
        (Table::OpenIntent, OPEN_INTENTS),
        (Table::Hold, HOLDS),
        (Table::Finding, "SELECT seq AS id, run, check_name, outcome, body FROM finding ORDER BY seq, position"),
        (Table::Lease, "SELECT job AS id, token, run, since, host, pid FROM lease ORDER BY job"),
        (Table::Pass, "SELECT * FROM pass ORDER BY job, dataset, policy"),
    ] {
        let mut rows = sqlx::query(sql).fetch(&mut *tx);
        while let Some(row) = rows.try_next().await? {
            let row = told(&row)?;
            verifier.compare(table, if table == Table::Pass { bound(&row) } else { row });
        }
    }
    Ok(())
}

/// A pass by what binds it to the chain.
fn bound(row: &RowText) -> RowText {
    let text = |column| row.get(column).and_then(Option::as_deref).unwrap_or_default();
    let digest = checkpoint::digest(
        ["job", "dataset", "policy", "fingerprint", "as_of"].map(text),
        row.get("cursor").and_then(Option::as_deref),
    );
    let id = checkpoint_id(text("job"), text("dataset"), text("policy"));
    [("id", Some(id)), ("digest", Some(digest))].map(|(column, value)| (column.to_owned(), value)).into()
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
fn told(row: &SqliteRow) -> Result<RowText, sqlx::Error> {
    let mut told = RowText::new();
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
