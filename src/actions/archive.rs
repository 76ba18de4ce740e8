//! Moves rows past their period into the archive, oldest first.

use super::delete::REMOVED;
use super::row_policy;
use crate::action::scope;
use crate::action::{Action, Arranged, Batch, Context, Facts, Label, OpenBatch, Tally};
use crate::counter::{Counter, Effect};
use crate::job::spec::Job;
use crate::policy::lifecycle::{ArchiveStep, Lifecycle};
use crate::policy::policies::Policies;
use crate::policy::section::Section;
use crate::report::presentation::{Age, Layout, Presentation};
use crate::report::run::Verdict;
use crate::store::cutoff::Cutoff;
use crate::store::error::StoreFailure;
use crate::store::page::Page;
use crate::store::sql::batch::archive::Archive;
use crate::store::sql::batch::rows::Rows;
use crate::store::sql::batch::system_log;
use crate::store::survey::Survey;
use crate::store::value::Cursor;
use chrono::{DateTime, Utc};

/// Rows copied to the archive and read back.
const ARCHIVED: Counter = Counter {
    key: "archived",
    done: "archived",
    would: "would be archived",
    column: "archived",
    effect: Effect::Store,
    note: None,
    told_by: &[],
    stays: false,
};

/// Rows that the archive held already.
const ALREADY_ARCHIVED: Counter = Counter {
    key: "already_archived",
    done: "archived before",
    effect: Effect::None,
    note: Some("the archive held the same content"),
    ..ARCHIVED
};

/// Copies a batch, proves the copy, and only then removes the rows.
///
/// Copy and removal commit together, so a crash in between leaves nothing half done; the next run settles the
/// intent that was left open (held by `a_crash_at_any_point_loses_nothing_and_doubles_nothing`).
pub struct ArchiveRows {
    policy: Lifecycle,
    step: ArchiveStep,
    rows: Rows,
    archive: Archive,
    cutoff: DateTime<Utc>,
}

