//! One run of a job at a time: the operating system's lock decides, a fencing token in the ledger guards what is written.

use super::chain::Head;
use super::checkpoint::Checkpoint;
use super::entry::{Also, Entry, Fence};
use super::error::LedgerError;
use super::event::Event;
use super::holder::Holder;
use super::ledger::Ledger;
use super::lockfile::LockFile;
use chrono::{DateTime, Utc};
use std::path::Path;
use std::time::Duration;

/// Between two tries at the gate, and at a lock that is just being given back.
const AGAIN: Duration = Duration::from_millis(50);
/// How often.
const TRIES: u32 = 40;

/// A job's lock, held by a run until it is released or dropped.
///
/// The lock file `<ledger>.locks/<job>.lock` decides and is free as soon as the process is gone, however it went. The token
/// in the ledger rises with every lease: should somebody remove the lock file and another run take its place, everything
/// written under this lease is refused from then on. Lock files need a local disk; a ledger on NFS is not supported.
#[derive(Debug)]
pub struct Lease {
    ledger: Ledger,
    lock: LockFile,
    job: String,
    run: String,
    token: i64,
}

/// A lease that was not given.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Another run has it.
    #[error("job `{job}` did not start: {} holds its lock", .holder.as_ref().map_or_else(|| "another run".to_owned(), named))]
    Held {
        /// The job.
        job: String,
        /// Who; none when it has not told within two seconds.
        holder: Option<Holder>,
    },
    /// The ledger or its lock folder cannot be written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

fn named(holder: &Holder) -> String {
    let Holder { run, since, host, pid } = holder;
    format!("run {run} (process {pid} on {host}, since {})", since.format("%Y-%m-%dT%H:%M:%SZ"))
}

impl Ledger {
    /// Takes the job's lock for a run. What a dead process left in the ledger is taken over.
    ///
    /// Taking it and writing down who has it is one step, behind a gate: whoever finds the lock taken there reads the name of
    /// the run that has it, and never that of the run before.
    ///
    /// # Errors
    /// Another run has it; the ledger or its lock folder cannot be written.
    pub async fn lease(&self, job: &str, run: &str, now: DateTime<Utc>) -> Result<Lease, LeaseError> {
        let held = |holder| LeaseError::Held { job: job.to_owned(), holder };
        let Some(_gate) = self.gate(job).await? else { return Err(held(None)) };
        for _ in 0..TRIES {
            if let Some(lock) = self.try_lock(&self.db.lock_path(job))? {
                return self.lease_under(lock, job, run, now).await;
            }
            if let Some(holder) = self.db.holder(job).await? {
                return Err(held(Some(holder)));
            }
            // It told the ledger that it ended, and is about to let go.
            tokio::time::sleep(AGAIN).await;
        }
        Err(held(None))
    }

    /// The gate before the job's lock; none when somebody else is at it all the while.
    async fn gate(&self, job: &str) -> Result<Option<LockFile>, LedgerError> {
        let path = self.db.gate_path(job);
        for _ in 0..TRIES {
            if let Some(gate) = self.try_lock(&path)? {
                return Ok(Some(gate));
            }
            tokio::time::sleep(AGAIN).await;
        }
        Ok(None)
    }

    /// The lock of `serve`: one process ticks by a ledger. None while another one has it.
    ///
    /// # Errors
    /// The lock folder cannot be written.
    pub fn serve_lock(&self) -> Result<Option<LockFile>, LedgerError> {
        self.try_lock(&self.db.serve_lock_path())
    }

