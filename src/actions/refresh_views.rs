//! Refreshes materialized views, and summary tables by the statements that fill them; one after another, bottom up.

use crate::action::scope;
use crate::action::{Action, Arranged, Batch, Context, Facts, Label, Tally};
use crate::counter::{Counter, Effect};
use crate::job::spec::Job;
use crate::policy::claims::removes_rows;
use crate::policy::lifecycle::Guard;
use crate::policy::period::Period;
use crate::policy::policies::Policies;
use crate::policy::section::{Section, pick};
use crate::policy::view::View;
use crate::report::presentation::{Age, Layout, Presentation};
use crate::store::error::StoreFailure;
use crate::store::page::{Keeps, Page};
use crate::store::refresh::{Patience, Refreshed};
use crate::store::sql::batch::system_log;
use crate::store::sql::views::materialized_view::MaterializedView;
use crate::store::sql::views::order;
use crate::store::sql::views::summary_table::SummaryTable;
use crate::store::survey::Survey;
use crate::store::value::{Cell, Cursor};
use chrono::{DateTime, Utc};
use std::sync::OnceLock;
use std::time::Duration;

/// A refresh takes so long at most, where the view does not say.
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// Views refreshed.
const REFRESHED: Counter = Counter {
    key: "refreshed",
    done: "refreshed",
    would: "would be refreshed",
    column: "refreshed",
    effect: Effect::Store,
    note: None,
    told_by: &[],
    stays: false,
};

/// Refreshes one view: a job of one place, due or not.
///
/// Whatever ends a refresh early leaves the view as it was: PostgreSQL swaps it in at the end, and a summary table is filled
/// in one transaction. So after a crash nothing is claimed, and the next run refreshes it anew.
pub struct RefreshViews {
    view: View,
    of: Of,
    as_of: DateTime<Utc>,
    done: OnceLock<Refreshed>,
}

/// What is refreshed.
enum Of {
    Materialized(MaterializedView),
    Summary(SummaryTable),
}

impl Action for RefreshViews {
    const NAME: &'static str = "refresh-views";
    const ABOUT: &'static str = "refresh materialized views while others read them, and fill summary tables";
    const SECTION: Section = Section::Views;
    const PRESENTATION: &'static Presentation =
        &Presentation { main: Some(&REFRESHED), counters: &[&REFRESHED], layout: Layout::Views, age: Age::OlderThan };
    type Target = View;

    fn targets(job: &Job, policies: &Policies) -> Vec<Self::Target> {
        pick(&policies.views, |view| &view.name, &job.policies).into_iter().cloned().collect()
    }

    /// What a view stands on comes before it. A store that is away keeps its views' order: each will say so itself.
    async fn arrange(cx: &Context, targets: Vec<Self::Target>) -> Arranged<Self::Target> {
        let mut stores: Vec<&str> = targets.iter().map(|view| view.dataset.store.as_str()).collect();
        stores.sort_unstable();
        stores.dedup();
        let mut arranged = targets.clone();
        for name in stores {
            let places: Vec<usize> = (0..targets.len()).filter(|at| targets[*at].dataset.store == name).collect();
            let datasets: Vec<_> = places.iter().map(|at| &targets[*at].dataset).collect();
            let Ok(store) = cx.stores.get(name) else { continue };
            let Ok(order) = order::arrange(store, &cx.application_name(), &datasets).await else { continue };
            for (place, from) in places.iter().zip(order) {
                arranged[*place] = targets[places[from]].clone();
            }
        }
        Arranged { targets: arranged, notes: vec![] }
    }

    fn label(view: &Self::Target) -> Label {
        Label { dataset: view.dataset.to_string(), policy: view.name.clone(), owner: view.owner.clone() }
    }

