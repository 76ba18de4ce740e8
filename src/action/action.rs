//! The contract between what acts and what runs it.
//!
//! An action finds and applies; the runner owns lock, loop, dry run, budget, batch size, retry, cursor,
//! progress, ledger and report. A dry run is not a flag an action could forget: `apply` is never called.

use super::context::Context;
use crate::counter::{Counter, Counts};
use crate::job::spec::Job;
use crate::policy::lifecycle::Guard;
use crate::policy::policies::Policies;
use crate::policy::section::Section;
use crate::report::presentation::Presentation;
use crate::report::run::{Reason, Verdict, Weight};
use crate::store::error::StoreFailure;
use crate::store::page::{Keeps, Page};
use crate::store::survey::Survey;
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
    /// What it counts, and how a report tells of it.
    const PRESENTATION: &'static Presentation;
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

    /// What is known once it is prepared.
    fn facts(&self, cx: &Context) -> Facts;

    /// What is due and what stands in the way, in numbers; `plan`, the guards and the report share it. Reads only.
    fn survey(&self, cx: &Context) -> impl Future<Output = Result<Survey, StoreFailure>> + Send;

    /// Called once before the first batch of a real run: makes what is missing, such as an archive table that may be created.
    /// Gives what a person should know, with the way out.
    fn begin(&self, _: &Context) -> impl Future<Output = Result<Vec<(String, String)>, StoreFailure>> + Send {
        std::future::ready(Ok(vec![]))
    }

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
    fn partial_tally(&self, _: &Context) -> impl Future<Output = (Tally, Vec<(String, String)>)> + Send {
        std::future::ready((Tally::default(), vec![]))
    }

    /// What became of a batch whose outcome was never written. Changes no row of the dataset.
    fn settle(&self, _: &Context, _: &OpenBatch) -> impl Future<Output = Result<Verdict, StoreFailure>> + Send {
        std::future::ready(Ok(Verdict::Unclear))
    }

    /// Called once after the last batch of a real run that changed something: leaves the store's own audit row.
    fn finish(&self, _: &Context, _: &Tally) -> impl Future<Output = Result<(), StoreFailure>> + Send {
        std::future::ready(Ok(()))
    }

    /// Called after that: brings what hangs on the rows up to date, such as statistics. Never a failure, since the work is
    /// done; gives what a person should know, with the way out.
    fn after_run(&self, _: &Context, _: &Tally) -> impl Future<Output = Vec<(String, String)>> + Send {
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
    /// The counts that apply, zero when nothing was done. In the order of the action's own.
    pub counts: Vec<&'static Counter>,
    /// What one of the things is called that a batch holds; none where the target is one thing.
    pub noun: Option<&'static str>,
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

/// What a batch, or all batches together, did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// What was done.
    pub counts: Counts,
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
    /// What was done, and nothing else.
    pub fn of<const N: usize>(counts: [(&'static Counter, u64); N]) -> Self {
        Self { counts: Counts::of(counts), ..Self::default() }
    }

    /// How often that was done; none where it does not apply.
    pub fn get(&self, counter: &Counter) -> Option<u64> {
        self.counts.get(counter)
    }

    /// Adds another batch.
    pub fn add(&mut self, other: Self) {
        self.counts.add(&other.counts);
        self.changed += other.changed;
        self.conflicts.extend(other.conflicts);
        self.digest = None;
        self.locked = None;
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
