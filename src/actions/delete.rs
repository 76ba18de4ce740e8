//! Removes rows for good once they are past their period; from the archive alone where the policy archives.

use super::row_policy;
use crate::action::scope;
use crate::action::{Action, Arranged, Batch, Context, Facts, Label, OpenBatch, Tally};
use crate::counter::{Counter, Effect};
use crate::diagnostic::codes;
use crate::job::spec::Job;
use crate::policy::dataset::DatasetName;
use crate::policy::lifecycle::{DeleteStep, Lifecycle};
use crate::policy::policies::Policies;
use crate::policy::section::Section;
use crate::report::presentation::{Age, Layout, Presentation};
use crate::report::run::Verdict;
use crate::store::cutoff::Cutoff;
use crate::store::error::StoreFailure;
use crate::store::page::Page;
use crate::store::source::Removable;
use crate::store::sql::batch::rows::Rows;
use crate::store::sql::batch::system_log;
use crate::store::survey::Survey;
use crate::store::value::Cursor;
use chrono::{DateTime, Utc};

/// Rows removed from the dataset. Of rows that went to an archive the archive's own counts tell.
pub const REMOVED: Counter = Counter {
    key: "removed",
    done: "removed",
    would: "would be removed",
    column: "removed",
    effect: Effect::Rows,
    note: None,
    told_by: &["archived", "already_archived"],
    stays: false,
};

/// Removes a batch in one transaction, the whole predicate repeated.
///
/// A row that was never archived is never removed where the policy archives: this action does not even look at the
/// live table then (held by `a_row_never_archived_is_never_deleted`).
pub struct DeleteRows {
    policy: Lifecycle,
    step: DeleteStep,
    dataset: DatasetName,
    place: Place,
    cutoff: DateTime<Utc>,
}

/// Where the rows are. A live table of a policy that archives is looked at, and never touched.
enum Place {
    /// In the dataset itself.
    Live(Removable),
    /// In its archive.
    Archive { rows: Removable, live: Removable },
    /// In an archive that the first run of `archive` makes: nothing can be removed from it yet.
    ToBeMade { live: Removable },
}

impl Place {
    /// What is removed.
    const fn rows(&self) -> Option<&Removable> {
        match self {
            Self::Live(rows) | Self::Archive { rows, .. } => Some(rows),
            Self::ToBeMade { .. } => None,
        }
    }

    /// The live table, where it is another one.
    const fn live(&self) -> Option<&Removable> {
        match self {
            Self::Live(_) => None,
            Self::Archive { live, .. } | Self::ToBeMade { live } => Some(live),
        }
    }

    /// What there is to look at.
    const fn looked(&self) -> &Removable {
        match self {
            Self::Live(rows) | Self::Archive { rows, .. } => rows,
            Self::ToBeMade { live } => live,
        }
    }
}

impl Action for DeleteRows {
    const NAME: &'static str = "delete";
    const ABOUT: &'static str = "remove rows past their period for good; from the archive alone where the policy archives";
    const SECTION: Section = Section::Delete;
    const PRESENTATION: &'static Presentation =
        &Presentation { main: Some(&REMOVED), counters: &[&REMOVED], layout: Layout::Rows, age: Age::OlderThan };
    type Target = (Lifecycle, DeleteStep);

    fn targets(job: &Job, policies: &Policies) -> Vec<Self::Target> {
        let matching = policies.matching(&job.policies).into_iter();
        matching.filter_map(|policy| Some((policy.clone(), policy.delete.clone()?))).collect()
    }

    async fn arrange(cx: &Context, targets: Vec<Self::Target>) -> Arranged<Self::Target> {
        row_policy::children_first(cx, targets, |(policy, _)| Some(acted_on(policy))).await
    }

    fn label((policy, _): &Self::Target) -> Label {
        Label { dataset: acted_on(policy).to_string(), policy: policy.name.clone(), owner: policy.owner.clone() }
    }