    async fn prepare(cx: &Context, view: &Self::Target, as_of: DateTime<Utc>) -> Result<Self, StoreFailure> {
        let store = cx.stores.get(&view.dataset.store)?;
        let of = if view.statements.is_empty() {
            Of::Materialized(MaterializedView::prepare(store, &cx.application_name(), &view.dataset, view.concurrently).await?)
        } else {
            let covered = scope::cover(cx, &view.dataset).await?;
            if view.statements.iter().any(|statement| removes_rows(statement)) {
                scope::refuse_early_removal(cx, &covered, &view.dataset, None)?;
            }
            let holds = cx.holds_on(&view.dataset);
            Of::Summary(SummaryTable::prepare(store, &cx.application_name(), &view.dataset, &view.statements, &holds).await?)
        };
        Ok(Self { view: view.clone(), of, as_of, done: OnceLock::new() })
    }

    fn facts(&self, _: &Context) -> Facts {
        let (notes, statements, query) = match &self.of {
            Of::Materialized(view) => (view.notes(), [vec![view.statement()], view.grants()].concat(), view.query()),
            Of::Summary(table) => (vec![], table.statements().to_vec(), table.query()),
        };
        let head = format!("-- view {}", self.view.dataset);
        Facts {
            counts: Self::PRESENTATION.counters.to_vec(),
            noun: None,
            store: self.view.dataset.store.clone(),
            owners: vec![],
            cutoff: self.as_of,
            period: String::new(),
            // One view is one view: there is nothing to guard.
            guard: Guard { max_rows: u64::MAX, max_percent: 100.0 },
            archive: None,
            index: None,
            notes,
            cascade_allowed: true,
            query,
            statements: std::iter::once(head).chain(statements).collect(),
            locks_rows: false,
            fingerprint: format!("{:?}", (&self.view.dataset, self.view.concurrently, &self.view.statements)),
            keeps: Keeps::Nothing,
        }
    }

    async fn survey(&self, cx: &Context) -> Result<Survey, StoreFailure> {
        if let Some(done) = self.done.get() {
            return Ok(Survey { total: 1, refreshed: Some(done.clone()), ..Survey::default() });
        }
        let underneath = match &self.of {
            Of::Materialized(view) if self.view.skip_unchanged => view.underneath().await?,
            _ => None,
        };
        let unchanged = underneath.is_some() && underneath.as_deref() == cx.source_stats(&self.view.name);
        let mut counts = Survey { total: 1, due: u64::from(!unchanged), underneath, ..Survey::default() };
        if unchanged {
            let text = "left as it is: by the store's statistics nothing underneath changed since it was last refreshed";
            counts.remarks.push((text.to_owned(), String::new()));
        } else if self.view.skip_unchanged && counts.underneath.is_none() {
            let text = "the store's statistics cannot say whether anything underneath changed, so it is refreshed";
            counts.remarks.push((text.to_owned(), String::new()));
        }
        Ok(counts)
    }

    async fn next(&self, _: &Context, cursor: Option<&Cursor>, _: u64) -> Result<Option<Page>, StoreFailure> {
        Ok(if cursor.is_none() { Page::of(vec![vec![Cell::Int(1)]], 0) } else { None })
    }

    async fn apply(&self, _: &Context, _: &Batch) -> Result<Tally, StoreFailure> {
        let length = |period: Period| period.duration().to_std().unwrap_or(LONGEST);
        let patience =
            Patience { lock: self.view.lock_timeout.map(length), statement: self.view.statement_timeout.map_or(LONGEST, length) };
        let refreshed = match &self.of {
            Of::Materialized(view) => view.refresh(patience).await?,
            Of::Summary(table) => table.refresh(patience).await?,
        };
        // One place, one batch: nobody was here before.
        let _ = self.done.set(refreshed);
        Ok(Tally::of([(&REFRESHED, 1)]))
    }

    /// Leaves the store's own audit row.
    async fn finish(&self, cx: &Context, _: &Tally) -> Result<(), StoreFailure> {
        let store = cx.stores.get(&self.view.dataset.store)?;
        let rows = self.done.get().and_then(|done| done.after);
        system_log::write_refresh(store, &cx.application_name(), &cx.job.name, &cx.run, &self.view.dataset.to_string(), rows)
            .await
    }
}
