//! The report of one run: the object that `run-job --json` prints, and the ground of the text, the page and the mail.

use super::finding::Finding;
use super::format::short_run;
use super::presentation::{Layout, Presentation};
pub use super::reason::{Reason, Weight};
use crate::counter::Counts;
use crate::job::origin::StartedBy;
use crate::job::outcome::Outcome;
use crate::job::spec::Mode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One run, told. Field names and meanings are fixed by the reference; what is added here stays additive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunReport {
    /// The run's id; absent in a plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The job.
    pub job: String,
    /// The action.
    pub action: String,
    /// The job's mode.
    pub mode: Mode,
    /// True when nothing could be touched.
    pub dry_run: bool,
    /// How it ended; absent in a plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The exit code that follows from the outcome; absent in a plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<u8>,
    /// The instant that "older than" is measured from.
    pub as_of: DateTime<Utc>,
    /// When the run began; absent in a plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<DateTime<Utc>>,
    /// When it ended; absent in a plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<DateTime<Utc>>,
    /// Who started it, from where; absent in a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_by: Option<StartedBy>,
    /// The plan file under which it acted; absent where it acted without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// One entry per policy the job acts on, in the job's order.
    pub datasets: Vec<DatasetReport>,
    /// What checks saw.
    pub findings: Vec<Finding>,
    /// Why the run as a whole ended as it did, when it is not plainly done: a lease held, a signal, a ledger away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Batches that an interrupted run left open and this one settled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<Settled>,
    /// Where the report went; absent in a plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Delivery>,
    /// The hash of the ledger's last event when the report was written.
    pub ledger_head: Option<String>,
    /// What the action says of itself; unknown once the report was read from JSON, until [`Self::presented_by`].
    #[serde(skip)]
    pub presentation: &'static Presentation,
}

impl RunReport {
    /// The same report, read from JSON, with what its action says of itself.
    #[must_use]
    pub fn presented_by(self, presentation: &'static Presentation) -> Self {
        let declared = |dataset: DatasetReport| {
            let counts = dataset.counts.declared_by(presentation.counters);
            DatasetReport { counts, ..dataset }
        };
        Self { datasets: self.datasets.into_iter().map(declared).collect(), presentation, ..self }
    }

    /// True when this tells what would be done: a plan, or a run that could touch nothing.
    pub fn is_prospect(&self) -> bool {
        self.dry_run || (self.mode == Mode::Observe && !self.inspects()) || self.outcome.is_none()
    }

    /// True when the action refreshes views, of which each is fresh or not: nothing in them is due, kept or overdue.
    pub fn refreshes(&self) -> bool {
        self.presentation.layout == Layout::Views
    }

    /// True when the action only looks: there is nothing it could touch, and no mode that changes that.
    pub fn inspects(&self) -> bool {
        self.presentation.layout == Layout::Checks
    }

    /// True when a store gave no answer, or something else that may pass by itself was in the way.
    pub fn met_something_temporary(&self) -> bool {
        self.all_reasons().any(|reason| reason.weight == Weight::Temporary)
    }

    /// The stem of every file a run leaves: `20261121T021500Z-archive-orders-0000beef`. Sorts by time, and names no other folder.
    pub fn stem(&self) -> String {
        let at = self.started.unwrap_or(self.as_of).format("%Y%m%dT%H%M%SZ");
        let job: String = self.job.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(52).collect();
        let run = self.run.as_deref().map(short_run).filter(|run| !run.is_empty()).unwrap_or_else(|| "plan".into());
        format!("{at}-{job}-{run}")
    }

    /// Every reason, those of the run first.
    pub fn all_reasons(&self) -> impl Iterator<Item = &Reason> {
        let datasets = self.datasets.iter().flat_map(|dataset| &dataset.reasons);
        self.reasons.iter().chain(datasets).chain(self.findings.iter().filter_map(|finding| finding.reason.as_ref()))
    }
}

/// The plan file under which a run acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The plan's SHA-256.
    pub plan: String,
    /// Who approved it, by giving it to the run.
    pub by: String,
    /// When it was made.
    pub made: DateTime<Utc>,
    /// Who made it, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<String>,
}

/// What happened to one dataset under one policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DatasetReport {
    /// The dataset acted on.
    pub dataset: String,
    /// The policy.
    pub policy: String,
    /// Who answers for the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// How this dataset ended; absent in a plan that found nothing in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Rows dated before this are due; absent when it could not be computed.
    pub cutoff: Option<DateTime<Utc>>,
    /// The policy's period in words: `6 months`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// Rows past the cutoff that match the condition, held ones included. Absent when they could not be counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<u64>,
    /// Rows in the dataset, and whether that is the store's estimate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// True when `total` is the store's own estimate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub total_is_estimate: bool,
    /// The oldest due row's clock, as the store prints it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<String>,
    /// What was done, by the action's own counts; those that do not apply are absent.
    #[serde(flatten)]
    pub counts: Counts,
    /// How a view was refreshed; absent where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Refresh>,
    /// What the store's statistics said of the tables under a view when this run left it fresh: the next one compares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub underneath: Option<String>,
    /// Why what is due is due, where there is more than one way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<DueTo>,
    /// Of what is due and no hold keeps: keys that would only be given a time to live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_be_given_ttl: Option<u64>,
    /// The archive the rows go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
    /// Rows that stayed, by why.
    pub left: Left,
    /// Why the rows in `left.not_reached` were not reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_reached: Option<NotReached>,
    /// Rows kept by each hold, by the hold's name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<HeldBy>,
    /// What is overdue now that the run is over; absent when it could not be counted, since nothing is claimed that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debt: Option<Debt>,
    /// Batches carried out.
    #[serde(default)]
    pub batches: u64,
    /// Which index finds the rows; absent when the key is walked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// What went wrong, was refused, or deserves a look.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// The query that counts `due` again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}