    async fn prepare(cx: &Context, (policy, step): &Self::Target, as_of: DateTime<Utc>) -> Result<Self, StoreFailure> {
        row_policy::refuse_unusable(policy)?;
        let dataset = acted_on(policy).clone();
        let cutoff = Cutoff::before(as_of, Some(step.after), cx.job.timezone);
        let covered = scope::cover(cx, &dataset).await?;
        scope::refuse_early_removal(cx, &covered, &dataset, Some(step.after))?;
        let rows = match rows(cx, policy, &dataset, cutoff).await {
            Err(failure) if row_policy::is_to_be_made(policy, &failure) => {
                scope::cover(cx, &policy.dataset).await?;
                let place = Place::ToBeMade { live: self::rows(cx, policy, &policy.dataset, cutoff).await? };
                return Ok(Self { policy: policy.clone(), step: step.clone(), dataset, place, cutoff: cutoff.at() });
            }
            rows => rows?.with_batches(row_policy::batches_of(cx, &dataset, &policy.name)),
        };
        let rows = rows.removing(policy.cascade, &cx.holds_on(&dataset)).await?;
        if policy.archive.is_some() {
            // An archive that a crash empties is none.
            rows.rows().map_or(Ok(()), |rows| rows.table().refuse_unlogged())?;
            refuse_live_rows_along(&policy.dataset, &rows).await?;
        }
        row_policy::refuse_kept_children(cx, policy.cascade, rows.walk()).await?;
        match (&policy.archive, rows.rows()) {
            (Some(_), _) => scope::cover(cx, &policy.dataset).await.map(drop)?,
            (None, Some(rows)) => {
                scope::refuse_unarchived(cx, &covered, &policy.name, policy.r#where.as_deref(), rows).await?;
            }
            (None, None) => {}
        }
        let place = match &policy.archive {
            Some(_) => Place::Archive { rows, live: self::rows(cx, policy, &policy.dataset, cutoff).await? },
            None => Place::Live(rows),
        };
        Ok(Self { policy: policy.clone(), step: step.clone(), dataset, place, cutoff: cutoff.at() })
    }

    fn facts(&self, cx: &Context) -> Facts {
        let looked = self.place.looked().walk();
        let mut facts = row_policy::lifecycle_facts(cx, &self.policy, &self.dataset, looked, self.cutoff, self.step.after);
        facts.counts = Self::PRESENTATION.counters.to_vec();
        match self.place.rows() {
            Some(rows) => {
                facts.statements.insert(0, format!("-- dataset {}", self.dataset));
                facts.statements.extend(rows.batch_statements(&cx.holds_on(&self.dataset)));
                facts.statements.extend(rows.grants());
            }
            None => {
                facts.statements = vec![format!(
                    "-- dataset {}: not made yet; plan again once it is, for its statements and grants",
                    self.dataset
                )];
                facts.notes = vec![row_policy::to_be_made(&self.dataset)];
            }
        }
        facts.statements.extend(self.place.live().into_iter().filter_map(Removable::rows).flat_map(Rows::grants_to_look));
        facts
    }

    async fn survey(&self, cx: &Context) -> Result<Survey, StoreFailure> {
        let mut counts = match self.place.rows() {
            Some(rows) => rows.walk().count(&cx.holds_on(&self.dataset)).await?,
            None => Survey::default(),
        };
        if let Some(live) = self.place.live() {
            let found = live.walk().count(&cx.holds_on(&self.policy.dataset)).await?;
            counts.unarchived = (found.overdue(), found.oldest);
        }
        Ok(counts)
    }

    async fn begin(&self, _: &Context) -> Result<Vec<(String, String)>, StoreFailure> {
        match self.place.rows() {
            Some(rows) => rows.begin_batches().await,
            None => Ok(vec![]),
        }
    }

    fn last_batch(&self) -> Option<String> {
        self.place.rows()?.last_batch()
    }

    async fn next(&self, cx: &Context, cursor: Option<&Cursor>, limit: u64) -> Result<Option<Page>, StoreFailure> {
        match self.place.rows() {
            Some(rows) => rows.walk().page(cursor, limit, &cx.holds_on(&self.dataset)).await,
            None => Ok(None),
        }
    }

    async fn apply(&self, cx: &Context, batch: &Batch) -> Result<Tally, StoreFailure> {
        let Some(rows) = self.place.rows() else { return Ok(Tally::of([(&REMOVED, 0)])) };
        let done = rows.remove(&batch.page, &batch.id, &cx.holds_on(&self.dataset)).await?;
        Ok(Tally { changed: done.changed, locked: done.locked, ..Tally::of([(&REMOVED, done.removed)]) })
    }

    fn frees_its_own(&self) -> bool {
        self.place.rows().and_then(Removable::rows).is_some_and(Rows::frees_its_own)
    }

    fn row_names(&self, cx: &Context, page: &Page) -> Vec<String> {
        match self.place.rows().and_then(Removable::rows) {
            Some(rows) => row_policy::row_names(&cx.policies, &self.dataset, rows, page),
            // What names a node is the application's or the store's own.
            None => vec![],
        }
    }

    async fn settle(&self, _: &Context, batch: &OpenBatch) -> Result<Verdict, StoreFailure> {
        match self.place.rows() {
            Some(rows) => rows.settle(&batch.id, batch.before.as_deref()).await.map(row_policy::verdict),
            None => Ok(Verdict::Unclear),
        }
    }

    async fn finish(&self, cx: &Context, tally: &Tally) -> Result<(), StoreFailure> {
        let count = tally.get(&REMOVED).unwrap_or(0);
        // A graph has no such table.
        let Some(rows) = self.place.rows().and_then(Removable::rows) else { return Ok(()) };
        system_log::write(rows, &cx.job.name, &cx.run, "deleted", count, self.cutoff, &self.dataset.to_string()).await
    }

    async fn after_run(&self, _: &Context, tally: &Tally) -> Vec<(String, String)> {
        // A graph keeps its counts itself.
        let Some(rows) = self.place.rows().and_then(Removable::rows) else { return vec![] };
        rows.analyze(tally.get(&REMOVED).unwrap_or(0)).await.into_iter().collect()
    }
}

async fn rows(cx: &Context, policy: &Lifecycle, dataset: &DatasetName, cutoff: Cutoff) -> Result<Removable, StoreFailure> {
    Removable::prepare(&cx.stores, &cx.application_name(), dataset, policy, cutoff, &cx.holds_on(dataset)).await
}

/// A row that was never archived is never removed: not by a foreign key that points at the archive either.
async fn refuse_live_rows_along(live: &DatasetName, rows: &Removable) -> Result<(), StoreFailure> {
    let same = |along: &DatasetName| along.table == live.table && (live.schema.is_none() || along.schema == live.schema);
    if !rows.walk().taken_along().await?.iter().any(same) {
        return Ok(());
    }
    let text =
        format!("a foreign key removes or changes rows of `{live}` when rows of its archive are removed; nothing was touched");
    Err(StoreFailure::refused(codes::CASCADE, text, "take that foreign key away: what is live must not depend on its archive"))
}

/// Where final removal happens.
fn acted_on(policy: &Lifecycle) -> &DatasetName {
    policy.archive.as_ref().map_or(&policy.dataset, |step| &step.to)
}
