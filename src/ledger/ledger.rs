//! The ledger itself: what may be asked of it and told to it, whatever database keeps it.

use super::chain::{Head, Link, sha256};
use super::checkpoint::Checkpoint;
use super::entry::{Also, Entry};
use super::error::LedgerError;
use super::event::{Event, OpenIntent, ReportFile};
use super::fault::Verification;
use super::finding::{self, FindingRow, FindingText, PastFinding};
use super::hold::{self, FileHold, LedgerHold, NewHold};
use super::run::{DryRuns, NewRun, RunRow};
use super::sqlite::open::Sqlite;
use super::verify::Verifier;
use crate::job::outcome::Outcome;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Mutex;

/// An open ledger. Cheap to clone; clones share their connections.
///
/// Every method that writes is one transaction: when it returns, its events are on the disk; when it fails, nothing of it is.
/// A caller that gets an error from one does nothing else to any store.
#[derive(Debug, Clone)]
pub struct Ledger {
    pub(super) db: Sqlite,
    /// What was read of the chain, by this process: see [`Ledger::check`].
    pub(super) checked: Arc<Mutex<Option<Verifier>>>,
}

impl Ledger {
    /// Opens the ledger at `path`; makes it, and the folders above it, where there is none.
    ///
    /// # Errors
    /// It cannot be written, is no ledger, or a newer steward's.
    pub async fn open(path: &Path) -> Result<Self, LedgerError> {
        Sqlite::open(path).await.map(Self::on)
    }

    /// Opens the ledger at `path` for reading only, as `plan` and `audit` do; none where there is none yet.
    ///
    /// # Errors
    /// It cannot be read, is no ledger, or one of a newer or older steward.
    pub async fn open_existing(path: &Path) -> Result<Option<Self>, LedgerError> {
        Ok(Sqlite::open_existing(path).await?.map(Self::on))
    }

    fn on(db: Sqlite) -> Self {
        Self { db, checked: Arc::default() }
    }

    /// Where it lies, as it was named.
    pub fn path(&self) -> &Path {
        &self.db.path
    }

    /// Closes its connections. Worth waiting for before the process ends: the write-ahead log is folded into the file.
    pub async fn close(&self) {
        self.db.close().await;
    }

    // The chain

    /// Records an event. For what a running job does, [`Ledger::append_under`] also holds its lease.
    ///
    /// # Errors
    /// Busy or unwritable: the event was not recorded.
    pub async fn append(&self, run: Option<&str>, event: &Event, at: DateTime<Utc>) -> Result<Head, LedgerError> {
        self.db.commit(&Entry::of(run, event.clone(), at)).await
    }

    /// The newest event; none before the first.
    ///
    /// # Errors
    /// The ledger cannot be read; so for every question below.
    pub async fn head(&self) -> Result<Option<Head>, LedgerError> {
        self.db.head().await
    }

    /// The events of a run, or all of them, oldest first.
    ///
    /// # Errors
    /// See [`Ledger::head`].
    pub async fn events(&self, run: Option<&str>) -> Result<Vec<Link>, LedgerError> {
        self.db.events(run, 0, u32::MAX).await
    }

    /// At most `limit` events that follow event `after`, for an export that need not fit into memory.
    ///
    /// # Errors
    /// See [`Ledger::head`].
    pub async fn events_after(&self, after: i64, limit: u32) -> Result<Vec<Link>, LedgerError> {
        self.db.events(None, after, limit).await
    }

    /// Reads everything once and says what was edited, removed, moved or put there; with a head from a mail, also what was cut off.
    ///
    /// # Errors
    /// The ledger cannot be read at all. What is wrong *in* it is in the verification.
    pub async fn verify(&self, expected_head: Option<&str>) -> Result<Verification, LedgerError> {
        self.verify_with_reports(expected_head, None).await
    }

    /// The same, and whether the reports in that folder are what the chain says of them.
    ///
    /// # Errors
    /// As [`Ledger::verify`].
    pub async fn verify_with_reports(&self, head: Option<&str>, reports: Option<&Path>) -> Result<Verification, LedgerError> {
        let mut verifier = Verifier::new(head);
        self.db.show(&mut verifier).await?;
        reports.into_iter().for_each(|folder| verifier.look_at_reports(folder));
        Ok(verifier.verdict())
    }

    // Runs

