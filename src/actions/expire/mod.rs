//! Ends what says itself when it ends: sessions and cache entries, rows of a table or keys of a key-value store.

mod counters;
mod keys;
mod orphans;
mod owners;
pub mod rights;
mod rows;
mod rule;
mod scan;
mod survey;
mod survey_cache;
mod survey_counts;
pub mod uncovered;

use crate::action::{Action, Arranged, Batch, Context, Facts, Label, OpenBatch, Tally};
use crate::actions::row_policy;
use crate::diagnostic::codes;
use crate::job::spec::Job;
use crate::policy::dataset::DatasetName;
use crate::policy::expiry::{Expiring, Expiry};
use crate::policy::policies::Policies;
use crate::policy::section::{Section, pick};
use crate::report::presentation::{Age, Layout, Presentation};
use crate::report::run::Verdict;
use crate::store::error::StoreFailure;
use crate::store::page::Page;
use crate::store::survey::Survey;
use crate::store::value::Cursor;
use chrono::{DateTime, Utc};
use counters::{EXPIRED, SWEPT, TTL_SET};
use keys::ExpireKeys;
use rows::ExpireRows;
use std::marker::PhantomData;
use uncovered::Uncovered;

/// Which entries end, and what the action is called.
pub trait Ends: Send + Sync + 'static {
    /// The word in `action:`.
    const NAME: &'static str;
    /// What it does, in a line.
    const ABOUT: &'static str;
    /// What it reads.
    const SECTION: Section;
    /// What it counts, and how a report tells of it.
    const PRESENTATION: &'static Presentation;

    /// The entries of that section.
    fn entries(policies: &Policies) -> &[Expiry];
}

/// Entries of `sessions`.
pub struct Sessions;

impl Ends for Sessions {
    const NAME: &'static str = "expire-sessions";
    const ABOUT: &'static str = "end sessions, and mark or remove rows that say themselves when they expire";
    const SECTION: Section = Section::Sessions;
    const PRESENTATION: &'static Presentation =
        &Presentation { main: Some(&EXPIRED), counters: &[&EXPIRED, &TTL_SET], layout: Layout::Rows, age: Age::PastItsTime };

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
    const PRESENTATION: &'static Presentation = &Presentation {
        main: Some(&SWEPT),
        counters: &[&EXPIRED, &TTL_SET, &SWEPT],
        layout: Layout::Rows,
        age: Age::PastItsTime,
    };

    fn entries(policies: &Policies) -> &[Expiry] {
        &policies.cache
    }
}

/// What one step of the job works on.
#[derive(Debug, Clone)]
pub enum Target {
    /// An entry of the section.
    Declared(Box<Expiry>),
    /// The keys of a store that no entry covers: told, and left alone.
    Uncovered(String),
}

/// Ends the entries of a section.
pub struct Expire<E> {
    of: Of,
    ends: PhantomData<E>,
}

/// What ends, by the data_model of its store.
enum Of {
    Rows(Box<ExpireRows>),
    Keys(Box<ExpireKeys>),
    Uncovered(Box<Uncovered>),
}

impl<E: Ends> Action for Expire<E> {
    const NAME: &'static str = E::NAME;
    const ABOUT: &'static str = E::ABOUT;
    const SECTION: Section = E::SECTION;
    const PRESENTATION: &'static Presentation = E::PRESENTATION;
    type Target = Target;

    fn targets(job: &Job, policies: &Policies) -> Vec<Self::Target> {
        let chosen = pick(E::entries(policies), |expiry| &expiry.name, &job.policies);
        let ending = chosen.into_iter().filter(|expiry| !matches!(expiry.of, Expiring::Permanent(_)));
        let declared = ending.map(|expiry| Target::Declared(Box::new(expiry.clone())));
        let uncovered = if E::SECTION == Section::Cache { uncovered::stores(job, policies) } else { vec![] };
        declared.chain(uncovered.into_iter().map(Target::Uncovered)).collect()
    }

    async fn arrange(cx: &Context, targets: Vec<Self::Target>) -> Arranged<Self::Target> {
        row_policy::children_first(cx, targets, table_of).await
    }

    fn label(target: &Self::Target) -> Label {
        let expiry = match target {
            Target::Declared(expiry) => expiry,
            Target::Uncovered(store) => {
                return Label { dataset: store.clone(), policy: Uncovered::NAME.to_owned(), owner: None };
            }
        };
        let dataset = match &expiry.of {
            Expiring::Rows(rows) => rows.dataset.to_string(),
            Expiring::Keys(keys) => keys.dataset().to_string(),
            Expiring::Permanent(keys) => keys.keys.to_string(),
        };
        Label { dataset, policy: expiry.name.clone(), owner: expiry.owner.clone() }
    }

