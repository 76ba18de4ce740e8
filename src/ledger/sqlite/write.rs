//! Writes entries, and takes leases.

use super::open::Sqlite;
use crate::ledger::chain::{Head, Link, stamp};
use crate::ledger::checkpoint::{Checkpoint, to_the_nanosecond};
use crate::ledger::entry::{Also, Entry, Fence};
use crate::ledger::error::LedgerError;
use crate::ledger::event::Event;
use crate::ledger::finding::FindingText;
use crate::ledger::hold::LedgerHold;
use crate::ledger::holder::Holder;
use crate::ledger::run::RunRow;
use sqlx::sqlite::SqliteConnection;

impl Sqlite {
    /// Records an entry: reads the head, appends, projects, commits. Gives the new head.
    ///
    /// `BEGIN IMMEDIATE` takes the write lock before the head is read, so two processes never append to the same one. A crash
    /// before the commit leaves the ledger as it was, one after it leaves the whole entry.
    ///
    /// # Errors
    /// Busy, unwritable, or the fence does not hold: nothing was recorded.
    pub async fn commit(&self, entry: &Entry<'_>) -> Result<Head, LedgerError> {
        let mut tx = self.writer()?.begin_with("BEGIN IMMEDIATE").await.map_err(|error| self.writing(error))?;
        if let Some(fence) = entry.fence {
            self.hold_fence(&mut tx, fence).await?;
        }
        let mut head = newest(&mut tx).await.map_err(|error| self.writing(error))?.unwrap_or_else(Head::genesis);
        for event in &entry.events {
            if let Event::Intent { holds, .. } = event {
                self.hold_the_holds(&mut tx, *holds).await?;
            }
            let link = Link::after(&head, entry.run, entry.at, event);
            let link = link.map_err(|source| LedgerError::Event { path: self.path.to_path_buf(), source })?;
            insert(&mut tx, &link).await.map_err(|error| self.writing(error))?;
            self.project(&mut tx, entry, &link, event).await?;
            head = link.head();
        }
        also(&mut tx, entry, head.seq).await.map_err(|error| self.writing(error))?;
        tx.commit().await.map_err(|error| self.writing(error))?;
        Ok(head)
    }

    /// Refuses when the lease has gone to another run.
    async fn hold_fence(&self, tx: &mut SqliteConnection, fence: Fence<'_>) -> Result<(), LedgerError> {
        if holds(tx, fence.job, fence.token).await.map_err(|error| self.writing(error))? {
            return Ok(());
        }
        let (job, run) = (fence.job.to_owned(), fence.run.to_owned());
        Err(LedgerError::LeaseLost { path: self.path.to_path_buf(), job, run })
    }

    /// Refuses an intent when a hold was added, seen or released after the event up to which it knows the holds.
    ///
    /// In the intent's own transaction, so that no hold that stands before an intent in the chain is unknown to it: held by
    /// `an_intent_that_does_not_know_the_newest_hold_is_refused`.
    async fn hold_the_holds(&self, tx: &mut SqliteConnection, known: i64) -> Result<(), LedgerError> {
        let newer = "SELECT count(*) FROM event WHERE seq > ? AND kind IN ('hold_added', 'hold_seen', 'hold_released')";
        let newer: i64 = sqlx::query_scalar(newer).bind(known).fetch_one(tx).await.map_err(|error| self.writing(error))?;
        if newer == 0 { Ok(()) } else { Err(LedgerError::HoldsChanged { path: self.path.to_path_buf() }) }
    }

