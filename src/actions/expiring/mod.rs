//! Ends what says itself when it ends: sessions and cache entries, rows of a table or keys of a key-value store.

mod rows;

use crate::action::{Action, Batch, Context, Facts, Label, OpenBatch, Tally};
use crate::diagnostic::catalogue as codes;
use crate::job::spec::Job;
use crate::policy::expiry::{Expiring, Expiry};
use crate::policy::section::{Section, pick};
use crate::policy::set::Policies;
use crate::report::run::Verdict;
use crate::store::cell::Cursor;
use crate::store::counts::Counts;
use crate::store::failure::StoreFailure;
use crate::store::page::Page;
use chrono::{DateTime, Utc};
use rows::ExpireRows;
use std::marker::PhantomData;

/// Which entries end, and what the action is called.
pub trait Ends: Send + Sync + 'static {
    /// The word in `action:`.
    const NAME: &'static str;
    /// What it does, in a line.
    const ABOUT: &'static str;
    /// What it reads.
    const SECTION: Section;

    /// The entries of that section.
    fn entries(policies: &Policies) -> &[Expiry];
}

/// Entries of `sessions`.
pub struct Sessions;

impl Ends for Sessions {
    const NAME: &'static str = "expire-sessions";
    const ABOUT: &'static str = "end sessions, and mark or remove rows that say themselves when they expire";
    const SECTION: Section = Section::Sessions;

    fn entries(policies: &Policies) -> &[Expiry] {
        &policies.sessions
    }
}

/// Entries of `cache`.
pub struct Caches;

impl Ends for Caches {
    const NAME: &'static str = "sweep-cache";
    const ABOUT: &'static str = "remove cache entries that are past their time, and give keys without one a time to live";
    const SECTION: Section = Section::Cache;

    fn entries(policies: &Policies) -> &[Expiry] {
        &policies.cache
    }
}

/// What one step of the job works on.
#[derive(Debug, Clone)]
pub enum Target {
    /// An entry of the section.
    Declared(Box<Expiry>),
}

/// Ends the entries of a section.
pub struct Expire<E> {
    target: Target,
    of: Of,
    ends: PhantomData<E>,
}

/// What ends, by the family of its store.
enum Of {
    Rows(Box<ExpireRows>),
}

impl<E: Ends> Action for Expire<E> {
    const NAME: &'static str = E::NAME;
    const ABOUT: &'static str = E::ABOUT;
    const SECTION: Section = E::SECTION;
    type Target = Target;

    fn targets(job: &Job, policies: &Policies) -> Vec<Self::Target> {
        let chosen = pick(E::entries(policies), |expiry| &expiry.name, &job.policies);
        chosen.into_iter().map(|expiry| Target::Declared(Box::new(expiry.clone()))).collect()
    }

    fn label(target: &Self::Target) -> Label {
        let Target::Declared(expiry) = target;
        let dataset = match &expiry.of {
            Expiring::Rows(rows) => rows.dataset.to_string(),
            Expiring::Keys(keys) => keys.dataset().to_string(),
        };
        Label { dataset, policy: expiry.name.clone(), owner: expiry.owner.clone() }
    }

    async fn prepare(cx: &Context, target: &Self::Target, as_of: DateTime<Utc>) -> Result<Self, StoreFailure> {
        let Target::Declared(expiry) = target;
        let of = match &expiry.of {
            Expiring::Rows(rows) => Of::Rows(Box::new(ExpireRows::prepare(cx, expiry, rows, E::SECTION, as_of).await?)),
            Expiring::Keys(keys) => {
                return Err(StoreFailure::refused(
                    codes::NOT_BUILT,
                    format!("keys such as `{}` are not ended yet; nothing was touched", keys.keys),
                    "take the entry out of the job until it is there",
                ));
            }
        };
        Ok(Self { target: target.clone(), of, ends: PhantomData })
    }

    fn target(&self) -> Self::Target {
        self.target.clone()
    }

    fn none(&self) -> Tally {
        match &self.of {
            Of::Rows(rows) => rows.tally(0),
        }
    }

    fn facts(&self, cx: &Context) -> Facts {
        match &self.of {
            Of::Rows(rows) => rows.facts(cx),
        }
    }

    async fn survey(&self, cx: &Context) -> Result<Counts, StoreFailure> {
        match &self.of {
            Of::Rows(rows) => rows.survey(cx).await,
        }
    }

    async fn begin(&self, _: &Context) -> Result<(), StoreFailure> {
        match &self.of {
            Of::Rows(_) => Ok(()),
        }
    }

    async fn next(&self, cx: &Context, cursor: Option<&Cursor>, limit: u64) -> Result<Option<Page>, StoreFailure> {
        match &self.of {
            Of::Rows(rows) => rows.next(cx, cursor, limit).await,
        }
    }

    async fn apply(&self, cx: &Context, batch: &Batch) -> Result<Tally, StoreFailure> {
        match &self.of {
            Of::Rows(rows) => rows.apply(cx, batch).await,
        }
    }

    async fn settle(&self, cx: &Context, batch: &OpenBatch) -> Result<Verdict, StoreFailure> {
        match &self.of {
            Of::Rows(rows) => rows.settle(cx, batch).await,
        }
    }

    async fn finish(&self, cx: &Context, tally: &Tally) -> Result<(), StoreFailure> {
        match &self.of {
            Of::Rows(rows) => rows.finish(cx, tally).await,
        }
    }
}