    /// Records that a run begins.
    ///
    /// # Errors
    /// Busy or unwritable: the run may not begin.
    pub async fn start_run(&self, run: &NewRun) -> Result<Head, LedgerError> {
        let NewRun { id, job, action, mode, dry_run, as_of, started, started_by } = run.clone();
        let event = Event::RunStarted { job, action, mode, dry_run, as_of, started_by };
        self.db.commit(&Entry::of(Some(&id), event, started)).await
    }

    /// Records how a run ended, and its report. The event carries the report's hash, so a report edited later is found.
    ///
    /// # Errors
    /// Busy, unwritable, or no such run is under way.
    pub async fn end_run(&self, id: &str, ended: DateTime<Utc>, outcome: Outcome, report: &Value) -> Result<Head, LedgerError> {
        self.end_run_with(id, ended, outcome, report, None).await
    }

    /// The same, with the files of the report, so that a page edited or lost later is found too.
    ///
    /// # Errors
    /// Busy, unwritable, or no such run is under way.
    pub async fn end_run_with(
        &self,
        id: &str,
        ended: DateTime<Utc>,
        outcome: Outcome,
        report: &Value,
        files: Option<Vec<ReportFile>>,
    ) -> Result<Head, LedgerError> {
        let report = report.to_string();
        let event = Event::RunEnded { outcome, exit: outcome.exit(), report_sha256: sha256(report.as_bytes()), files };
        self.db.commit(&Entry { also: Also::Report(&report), ..Entry::of(Some(id), event, ended) }).await
    }

    /// The newest runs, newest first.
    ///
    /// # Errors
    /// See [`Ledger::head`].
    pub async fn runs(&self, job: Option<&str>, limit: u32) -> Result<Vec<RunRow>, LedgerError> {
        self.db.runs(job, limit).await
    }

    /// The run whose id is `part`, or begins or ends with it; none when there is no such run.
    ///
    /// Ids are UUID v7: their beginning is the time, so the *end* is what tells two runs of one minute apart.
    ///
    /// # Errors
    /// Several fit; or see [`Ledger::head`].
    pub async fn run(&self, part: &str) -> Result<Option<RunRow>, LedgerError> {
        if part.is_empty() {
            return Ok(None);
        }
        let mut runs = self.db.runs_named(part).await?;
        match runs.len() {
            0 | 1 => Ok(runs.pop()),
            count => Err(LedgerError::Ambiguous { path: self.path().to_owned(), part: part.to_owned(), count }),
        }
    }

    /// The job's newest run that ended and began before run `before`: what `report.when: changed` compares with.
    ///
    /// # Errors
    /// See [`Ledger::head`].
    pub async fn last_ended(&self, job: &str, before: &str, dry_runs: DryRuns) -> Result<Option<RunRow>, LedgerError> {
        self.db.last_ended(job, before, dry_runs).await
    }

    /// The job's runs in a row, right before run `run`, that did not end well: since when, and how many. None when the last did.
    ///
    /// # Errors
    /// See [`Ledger::head`].
    pub async fn failing_before(&self, job: &str, run: &str) -> Result<Option<(DateTime<Utc>, u64)>, LedgerError> {
        self.db.failing_before(job, run).await
    }

    /// Whether a mail about the job went out, or waits, from a run that began after `since` and before run `run`.
    ///
    /// # Errors
    /// See [`Ledger::head`].
    pub async fn mailed_since(&self, job: &str, run: &str, since: DateTime<Utc>) -> Result<bool, LedgerError> {
        self.db.mailed_since(job, run, since).await
    }

    /// The job's newest run, whether it ended or not; those of `--dry-run` left out.
    ///
    /// # Errors
    /// See [`Ledger::head`].
    pub async fn last_run(&self, job: &str) -> Result<Option<RunRow>, LedgerError> {
        self.db.last_run(job).await
    }

    /// When the job's newest run began that nobody needs to repeat: it ended, and not for a temporary reason. Ticks after it
    /// were missed, or cut short by a stop.
    ///
    /// # Errors
    /// See [`Ledger::head`].
    pub async fn last_concluded(&self, job: &str) -> Result<Option<DateTime<Utc>>, LedgerError> {
        self.db.last_concluded(job).await
    }

    /// The run of the job that began a batch under the plan of that digest, if there is one.
    ///
    /// # Errors
    /// See [`Ledger::head`].
    pub async fn run_under_plan(&self, plan: &str, job: &str) -> Result<Option<String>, LedgerError> {
        self.db.run_under_plan(plan, job).await
    }

    /// The job's batches that were begun and of which nobody wrote how they ended, oldest first. Settle them before anything else.
    ///
    /// # Errors
    /// See [`Ledger::head`].
    pub async fn open_intents(&self, job: &str) -> Result<Vec<OpenIntent>, LedgerError> {
        self.check().await?;
        self.db.open_intents(job).await
    }