    /// Whether a run without an end is still at it: it has the lock of its job, and its process lives. None where that cannot be known.
    ///
    /// Nobody who wants the lock finds it taken by this question: they wait at the gate meanwhile.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn is_under_way(&self, job: &str, run: &str) -> Result<Option<bool>, LedgerError> {
        for _ in 0..TRIES {
            let Ok(gate) = std::fs::File::open(self.db.gate_path(job)) else { return Ok(None) };
            if gate.try_lock().is_ok() {
                let is_taken = LockFile::is_taken(&self.db.lock_path(job)).ok();
                let is_holder = self.db.holder(job).await?.is_some_and(|holder| holder.run == run);
                return Ok(is_taken.map(|is_taken| is_taken && is_holder));
            }
            tokio::time::sleep(AGAIN).await;
        }
        Ok(None)
    }

    /// Whether a run of the job could take its lock and write its first line.
    ///
    /// # Errors
    /// What would keep it from that.
    pub async fn takes_runs_of(&self, job: &str) -> Result<(), LedgerError> {
        for path in [self.db.gate_path(job), self.db.lock_path(job)] {
            crate::file_owner::open(&path).map_err(|error| self.locked_out(&path, &error))?;
        }
        self.db.can_write().await
    }

    fn locked_out(&self, path: &Path, error: &std::io::Error) -> LedgerError {
        let why = format!("its lock `{}`: {error}", path.display());
        LedgerError::Unwritable { path: self.path().to_owned(), why }
    }

    fn try_lock(&self, path: &Path) -> Result<Option<LockFile>, LedgerError> {
        LockFile::try_take(path).map_err(|error| self.locked_out(path, &error))
    }

    /// Writes down who has the lock.
    async fn lease_under(&self, lock: LockFile, job: &str, run: &str, now: DateTime<Utc>) -> Result<Lease, LeaseError> {
        let host = hostname::get().map_or_else(|_| "unknown host".to_owned(), |host| host.to_string_lossy().into_owned());
        let holder = Holder { run: run.to_owned(), since: now, host, pid: std::process::id() };
        let token = self.db.take_lease(job, &holder).await?;
        Ok(Lease { ledger: self.clone(), lock, job: job.to_owned(), run: run.to_owned(), token })
    }

    /// Records an event of the run that holds the lease.
    ///
    /// # Errors
    /// Busy, unwritable, or the lease is another run's now: nothing was recorded, and the run stops.
    pub async fn append_under(&self, lease: &Lease, event: &Event, at: DateTime<Utc>) -> Result<Head, LedgerError> {
        self.db.commit(&lease.entry(vec![event.clone()], at, Also::Nothing)?).await
    }

    /// Records a batch's outcome and how far its pass got, together: a crash never leaves one without the other.
    ///
    /// # Errors
    /// As [`Ledger::append_under`].
    pub async fn append_with_checkpoint(
        &self,
        lease: &Lease,
        event: &Event,
        pass: &Checkpoint,
        at: DateTime<Utc>,
    ) -> Result<Head, LedgerError> {
        let mut event = event.clone();
        if let Event::Outcome { pass: bound, .. } = &mut event {
            *bound = Some(pass.digest());
        }
        self.db.commit(&lease.entry(vec![event], at, Also::Checkpoint(pass))?).await
    }

    /// Notes how far a pass got.
    ///
    /// # Errors
    /// As [`Ledger::append_under`].
    pub async fn save_pass(&self, lease: &Lease, pass: &Checkpoint, at: DateTime<Utc>) -> Result<(), LedgerError> {
        self.db.commit(&lease.entry(vec![], at, Also::Checkpoint(pass))?).await.map(drop)
    }

    /// Notes that the pass of the lease's job over a dataset is over; the next one starts anew.
    ///
    /// # Errors
    /// As [`Ledger::append_under`].
    pub async fn end_checkpoint(&self, lease: &Lease, dataset: &str, policy: &str, at: DateTime<Utc>) -> Result<(), LedgerError> {
        self.db.commit(&lease.entry(vec![], at, Also::PassEnded(&lease.job, dataset, policy))?).await.map(drop)
    }
}

impl Lease {
    /// The fencing token: higher than that of every lease of the job before.
    pub const fn token(&self) -> i64 {
        self.token
    }

    /// The job.
    pub fn job(&self) -> &str {
        &self.job
    }

    /// The run.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Whether it is still ours, in the ledger and on the disk. Ask before each batch.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn still_held(&self) -> Result<bool, LedgerError> {
        Ok(self.lock.is_still_there() && self.ledger.db.holds_lease(&self.job, self.token).await?)
    }

    /// Gives it back, and says so in the ledger. Dropping it frees the lock as well; the note is then the next run's to replace.
    ///
    /// # Errors
    /// Busy or unwritable; the lock is free all the same.
    pub async fn release(self) -> Result<(), LedgerError> {
        self.ledger.db.release_lease(&self.job, self.token).await
    }

    /// What is recorded under this lease; refused here when the lock file went, and by the ledger when the token did.
    fn entry<'a>(&'a self, events: Vec<Event>, at: DateTime<Utc>, also: Also<'a>) -> Result<Entry<'a>, LedgerError> {
        if !self.lock.is_still_there() {
            let path = self.ledger.path().to_owned();
            return Err(LedgerError::LeaseLost { path, job: self.job.clone(), run: self.run.clone() });
        }
        let fence = Some(Fence { job: &self.job, run: &self.run, token: self.token });
        Ok(Entry { run: Some(&self.run), at, fence, events, also })
    }
}