    /// Writes what follows from an event into the tables that are asked for it.
    async fn project(&self, tx: &mut SqliteConnection, entry: &Entry<'_>, link: &Link, event: &Event) -> Result<(), LedgerError> {
        let run = entry.run.unwrap_or_default();
        let done = match event {
            Event::RunStarted { .. } => match RunRow::begun(event, link.seq, entry.at, run) {
                Some(row) => begin_run(tx, &row).await,
                None => Ok(()),
            },
            Event::RunEnded { outcome, exit, .. } => {
                let end = sqlx::query("UPDATE run SET ended = ?, outcome = ?, exit = ? WHERE id = ? AND ended IS NULL");
                let end = end.bind(&link.at).bind(outcome.word()).bind(i64::from(*exit)).bind(run).execute(&mut *tx).await;
                if end.as_ref().is_ok_and(|end| end.rows_affected() == 0) {
                    return Err(LedgerError::NoSuchRun { path: self.path.to_path_buf(), run: run.to_owned() });
                }
                end.map(drop)
            }
            Event::Intent { batch, .. } => {
                let open = sqlx::query("INSERT INTO open_intent (batch, seq, run) VALUES (?, ?, ?)");
                open.bind(batch).bind(link.seq).bind(run).execute(&mut *tx).await.map(drop)
            }
            Event::HoldReleased { name, by, why } => {
                let release =
                    "UPDATE hold SET released = ?, released_by = ?, released_why = ? WHERE name = ? AND released IS NULL";
                sqlx::query(release).bind(&link.at).bind(by).bind(why).bind(name).execute(&mut *tx).await.map(drop)
            }
            Event::HoldAdded { .. } | Event::HoldSeen { .. } => match LedgerHold::of(event, link.seq, entry.at) {
                Some(hold) => put_hold(tx, &hold).await,
                None => Ok(()),
            },
            _ => match event.closes() {
                Some(batch) => {
                    sqlx::query("DELETE FROM open_intent WHERE batch = ?").bind(batch).execute(&mut *tx).await.map(drop)
                }
                None => Ok(()),
            },
        };
        done.map_err(|error| self.writing(error))
    }

    /// Takes the write lock, writes nothing, and gives it back.
    ///
    /// # Errors
    /// What would keep the next event from being recorded, as far as the system says it before.
    pub async fn can_write(&self) -> Result<(), LedgerError> {
        let tx = self.writer()?.begin_with("BEGIN IMMEDIATE").await.map_err(|error| self.writing(error))?;
        tx.rollback().await.map_err(|error| self.writing(error))
    }

    /// Notes who has a job's lock from now on; gives the fencing token, higher than any before.
    ///
    /// The caller has the lock file already, so whoever stands in the row is dead or lost it.
    ///
    /// # Errors
    /// Busy or unwritable.
    pub async fn take_lease(&self, job: &str, holder: &Holder) -> Result<i64, LedgerError> {
        let take = "INSERT INTO lease (job, token, run, since, host, pid, released) VALUES (?1, 1, ?2, ?3, ?4, ?5, 0)
            ON CONFLICT (job) DO UPDATE SET token = token + 1, run = ?2, since = ?3, host = ?4, pid = ?5, released = 0
            RETURNING token";
        let mut tx = self.writer()?.begin_with("BEGIN IMMEDIATE").await.map_err(|error| self.writing(error))?;
        let take = sqlx::query_scalar(take).bind(job).bind(&holder.run).bind(stamp(holder.since));
        let take = take.bind(&holder.host).bind(i64::from(holder.pid)).fetch_one(&mut *tx).await;
        let token: i64 = take.map_err(|error| self.writing(error))?;
        let Holder { run, since, host, pid } = holder.clone();
        let event = Event::LeaseTaken { job: job.to_owned(), token, host, pid };
        let head = newest(&mut tx).await.map_err(|error| self.writing(error))?.unwrap_or_else(Head::genesis);
        let link = Link::after(&head, Some(&run), since, &event);
        let link = link.map_err(|source| LedgerError::Event { path: self.path.to_path_buf(), source })?;
        insert(&mut tx, &link).await.map_err(|error| self.writing(error))?;
        tx.commit().await.map_err(|error| self.writing(error))?;
        Ok(token)
    }

    /// Notes that a lease was given back. One that another run has meanwhile is left alone.
    ///
    /// # Errors
    /// Busy or unwritable.
    pub async fn release_lease(&self, job: &str, token: i64) -> Result<(), LedgerError> {
        let release = sqlx::query("UPDATE lease SET released = 1 WHERE job = ? AND token = ?").bind(job).bind(token);
        release.execute(self.writer()?).await.map(drop).map_err(|error| self.writing(error))
    }
}

