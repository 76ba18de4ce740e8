//! What may stand in `jobs/<name>.yaml`.

use super::spec::{Mode, ReportWhen};
use crate::policy::period::Period;
use crate::policy::written::Zone;
use crate::yaml::fields::declared;
use crate::yaml::node::{At, Node};
use crate::yaml::reading::{Read, Reading};
use crate::yaml::values::word;

declared! {
    /// When, and which action on which policies. The file's name is the job's: `[a-z0-9-]`, at most 52 characters.
    "a job" JobFile {
        /// What is done: `archive`, `delete`.
        "action" action: At<String>,
        /// Names or globs of policies; each must match one.
        "policies" policies: At<Vec<At<String>>>,
        /// Five cron fields; a job without it runs by hand only.
        "schedule" schedule: Option<At<String>>,
        /// Jobs that must have ended before it starts under `serve`, where they are due in the same night.
        "after" after: Option<Vec<At<String>>>,
        /// The calendar of the schedule and of every period; UTC by default.
        "timezone" timezone: Option<Zone>,
        /// Stops between batches once it is used up; the next run goes on.
        "budget" budget: Option<At<Period>>,
        /// What the job waits for.
        "pause_when" pause_when: Option<PauseEntry>,
        /// When a run that ended `temporary` is tried again under `serve`.
        "retry" retry: Option<RetryEntry>,
        /// `observe` by default: a dry run that is recorded and reported.
        "mode" mode: Option<Mode>,
        /// Who is told, and when.
        "report" report: Option<ReportEntry>,
    }
}

declared! {
    /// What the job waits for.
    "`pause_when`" PauseEntry {
        /// Waits while a replica lags more than this; a lag that is not known counts as lag.
        "replica_lag" replica_lag: Option<At<Period>>,
        /// Stores that are replicas and know their own lag; without them the store that is acted on is asked for its replicas'.
        "replicas" replicas: Option<Vec<At<String>>>,
        /// Waits while this query gives more than zero, and while it is not answered.
        "query" query: Option<PauseQueryEntry>,
    }
}

declared! {
    /// A query that says whether to wait.
    "`query`" PauseQueryEntry {
        /// The store that is asked.
        "store" store: At<String>,
        /// One SELECT that gives one number.
        "sql" sql: At<String>,
    }
}

declared! {
    /// When a run that ended `temporary` is tried again under `serve`.
    "`retry`" RetryEntry {
        /// The pause before it; five minutes by default. A tick that comes earlier is the retry.
        "after" after: Option<At<Period>>,
    }
}

declared! {
    /// Who is told, and when.
    "`report`" ReportEntry {
        /// Addresses; those of the configuration when left out.
        "to" to: Option<Vec<At<String>>>,
        /// `changed` by default.
        "when" when: Option<ReportWhen>,
    }
}

impl Read for Mode {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Self> {
        word(node, reading)
    }
}

impl Read for ReportWhen {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Self> {
        word(node, reading)
    }
}
