//! The contract between what acts and what runs it.
//!
//! An action finds and applies; the runner owns lock, loop, dry run, budget, batch size, retry, cursor,
//! progress, ledger and report. A dry run is not a flag an action could forget: `apply` is never called.

use super::context::Context;
use crate::job::spec::Job;
use crate::policy::lifecycle::Guard;
use crate::policy::policies::Policies;
use crate::policy::section::Section;
use crate::report::run::{Reason, Verdict, Weight};
use crate::store::error::StoreFailure;
use crate::store::page::{Keeps, Page};
use crate::store::survey::Counts;
use crate::store::value::Cursor;
use chrono::{DateTime, Utc};
use std::future::Future;

/// One kind of work on one policy.
pub trait Action: Sized + Send + Sync + 'static {
    /// The word in `action:`.
    const NAME: &'static str;
    /// What it does, in a line, for listings.
    const ABOUT: &'static str;
    /// What it reads.
    const SECTION: Section;
    /// What it works on: a policy of that section.
    type Target: Send + Sync;

    /// The policies of a job that this action acts on, in the job's order.
    fn targets(job: &Job, policies: &Policies) -> Vec<Self::Target>;

    /// The same targets in the order in which they are carried out, where the stores know better than the job. Reads only.
    /// With them what a person should know of it, with the way out.
    fn arrange(_: &Context, targets: Vec<Self::Target>) -> impl Future<Output = Arranged<Self::Target>> + Send {
        std::future::ready(Arranged { targets, notes: vec![] })
    }

    /// The dataset and the policy of a target, for reports, before anything else is known.
    fn label(target: &Self::Target) -> Label;

    /// Refuses what cannot work before anything is touched: unknown column, no usable key, missing privilege, narrower archive.
    fn prepare(
        cx: &Context,
        target: &Self::Target,
        as_of: DateTime<Utc>,
    ) -> impl Future<Output = Result<Self, StoreFailure>> + Send;

    /// What it was prepared for.
    fn target(&self) -> Self::Target;

    /// The counts that this action gives when it did nothing: those that apply to it are zero, the others absent.
    fn none(&self) -> Tally;

    /// What is known once it is prepared.
    fn facts(&self, cx: &Context) -> Facts;

    /// What is due and what stands in the way, in numbers; `plan`, the guards and the report share it. Reads only.
    fn survey(&self, cx: &Context) -> impl Future<Output = Result<Counts, StoreFailure>> + Send;

    /// Called once before the first batch of a real run: makes what is missing, such as an archive table that may be created.
    /// Gives what a person should know, with the way out.
    fn begin(&self, cx: &Context) -> impl Future<Output = Result<Vec<(String, String)>, StoreFailure>> + Send;

    /// The mark in the store that the next batch will replace with its own id; none where batches leave no mark.
    fn last_batch(&self) -> Option<String> {
        None
    }

    /// The next rows behind the cursor, at most `limit`. Reads only.
    fn next(
        &self,
        cx: &Context,
        cursor: Option<&Cursor>,
        limit: u64,
    ) -> impl Future<Output = Result<Option<Page>, StoreFailure>> + Send;

    /// Carries out one batch, all of it or nothing. Safe to repeat after a crash.
    fn apply(&self, cx: &Context, batch: &Batch) -> impl Future<Output = Result<Tally, StoreFailure>> + Send;

    /// True where what was removed may have freed rows before it, so that it is worth another walk.
    fn frees_its_own(&self) -> bool {
        false
    }

    /// What the rows of a page are called in a report; masked.
    fn row_names(&self, _: &Context, _: &Page) -> Vec<String> {
        vec![]
    }

    /// What batches did that failed in the end: where each row is a step of its own some are done all the same, and are told once. Asks for
    /// what became of rows whose answer was lost; gives what a person should know of that, with the way out.
    fn settle_untold(&self, _: &Context) -> impl Future<Output = (Tally, Vec<(String, String)>)> + Send {
        std::future::ready((Tally::default(), vec![]))
    }

    /// What became of a batch whose outcome was never written. Changes no row of the dataset.
    fn settle(&self, cx: &Context, batch: &OpenBatch) -> impl Future<Output = Result<Verdict, StoreFailure>> + Send;

    /// Called once after the last batch of a real run that changed something: leaves the store's own audit row.
    fn finish(&self, cx: &Context, tally: &Tally) -> impl Future<Output = Result<(), StoreFailure>> + Send;

    /// Called after that: brings what hangs on the rows up to date, such as statistics. Never a failure, since the work is
    /// done; gives what a person should know, with the way out.
    fn tidy(&self, _: &Context, _: &Tally) -> impl Future<Output = Vec<(String, String)>> + Send {
        std::future::ready(vec![])
    }
}