impl DatasetReport {
    /// True for keys, which have no date: what is said of rows does not fit them.
    pub fn is_of_keys(&self) -> bool {
        self.to_be_given_ttl.is_some()
    }

    /// What it counts.
    pub fn noun(&self) -> &'static str {
        if self.is_of_keys() { "keys" } else { "rows" }
    }

    /// Rows kept by holds; `None` when nothing could be counted.
    pub fn held(&self) -> Option<u64> {
        self.due.map(|_| self.left.held)
    }

    /// Rows that stayed for another reason than a hold; `None` when nothing could be counted.
    pub fn stayed(&self) -> Option<u64> {
        let Left { held: _, undated, changed, conflict, failed, blocked, locked, over_budget, not_reached, guarded } = self.left;
        self.due.map(|_| undated + changed + conflict + failed + blocked + locked + over_budget + not_reached + guarded)
    }

    /// Everything that was done, in rows, keys or views.
    pub fn done(&self) -> u64 {
        self.counts.done()
    }

    /// Rows that are overdue; `None` when they could not be counted.
    pub fn overdue(&self) -> Option<u64> {
        self.debt.as_ref().map(|debt| debt.rows)
    }
}

/// Rows that are due, or could be, and stayed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Kept by a legal hold.
    pub held: u64,
    /// No date: NULL, a zero date, an infinite one, or 0 where a clock counts.
    pub undated: u64,
    /// Changed by the application between reading and removal.
    pub changed: u64,
    /// The archive holds other content under the same key.
    pub conflict: u64,
    /// A step failed.
    pub failed: u64,
    /// Rows of another table refer to them, by a foreign key that refuses their removal.
    #[serde(default)]
    pub blocked: u64,
    /// Another transaction held them all the while; the next run takes them.
    #[serde(default)]
    pub locked: u64,
    /// The budget ran out, or the run was stopped.
    pub over_budget: u64,
    /// The run gave up before it came to them, for another reason than time: see `not_reached` of the dataset.
    #[serde(default)]
    pub not_reached: u64,
    /// A guard left the whole dataset alone, or they came due during the run, beyond what its guard or plan allows.
    pub guarded: u64,
}

/// Why a run gave up before it came to the last row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotReached {
    /// Too many rows failed.
    TooManyFailures,
    /// The store was away or busy.
    StoreAway,
    /// `pause_when` said to wait for too long.
    Waited,
    /// What is declared, or a missing right, does not let it go on.
    Refused,
    /// A step failed for good.
    Failed,
}

/// How a view was refreshed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    /// `concurrently`, `while its readers waited`, `for the first time`, `by 2 statements`.
    pub how: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Rows before; absent where nobody could count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_before: Option<u64>,
    /// Rows after; absent where nobody could count them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_after: Option<u64>,
}

/// What is due for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueTo {
    /// The reason: `no TTL`, `idle`.
    pub cause: String,
    /// How much.
    pub count: u64,
}

/// Rows kept by one hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBy {
    /// The hold.
    pub hold: String,
    /// Rows.
    pub rows: u64,
}

/// What is overdue: due by the policy, not held, and still there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debt {
    /// Rows.
    pub rows: u64,
    /// The oldest one's clock, as the store prints it.
    pub oldest: Option<String>,
}

/// A batch of an interrupted run, settled from what the store holds now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The run that left it open.
    pub run: String,
    /// The batch.
    pub batch: String,
    /// Its dataset.
    pub dataset: String,
    /// Rows it was about to change.
    pub rows: u64,
    /// What the store shows.
    pub verdict: Verdict,
}

/// What a store shows of a batch whose outcome was never written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was carried out before the run died.
    Applied,
    /// It was rolled back; its rows are handled anew.
    RolledBack,
    /// Others have changed these rows since; nothing is claimed.
    Unclear,
}

/// Where the report went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The HTML file.
    pub html: Option<String>,
    /// The mail.
    pub mail: MailState,
}

/// What became of the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    /// Accepted by the server, or written to the folder.
    Sent,
    /// Kept in `spool/`, sent next time.
    Spooled,
    /// `report.when` did not ask for one.
    NotDue,
    /// No mail is configured, or nobody is named.
    NotConfigured,
}
