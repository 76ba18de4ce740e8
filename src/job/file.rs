//! What may stand in `jobs/<name>.yaml`.

use super::spec::{Mode, ReportWhen};
use crate::policy::parse::Zone;
use crate::policy::period::Period;
use crate::yaml::node::At;
use schemars::JsonSchema;
use serde::Deserialize;

/// When, and which action on which policies. The file's name is the job's: `[a-z0-9-]`, at most 52 characters.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "a job", deny_unknown_fields)]
#[schemars(rename = "JobFile")]
pub struct JobFile {
    /// What is done: `archive`, `delete`.
    pub action: At<String>,
    /// Names or globs of policies; each must match one.
    pub policies: At<Vec<At<String>>>,
    /// Five cron fields; a job without it runs by hand only.
    pub schedule: Option<At<String>>,
    /// Jobs that must have ended before it starts under `serve`, where they are due in the same night.
    pub after: Option<Vec<At<String>>>,
    /// The calendar of the schedule and of every period; UTC by default.
    pub timezone: Option<Zone>,
    /// Stops between batches once it is used up; the next run goes on.
    pub budget: Option<At<Period>>,
    /// What the job waits for.
    pub pause_when: Option<PauseEntry>,
    /// When a run that ended `temporary` is tried again under `serve`.
    pub retry: Option<RetryEntry>,
    /// `observe` by default: a dry run that is recorded and reported.
    pub mode: Option<Mode>,
    /// Who is told, and when.
    pub report: Option<ReportEntry>,
}

/// What the job waits for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "`pause_when`", deny_unknown_fields)]
#[schemars(rename = "PauseEntry")]
pub struct PauseEntry {
    /// Waits while a replica lags more than this; a lag that is not known counts as lag.
    pub replica_lag: Option<At<Period>>,
    /// Stores that are replicas and know their own lag; without them the store that is acted on is asked for its replicas'.
    pub replicas: Option<Vec<At<String>>>,
    /// Waits while this query gives more than zero, and while it is not answered.
    pub query: Option<PauseQueryEntry>,
}

/// A query that says whether to wait.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "`query`", deny_unknown_fields)]
#[schemars(rename = "PauseQueryEntry")]
pub struct PauseQueryEntry {
    /// The store that is asked.
    pub store: At<String>,
    /// One SELECT that gives one number.
    pub sql: At<String>,
}

/// When a run that ended `temporary` is tried again under `serve`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "`retry`", deny_unknown_fields)]
#[schemars(rename = "RetryEntry")]
pub struct RetryEntry {
    /// The pause before it; five minutes by default. A tick that comes earlier is the retry.
    pub after: Option<At<Period>>,
}

/// Who is told, and when.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "`report`", deny_unknown_fields)]
#[schemars(rename = "ReportEntry")]
pub struct ReportEntry {
    /// Addresses; those of the configuration when left out.
    pub to: Option<Vec<At<String>>>,
    /// `changed` by default.
    pub when: Option<ReportWhen>,
}