    async fn prepare(cx: &Context, target: &Self::Target, as_of: DateTime<Utc>) -> Result<Self, StoreFailure> {
        let of = match target {
            Target::Uncovered(store) => Of::Uncovered(Box::new(Uncovered::prepare(cx, store, as_of).await?)),
            Target::Declared(expiry) => match &expiry.of {
                Expiring::Rows(rows) => Of::Rows(Box::new(ExpireRows::prepare(cx, expiry, rows, E::SECTION, as_of).await?)),
                Expiring::Permanent(keys) => {
                    let text = format!("policy `{}` says that `{}` are permanent; nothing was touched", expiry.name, keys.keys);
                    return Err(StoreFailure::refused(
                        codes::ENDED_AND_PERMANENT,
                        text,
                        "it ends nothing: take it out of the job",
                    ));
                }
                Expiring::Keys(keys) => Of::Keys(Box::new(ExpireKeys::prepare(cx, expiry, keys, E::SECTION, as_of).await?)),
            },
        };
        Ok(Self { of, ends: PhantomData })
    }

    fn facts(&self, cx: &Context) -> Facts {
        match &self.of {
            Of::Rows(rows) => rows.facts(cx),
            Of::Keys(keys) => keys.facts(cx),
            Of::Uncovered(uncovered) => uncovered.facts(),
        }
    }

    async fn survey(&self, cx: &Context) -> Result<Survey, StoreFailure> {
        match &self.of {
            Of::Rows(rows) => rows.survey(cx).await,
            Of::Keys(keys) => survey::policy(cx, keys).await,
            Of::Uncovered(uncovered) => survey::uncovered(cx, uncovered).await,
        }
    }

    async fn begin(&self, _: &Context) -> Result<Vec<(String, String)>, StoreFailure> {
        match &self.of {
            Of::Rows(rows) => rows.begin().await,
            // Keys go by their server's own time, and each is a step of its own.
            Of::Keys(_) | Of::Uncovered(_) => Ok(vec![]),
        }
    }

    fn last_batch(&self) -> Option<String> {
        match &self.of {
            Of::Rows(rows) => rows.last_batch(),
            Of::Keys(_) | Of::Uncovered(_) => None,
        }
    }

    async fn next(&self, cx: &Context, cursor: Option<&Cursor>, limit: u64) -> Result<Option<Page>, StoreFailure> {
        match &self.of {
            Of::Rows(rows) => rows.next(cx, cursor, limit).await,
            Of::Keys(keys) => keys.next(cx, cursor, limit).await,
            Of::Uncovered(_) => Ok(None),
        }
    }

    async fn apply(&self, cx: &Context, batch: &Batch) -> Result<Tally, StoreFailure> {
        survey::forget(cx);
        match &self.of {
            Of::Rows(rows) => rows.apply(cx, batch).await,
            Of::Keys(keys) => keys.apply(cx, batch).await,
            Of::Uncovered(_) => Ok(Tally::default()),
        }
    }

    fn frees_its_own(&self) -> bool {
        matches!(&self.of, Of::Rows(rows) if rows.frees_its_own())
    }

    fn row_names(&self, cx: &Context, page: &Page) -> Vec<String> {
        match &self.of {
            Of::Rows(rows) => rows.row_names(cx, page),
            // The name of a key may be personal data.
            Of::Keys(_) | Of::Uncovered(_) => vec![],
        }
    }

    async fn partial_tally(&self, cx: &Context) -> (Tally, Vec<(String, String)>) {
        match &self.of {
            Of::Keys(keys) => keys.partial_tally(cx).await,
            Of::Rows(_) | Of::Uncovered(_) => (Tally::default(), vec![]),
        }
    }

    async fn settle(&self, _: &Context, batch: &OpenBatch) -> Result<Verdict, StoreFailure> {
        match &self.of {
            Of::Rows(rows) => rows.settle(batch).await,
            // Each key was a step of its own, and they are not written down.
            Of::Keys(_) | Of::Uncovered(_) => Ok(Verdict::Unclear),
        }
    }

    async fn finish(&self, cx: &Context, tally: &Tally) -> Result<(), StoreFailure> {
        match &self.of {
            Of::Rows(rows) => rows.finish(cx, tally).await,
            // A store of keys keeps no audit rows.
            Of::Keys(_) | Of::Uncovered(_) => Ok(()),
        }
    }

    async fn after_run(&self, _: &Context, tally: &Tally) -> Vec<(String, String)> {
        match &self.of {
            Of::Rows(rows) => rows.after_run(tally).await,
            Of::Keys(_) | Of::Uncovered(_) => vec![],
        }
    }
}

/// The table whose rows expire; none for keys.
const fn table_of(target: &Target) -> Option<&DatasetName> {
    let Target::Declared(expiry) = target else { return None };
    match &expiry.of {
        Expiring::Rows(rows) => Some(&rows.dataset),
        Expiring::Keys(_) | Expiring::Permanent(_) => None,
    }
}
