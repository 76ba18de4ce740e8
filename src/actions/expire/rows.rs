//! Rows that say themselves when they expire: removed, or marked where they stand.

use super::counters::{EXPIRED, SWEPT};
use crate::action::scope;
use crate::action::{Batch, Context, Facts, OpenBatch, Tally};
use crate::actions::row_policy::{self, Governed};
use crate::counter::Counter;
use crate::policy::expiry::{ExpiringRows, Expiry};
use crate::policy::lifecycle::{Cascade, Guard};
use crate::policy::section::Section;
use crate::report::run::Verdict;
use crate::store::cutoff::Cutoff;
use crate::store::error::StoreFailure;
use crate::store::page::Page;
use crate::store::sql::batch::rows::Rows;
use crate::store::sql::batch::system_log;
use crate::store::survey::Survey;
use crate::store::value::Cursor;
use chrono::{DateTime, Utc};

/// Removes the expired rows of a table in batches, or marks them with the values of `set`.
///
/// Either way a batch is one transaction with the whole predicate repeated, and leaves a mark that tells after a crash whether
/// it was carried out.
pub struct ExpireRows {
    declared: ExpiringRows,
    guard: Guard,
    section: Section,
    rows: Rows,
    cutoff: DateTime<Utc>,
}

impl ExpireRows {
    /// Refuses what cannot work: no such column, a value it cannot take, no usable key, a held child that would go along.
    ///
    /// # Errors
    /// Those refusals, and a store that is away.
    pub async fn prepare(
        cx: &Context,
        expiry: &Expiry,
        declared: &ExpiringRows,
        section: Section,
        as_of: DateTime<Utc>,
    ) -> Result<Self, StoreFailure> {
        let store = cx.stores.get(&declared.dataset.store)?;
        let cutoff = Cutoff::before(as_of, declared.after, cx.job.timezone);
        let covered = scope::cover(cx, &declared.dataset).await?;
        if declared.set.is_empty() {
            scope::refuse_early_removal(cx, &covered, &declared.dataset, declared.after)?;
        }
        let (holds, condition) = (cx.holds_on(&declared.dataset), declared.r#where.as_deref());
        let rows =
            Rows::prepare(store, &cx.application_name(), &declared.dataset, &declared.expires, cutoff, condition, &holds).await?;
        let rows = rows.with_batches(row_policy::batches_of(cx, &declared.dataset, &expiry.name));
        let rows = if declared.set.is_empty() {
            rows.removing(None, declared.cascade, &holds).await?
        } else {
            rows.marking(&declared.set, &holds).await?
        };
        row_policy::refuse_kept_children(cx, declared.cascade, (&rows).into()).await?;
        if declared.set.is_empty() {
            scope::refuse_unarchived(cx, &covered, &expiry.name, condition, &rows).await?;
        }
        let rows = rows.guarded_by(expiry.guard);
        Ok(Self { declared: declared.clone(), guard: expiry.guard, section, rows, cutoff: cutoff.at() })
    }

    /// What is known of them.
    pub fn facts(&self, cx: &Context) -> Facts {
        let dataset = &self.declared.dataset;
        let governed = Governed {
            dataset,
            rows: (&self.rows).into(),
            cutoff: self.cutoff,
            period: self.declared.after.map_or_else(String::new, |after| after.to_string()),
            guard: self.guard,
            // A row that stays takes nothing along.
            cascade: if self.marks() { Cascade::Allow } else { self.declared.cascade },
            basis: format!("{:?}", self.declared.set),
        };
        let mut facts = row_policy::facts(cx, governed);
        facts.counts = vec![self.counter()];
        let holds = cx.holds_on(dataset);
        facts.statements.insert(0, format!("-- dataset {dataset}"));
        let batch = if self.marks() { self.rows.marking_sql(&holds) } else { self.rows.batch_sql(None, &holds) };
        facts.statements.extend(batch);
        facts.statements.extend(self.rows.grants(None));
        facts
    }

    /// Counts what is due.
    pub async fn survey(&self, cx: &Context) -> Result<Survey, StoreFailure> {
        self.rows.count(&cx.holds_on(&self.declared.dataset)).await
    }

    /// Makes what batches leave their mark in.
    pub async fn begin(&self) -> Result<Vec<(String, String)>, StoreFailure> {
        self.rows.begin_batches().await
    }

    /// The mark that the next batch will replace.
    pub fn last_batch(&self) -> Option<String> {
        self.rows.last_batch()
    }

    /// The next rows behind the cursor.
    pub async fn next(&self, cx: &Context, cursor: Option<&Cursor>, limit: u64) -> Result<Option<Page>, StoreFailure> {
        self.rows.page(cursor, limit, &cx.holds_on(&self.declared.dataset)).await
    }

    /// Carries out one batch.
    pub async fn apply(&self, cx: &Context, batch: &Batch) -> Result<Tally, StoreFailure> {
        let holds = cx.holds_on(&self.declared.dataset);
        let (page, id) = (&batch.page, &batch.id);
        let done =
            if self.marks() { self.rows.mark(page, id, &holds).await? } else { self.rows.remove(page, id, &holds).await? };
        Ok(Tally { changed: done.changed, locked: done.locked, ..Tally::of([(self.counter(), done.marked + done.removed)]) })
    }

    /// True where what goes frees what it referred to, in the same table.
    pub fn frees_its_own(&self) -> bool {
        self.rows.frees_its_own()
    }

    /// What the rows of a page are called in a report.
    pub fn row_names(&self, cx: &Context, page: &Page) -> Vec<String> {
        row_policy::row_names(&cx.policies, &self.declared.dataset, &self.rows, page)
    }

    /// What became of a batch, by the mark that its own transaction left.
    pub async fn settle(&self, batch: &OpenBatch) -> Result<Verdict, StoreFailure> {
        self.rows.settle(&batch.id, batch.before.as_deref()).await.map(row_policy::verdict)
    }

    /// Leaves the store's own audit row.
    pub async fn finish(&self, cx: &Context, tally: &Tally) -> Result<(), StoreFailure> {
        let (word, dataset) = (self.counter().done, self.declared.dataset.to_string());
        let count = tally.get(self.counter()).unwrap_or(0);
        system_log::write(&self.rows, &cx.job.name, &cx.run, word, count, self.cutoff, &dataset).await
    }

    /// Has the statistics of a table that changed much gathered anew.
    pub async fn after_run(&self, tally: &Tally) -> Vec<(String, String)> {
        self.rows.analyze(tally.get(self.counter()).unwrap_or(0)).await.into_iter().collect()
    }

    /// A cache entry that is gone is swept, everything else expired.
    fn counter(&self) -> &'static Counter {
        if self.section == Section::Cache && !self.marks() { &SWEPT } else { &EXPIRED }
    }

    fn marks(&self) -> bool {
        !self.declared.set.is_empty()
    }
}