    // Passes

    /// How far the pass of a job over a dataset got; none when it is over or never began.
    ///
    /// # Errors
    /// See [`Ledger::head`].
    pub async fn checkpoint(&self, job: &str, dataset: &str, policy: &str) -> Result<Option<Checkpoint>, LedgerError> {
        self.db.checkpoint(job, dataset, policy).await
    }

    // Findings

    /// Records what a run's checks saw.
    ///
    /// # Errors
    /// Busy or unwritable.
    pub async fn record_findings(&self, run: &str, findings: &[FindingRow], at: DateTime<Utc>) -> Result<Head, LedgerError> {
        let rows: Vec<FindingText> = findings.iter().map(|finding| finding.text(run)).collect();
        let event = Event::Findings { count: rows.len() as u64, sha256: finding::digest(&rows) };
        self.db.commit(&Entry { also: Also::Findings(&rows), ..Entry::of(Some(run), event, at) }).await
    }

    /// For each check of the job, what it saw last before run `before`; runs of `--dry-run` left out.
    ///
    /// # Errors
    /// See [`Ledger::head`].
    pub async fn last_findings(&self, job: &str, before: &str) -> Result<Vec<FindingRow>, LedgerError> {
        self.db.last_findings(job, before).await
    }

    /// What the checks of the job saw in its newest `runs` runs before run `before`, newest first; runs of `--dry-run` left out.
    ///
    /// # Errors
    /// See [`Ledger::head`].
    pub async fn past_findings(&self, job: &str, before: &str, runs: u32) -> Result<Vec<PastFinding>, LedgerError> {
        self.db.past_findings(job, before, runs).await
    }

    // Holds

    /// Every hold the ledger knows, those that were released too, oldest first; held against the chain before it is told.
    ///
    /// # Errors
    /// See [`Ledger::head`].
    pub async fn holds(&self) -> Result<Vec<LedgerHold>, LedgerError> {
        self.check().await?;
        self.db.holds().await
    }

    /// Puts down a hold, in force from the next batch of any job on.
    ///
    /// # Errors
    /// Busy, unwritable, or one of that name was put down before and is in force.
    pub async fn add_hold(&self, hold: &NewHold, at: DateTime<Utc>) -> Result<Head, LedgerError> {
        let NewHold { name, dataset, condition, because, owner, by } = hold.clone();
        if self.holds().await?.iter().any(|held| held.in_force() && held.origin == hold::Origin::Command && held.name == name) {
            return Err(LedgerError::HoldInForce { path: self.path().to_owned(), name });
        }
        let event = Event::HoldAdded { name, dataset, condition, because, owner, by };
        self.db.commit(&Entry::of(None, event, at)).await
    }

    /// Ends every hold of that name. One that still stands in a file is seen again with the next run, and in force.
    ///
    /// # Errors
    /// Busy, unwritable, or none of that name is in force.
    pub async fn release_hold(&self, name: &str, by: &str, why: &str, at: DateTime<Utc>) -> Result<Head, LedgerError> {
        if !self.holds().await?.iter().any(|hold| hold.in_force() && hold.name == name) {
            return Err(LedgerError::NoSuchHold { path: self.path().to_owned(), name: name.to_owned() });
        }
        let event = Event::HoldReleased { name: name.to_owned(), by: by.to_owned(), why: why.to_owned() };
        self.db.commit(&Entry::of(None, event, at)).await
    }

    /// Learns the holds that stand in the files (all of them, not one job's), and gives those that once did and no longer do:
    /// they stay in force until they are released. Writes only when there is something new.
    ///
    /// # Errors
    /// Busy or unwritable.
    pub async fn see_file_holds(&self, files: &[FileHold], at: DateTime<Utc>) -> Result<Vec<LedgerHold>, LedgerError> {
        let known = self.holds().await?;
        let events = hold::unseen(&known, files);
        if !events.is_empty() {
            self.db.commit(&Entry { run: None, at, fence: None, events, also: Also::Nothing }).await?;
        }
        Ok(hold::remembered(&known, files))
    }

    /// The same holds without learning anything: for `plan` and `--dry-run`.
    ///
    /// # Errors
    /// See [`Ledger::head`].
    pub async fn remembered_holds(&self, files: &[FileHold]) -> Result<Vec<LedgerHold>, LedgerError> {
        Ok(hold::remembered(&self.holds().await?, files))
    }
}