impl Action for ArchiveRows {
    const NAME: &'static str = "archive";
    const ABOUT: &'static str = "move rows past their period to an archive, and prove the copy before removing them";
    const SECTION: Section = Section::Archive;
    const PRESENTATION: &'static Presentation = &Presentation {
        main: Some(&ARCHIVED),
        counters: &[&ARCHIVED, &ALREADY_ARCHIVED, &REMOVED],
        layout: Layout::Rows,
        age: Age::OlderThan,
    };
    type Target = (Lifecycle, ArchiveStep);

    fn targets(job: &Job, policies: &Policies) -> Vec<Self::Target> {
        let matching = policies.matching(&job.policies).into_iter();
        matching.filter_map(|policy| Some((policy.clone(), policy.archive.clone()?))).collect()
    }

    async fn arrange(cx: &Context, targets: Vec<Self::Target>) -> Arranged<Self::Target> {
        row_policy::children_first(cx, targets, |(policy, _)| Some(&policy.dataset)).await
    }

    fn label((policy, _): &Self::Target) -> Label {
        Label { dataset: policy.dataset.to_string(), policy: policy.name.clone(), owner: policy.owner.clone() }
    }

    async fn prepare(cx: &Context, (policy, step): &Self::Target, as_of: DateTime<Utc>) -> Result<Self, StoreFailure> {
        row_policy::refuse_unusable(policy)?;
        let store = cx.stores.get(&policy.dataset.store)?;
        let cutoff = Cutoff::before(as_of, Some(step.after), cx.job.timezone);
        scope::cover(cx, &policy.dataset).await?;
        let holds = cx.holds_on(&policy.dataset);
        let rows = Rows::prepare(
            store,
            &cx.application_name(),
            &policy.dataset,
            &policy.clock,
            cutoff,
            policy.r#where.as_deref(),
            &holds,
        )
        .await?;
        let rows = rows.with_batches(row_policy::batches_of(cx, &policy.dataset, &policy.name));
        let archive = Archive::prepare(store, &rows, &step.to, step.create).await?;
        let rows = rows.guarded_by(policy.guard);
        let rows = rows.removing(Some(&archive), policy.cascade, &holds).await?;
        row_policy::refuse_kept_children(cx, policy.cascade, (&rows).into()).await?;
        Ok(Self { policy: policy.clone(), step: step.clone(), rows, archive, cutoff: cutoff.at() })
    }

    fn facts(&self, cx: &Context) -> Facts {
        let mut facts = row_policy::lifecycle_facts(
            cx,
            &self.policy,
            &self.policy.dataset,
            (&self.rows).into(),
            self.cutoff,
            self.step.after,
        );
        facts.counts = Self::PRESENTATION.counters.to_vec();
        facts.archive = Some(self.step.to.to_string());
        let mut statements = vec![format!("-- dataset {}, to {}", self.policy.dataset, self.step.to)];
        let made = self.archive.statements();
        if !made.is_empty() {
            let text = format!("archive `{}` is not there yet, or not complete: the first run makes it", self.step.to);
            facts.notes.push((text, format!("`steward plan {} --sql` shows the statement", cx.job.name)));
        }
        statements.extend(made.iter().cloned());
        statements.append(&mut facts.statements);
        statements.extend(self.rows.batch_sql(Some(&self.archive), &cx.holds_on(&self.policy.dataset)));
        statements.extend(self.rows.grants(Some(&self.archive)));
        facts.statements = statements;
        facts
    }

    async fn survey(&self, cx: &Context) -> Result<Survey, StoreFailure> {
        self.rows.count(&cx.holds_on(&self.policy.dataset)).await
    }

    async fn begin(&self, _: &Context) -> Result<Vec<(String, String)>, StoreFailure> {
        self.archive.create(&self.rows).await?;
        self.rows.begin_batches().await
    }

    fn last_batch(&self) -> Option<String> {
        self.rows.last_batch()
    }

    async fn next(&self, cx: &Context, cursor: Option<&Cursor>, limit: u64) -> Result<Option<Page>, StoreFailure> {
        self.rows.page(cursor, limit, &cx.holds_on(&self.policy.dataset)).await
    }

    async fn apply(&self, cx: &Context, batch: &Batch) -> Result<Tally, StoreFailure> {
        let done = self.rows.archive(&batch.page, &self.archive, &batch.id, &cx.holds_on(&self.policy.dataset)).await?;
        let conflicts =
            done.conflicts.iter().map(|key| row_policy::name_row(&cx.policies, &self.policy.dataset, &self.rows, key)).collect();
        Ok(Tally {
            changed: done.changed,
            locked: done.locked,
            conflicts,
            digest: done.digest,
            ..Tally::of([(&ARCHIVED, done.archived), (&ALREADY_ARCHIVED, done.already_archived), (&REMOVED, done.removed)])
        })
    }

    fn frees_its_own(&self) -> bool {
        self.rows.frees_its_own()
    }

    fn row_names(&self, cx: &Context, page: &Page) -> Vec<String> {
        row_policy::row_names(&cx.policies, &self.policy.dataset, &self.rows, page)
    }

    async fn settle(&self, _: &Context, batch: &OpenBatch) -> Result<Verdict, StoreFailure> {
        // Copy and removal commit together: one row that bears the batch's id proves all of it. That there is none proves nothing:
        // all may have been archived before, or removed from the archive since.
        if self.archive.keeps_batch()
            && self.archive.statements().is_empty()
            && self.archive.rows_of(&self.rows, &batch.id).await? > 0
        {
            return Ok(Verdict::Applied);
        }
        self.rows.settle(&batch.id, batch.before.as_deref()).await.map(row_policy::verdict)
    }

    async fn finish(&self, cx: &Context, tally: &Tally) -> Result<(), StoreFailure> {
        let count = tally.get(&ARCHIVED).unwrap_or(0);
        system_log::write(&self.rows, &cx.job.name, &cx.run, "archived", count, self.cutoff, &self.policy.dataset.to_string())
            .await
    }

    async fn after_run(&self, _: &Context, tally: &Tally) -> Vec<(String, String)> {
        self.rows.analyze(tally.get(&REMOVED).unwrap_or(0)).await.into_iter().collect()
    }
}
