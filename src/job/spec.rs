//! A job as declared in `jobs/<name>.yaml`.

use crate::place::Place;
use crate::policy::period::Period;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// One job. Its name is the file's stem, and with it the `run-job` word, the lock, the log field and the CronJob's name.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// `[a-z0-9-]`, at most 52 characters.
    pub name: String,
    /// The action's name, one of the table in `actions`.
    pub action: String,
    /// Names or globs of the policies it acts on.
    pub policies: Vec<String>,
    /// Five-field cron line; a job without one runs by hand only.
    pub schedule: Option<String>,
    /// Jobs that must have ended before it starts, where they had a tick at or before its own.
    pub after: Vec<String>,
    /// The calendar of the schedule and of every period. UTC by default.
    pub timezone: Tz,
    /// Stops between batches once it is used up; the next run goes on.
    pub budget: Option<Period>,
    /// What it waits for between batches.
    pub pause: Pause,
    /// Under `serve`, the pause before a run that ended `temporary` is tried again; five minutes where it does not say.
    pub retry_after: Option<Period>,
    /// Whether it acts or only looks.
    pub mode: Mode,
    /// Who is told, and when.
    pub report: ReportRule,
    /// Where it was declared.
    pub place: Place,
}

/// What a job waits for between batches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pause {
    /// It waits while a replica lags more than this.
    pub replica_lag: Option<Period>,
    /// The replicas that are asked; the store that is acted on, about those that it knows of, when empty.
    pub replicas: Vec<String>,
    /// It waits while this gives more than zero.
    pub query: Option<PauseQuery>,
}

/// A query that says whether to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseQuery {
    /// The store that is asked.
    pub store: String,
    /// One SELECT that gives one number.
    pub sql: String,
}

/// Whether a job acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A dry run that is recorded and reported.
    #[default]
    Observe,
    /// Acts.
    Enforce,
}

/// Who is told about a run, and when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReportRule {
    /// Mail addresses; those of the configuration when empty.
    pub to: Vec<String>,
    /// When a mail goes out. The report itself is always written.
    pub when: ReportWhen,
}

/// When a mail goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReportWhen {
    /// After every run.
    Always,
    /// When something was done, or anything differs from the last run's findings, refusals or failures.
    #[default]
    Changed,
    /// When the outcome is not `done`.
    Failed,
}
