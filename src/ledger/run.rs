//! A run as the ledger keeps it.

use super::event::Event;
use crate::job::origin::StartedBy;
use crate::job::outcome::Outcome;
use crate::job::spec::Mode;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

/// A run that is about to begin.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    /// A UUID v7, made by the caller.
    pub id: String,
    /// The job.
    pub job: String,
    /// The action.
    pub action: String,
    /// The job's mode.
    pub mode: Mode,
    /// True for `--dry-run` only; a run that merely observes is one of the job's own runs.
    pub dry_run: bool,
    /// The instant that "older than" is measured from.
    pub as_of: DateTime<Utc>,
    /// When it begins.
    pub started: DateTime<Utc>,
    /// Who starts it.
    pub started_by: Option<StartedBy>,
}

/// A run that has begun, and how it ended if it did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunRow {
    /// The run's id.
    pub id: String,
    /// Its first event's place in the chain; runs are told in this order, whatever their clocks said.
    pub seq: i64,
    /// The job.
    pub job: String,
    /// The action.
    pub action: String,
    /// The job's mode.
    pub mode: Mode,
    /// True for `--dry-run`.
    pub dry_run: bool,
    /// The instant that "older than" is measured from.
    pub as_of: DateTime<Utc>,
    /// When it began.
    pub started: DateTime<Utc>,
    /// Who started it, as its first event says; none for a run of an older steward.
    pub started_by: Option<StartedBy>,
    /// When it ended; absent while it runs, and for ever when it died.
    pub ended: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Its exit code.
    pub exit: Option<u8>,
    /// The report as it was recorded.
    pub report: Option<Value>,
}

/// Whether runs of `--dry-run` count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DryRuns {
    /// They do.
    Counted,
    /// They do not; runs of a job that observes still do.
    Skipped,
}

impl RunRow {
    /// The run that its first event says; none for any other event.
    pub fn begun(event: &Event, seq: i64, at: DateTime<Utc>, id: &str) -> Option<Self> {
        match event {
            Event::RunStarted { job, action, mode, dry_run, as_of, started_by } => Some(Self {
                id: id.to_owned(),
                seq,
                job: job.clone(),
                action: action.clone(),
                mode: *mode,
                dry_run: *dry_run,
                as_of: *as_of,
                started: at,
                started_by: started_by.clone(),
                ended: None,
                outcome: None,
                exit: None,
                report: None,
            }),
            _ => None,
        }
    }

    /// The word that is stored for the mode.
    pub const fn mode_word(&self) -> &'static str {
        match self.mode {
            Mode::Observe => "observe",
            Mode::Enforce => "enforce",
        }
    }
}