/// Whether the lease of that token is in force.
pub(super) async fn holds(connection: &mut SqliteConnection, job: &str, token: i64) -> Result<bool, sqlx::Error> {
    let holds = "SELECT count(*) FROM lease WHERE job = ? AND token = ? AND released = 0";
    sqlx::query_scalar::<_, i64>(holds).bind(job).bind(token).fetch_one(connection).await.map(|count| count == 1)
}

/// The newest event's head.
pub(super) async fn newest(connection: &mut SqliteConnection) -> Result<Option<Head>, sqlx::Error> {
    let newest = sqlx::query_as("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1");
    Ok(newest.fetch_optional(connection).await?.map(|(seq, hash)| Head { seq, hash }))
}

async fn insert(tx: &mut SqliteConnection, link: &Link) -> Result<(), sqlx::Error> {
    let insert = sqlx::query("INSERT INTO event (seq, at, run, kind, body, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?)");
    let insert = insert.bind(link.seq).bind(&link.at).bind(&link.run).bind(&link.kind);
    insert.bind(&link.body).bind(&link.prev).bind(&link.hash).execute(tx).await.map(drop)
}

async fn begin_run(tx: &mut SqliteConnection, row: &RunRow) -> Result<(), sqlx::Error> {
    let begin = "INSERT INTO run (id, seq, job, action, mode, dry_run, as_of, started) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    let begin = sqlx::query(begin).bind(&row.id).bind(row.seq).bind(&row.job).bind(&row.action).bind(row.mode_word());
    begin.bind(row.dry_run).bind(stamp(row.as_of)).bind(stamp(row.started)).execute(tx).await.map(drop)
}

/// A hold that was released comes back as a new one under the same identity; the events keep both lives.
async fn put_hold(tx: &mut SqliteConnection, hold: &LedgerHold) -> Result<(), sqlx::Error> {
    let put = "INSERT OR REPLACE INTO hold (id, seq, name, dataset, condition, because, owner, origin, noted, since)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let put = sqlx::query(put).bind(&hold.id).bind(hold.seq).bind(&hold.name).bind(&hold.dataset).bind(&hold.condition);
    let put = put.bind(&hold.because).bind(&hold.owner).bind(hold.origin.word()).bind(&hold.noted).bind(stamp(hold.since));
    put.execute(tx).await.map(drop)
}

async fn also(tx: &mut SqliteConnection, entry: &Entry<'_>, seq: i64) -> Result<(), sqlx::Error> {
    let run = entry.run.unwrap_or_default();
    match &entry.also {
        Also::Nothing => Ok(()),
        Also::Report(text) => {
            sqlx::query("UPDATE run SET report = ? WHERE id = ?").bind(*text).bind(run).execute(tx).await.map(drop)
        }
        Also::Findings(rows) => put_findings(tx, seq, rows).await,
        Also::Checkpoint(pass) => put_pass(tx, pass).await,
        Also::PassEnded(job, dataset, policy) => {
            let end = sqlx::query("DELETE FROM pass WHERE job = ? AND dataset = ? AND policy = ?");
            end.bind(*job).bind(*dataset).bind(*policy).execute(tx).await.map(drop)
        }
    }
}

async fn put_findings(tx: &mut SqliteConnection, seq: i64, rows: &[FindingText]) -> Result<(), sqlx::Error> {
    for (position, [run, check, outcome, body]) in (0_i64..).zip(rows) {
        let put = sqlx::query("INSERT INTO finding (seq, position, run, check_name, outcome, body) VALUES (?, ?, ?, ?, ?, ?)");
        put.bind(seq).bind(position).bind(run).bind(check).bind(outcome).bind(body).execute(&mut *tx).await?;
    }
    Ok(())
}

async fn put_pass(tx: &mut SqliteConnection, pass: &Checkpoint) -> Result<(), sqlx::Error> {
    let put = "INSERT OR REPLACE INTO pass (job, dataset, policy, fingerprint, as_of, cursor) VALUES (?, ?, ?, ?, ?, ?)";
    let put = sqlx::query(put).bind(&pass.job).bind(&pass.dataset).bind(&pass.policy).bind(&pass.fingerprint);
    let cursor = pass.cursor.as_ref().map(ToString::to_string);
    put.bind(to_the_nanosecond(pass.as_of)).bind(cursor).execute(tx).await.map(drop)
}