/// Targets in the order in which they are carried out.
#[derive(Debug)]
pub struct Arranged<T> {
    /// The targets.
    pub targets: Vec<T>,
    /// What a person should know, with the way out.
    pub notes: Vec<(String, String)>,
}

/// What a target is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The dataset acted on.
    pub dataset: String,
    /// The policy.
    pub policy: String,
    /// Who answers for the data.
    pub owner: Option<String>,
}

/// What is known of a target once it is prepared.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The store the rows are in.
    pub store: String,
    /// Stores besides it whose rows or keys decide what is due: the owners of keys.
    pub owners: Vec<String>,
    /// Rows dated before this are due.
    pub cutoff: DateTime<Utc>,
    /// The policy's period in words.
    pub period: String,
    /// How much one run may take.
    pub guard: Guard,
    /// Where rows go.
    pub archive: Option<String>,
    /// The index that finds the rows.
    pub index: Option<String>,
    /// What a person should know, with the way out.
    pub notes: Vec<(String, String)>,
    /// Children that would go along are allowed to.
    pub cascade_allowed: bool,
    /// The query that counts what is due.
    pub query: String,
    /// The statements that a run sends, then the grants that they need, for `plan --sql`.
    pub statements: Vec<String>,
    /// A lock that others hold is one on rows, so that a batch may go in parts.
    pub locks_rows: bool,
    /// What must stay the same for a stopped pass to go on.
    pub fingerprint: String,
    /// Which places of the walk may be written to the ledger.
    pub keeps: Keeps,
}

/// One bounded unit of change.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Names it in the ledger and in the archive.
    pub id: String,
    /// Its rows, frozen by their keys.
    pub page: Page,
}

/// A batch whose intent is in the ledger and whose outcome is not.
#[derive(Debug, Clone)]
pub struct OpenBatch {
    /// Its id.
    pub id: String,
    /// The mark in the store that it was about to replace; none where it left no mark.
    pub before: Option<String>,
}

/// What a batch, or all batches together, did. A count that does not apply is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Rows copied to the archive and read back.
    pub archived: Option<u64>,
    /// Rows that the archive held already.
    pub already_archived: Option<u64>,
    /// Rows removed.
    pub removed: Option<u64>,
    /// Rows marked as expired, sessions ended.
    pub expired: Option<u64>,
    /// Keys that were given a time to live, or a shorter one.
    pub ttl_set: Option<u64>,
    /// Cache entries removed.
    pub swept: Option<u64>,
    /// Views refreshed.
    pub refreshed: Option<u64>,
    /// Rows that changed between reading and removal, and stayed.
    pub changed: u64,
    /// Rows that another transaction held, and that stay for now. Of one batch alone.
    pub locked: Option<Page>,
    /// Rows whose archived namesake has other content, and stayed: their keys, masked.
    pub conflicts: Vec<String>,
    /// The digest both sides agreed on.
    pub digest: Option<String>,
}

impl Tally {
    /// Adds another batch.
    pub fn add(&mut self, other: Self) {
        let sum = |a: Option<u64>, b: Option<u64>| {
            if a.is_none() && b.is_none() { None } else { Some(a.unwrap_or(0) + b.unwrap_or(0)) }
        };
        self.archived = sum(self.archived, other.archived);
        self.already_archived = sum(self.already_archived, other.already_archived);
        self.removed = sum(self.removed, other.removed);
        self.expired = sum(self.expired, other.expired);
        self.ttl_set = sum(self.ttl_set, other.ttl_set);
        self.swept = sum(self.swept, other.swept);
        self.refreshed = sum(self.refreshed, other.refreshed);
        self.changed += other.changed;
        self.conflicts.extend(other.conflicts);
        self.digest = None;
        self.locked = None;
    }

    /// Rows and keys that a guard counts: removed, marked, or given a time to live. A row that was archived is removed, too.
    pub fn rows_changed(&self) -> u64 {
        [self.removed, self.expired, self.ttl_set, self.swept].into_iter().flatten().fold(0, u64::saturating_add)
    }

    /// True when anything in a store is different now.
    pub fn changed_anything(&self) -> bool {
        [self.archived, self.removed, self.expired, self.ttl_set, self.swept, self.refreshed].into_iter().flatten().any(|n| n > 0)
    }
}

/// A store's answer as a reason in the report.
pub fn reason(failure: &StoreFailure) -> Reason {
    let weight = match failure {
        failure if failure.is_temporary() => Weight::Temporary,
        StoreFailure::Refused { .. } => Weight::Refused,
        StoreFailure::Misdeclared { .. } => Weight::Invalid,
        _ => Weight::Failed,
    };
    let (code, help) = match failure {
        StoreFailure::Refused { code, help, .. } | StoreFailure::Misdeclared { code, help, .. } => {
            (Some(code.to_string()), Some(help.clone()))
        }
        _ => (None, None),
    };
    Reason { weight, code, text: failure.to_string(), help: help.filter(|help| !help.is_empty()) }
}
