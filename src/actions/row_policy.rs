//! What every action on rows shares: rows that are due by a policy.

use crate::action::{Arranged, Context, Facts, scope};
use crate::diagnostic::codes;
use crate::policy::dataset::DatasetName;
use crate::policy::lifecycle::{Cascade, Guard, Lifecycle};
use crate::policy::period::Period;
use crate::policy::policies::Policies;
use crate::report::run::Verdict;
use crate::store::batch_mark::{BatchesOf, Found};
use crate::store::error::StoreFailure;
use crate::store::page::Page;
use crate::store::sql::batch::rows::Rows;
use crate::store::sql::schema::children_first;
use crate::store::survey_source::Walk;
use crate::store::value::Cell;
use chrono::{DateTime, Utc};

/// What a policy says of its rows, whatever kind of policy it is.
pub struct Governed<'a> {
    /// The dataset acted on.
    pub dataset: &'a DatasetName,
    /// Its rows, or nodes.
    pub rows: Walk<'a>,
    /// Rows dated before this are due.
    pub cutoff: DateTime<Utc>,
    /// The policy's period in words; empty where there is none.
    pub period: String,
    /// How much one run may take.
    pub guard: Guard,
    /// What happens when other rows would go along.
    pub cascade: Cascade,
    /// What must stay the same for a stopped pass to go on, besides rows, period and holds.
    pub basis: String,
}

/// Refuses a policy whose row of a policy table cannot be applied.
///
/// # Errors
/// What is wrong with the row, and its place.
pub fn refuse_unusable(policy: &Lifecycle) -> Result<(), StoreFailure> {
    let help = "correct the row, or set its `is_active` to 0; other policies are not affected";
    policy.usable().map_err(|why| StoreFailure::refused(codes::TABLE_VALUE, format!("policy `{}`: {why}", policy.name), help))
}

/// An archive that the first run makes is not missing.
pub fn is_to_be_made(policy: &Lifecycle, failure: &StoreFailure) -> bool {
    policy.archive.as_ref().is_some_and(|step| step.create)
        && matches!(failure, StoreFailure::Refused { code, .. } if *code == codes::NOT_THERE)
}

/// What is told of it, with the way out.
pub fn to_be_made(archive: &DatasetName) -> (String, String) {
    let text = format!("the archive `{archive}` is not made yet, so nothing can be deleted from it");
    (text, "the first run that archives makes it; where it is there, the account may not see it".to_owned())
}

/// What is known of a target once its rows are prepared.
pub fn facts(cx: &Context, governed: Governed<'_>) -> Facts {
    let Governed { dataset, rows, cutoff, period, guard, cascade, basis } = governed;
    let holds = cx.holds_on(dataset);
    Facts {
        counts: vec![],
        noun: Some("row"),
        store: dataset.store.clone(),
        owners: vec![],
        cutoff,
        fingerprint: format!("{period}|{basis}|{holds:?}|{}", rows.fingerprint()),
        period,
        guard,
        archive: None,
        index: rows.index().map(str::to_owned),
        notes: rows.notes(),
        cascade_allowed: cascade == Cascade::Allow,
        query: rows.due_query(),
        locks_rows: rows.locks_rows(),
        statements: vec![rows.page_statement(1_000, &holds)],
        keeps: rows.keeps(&|column| cx.policies.is_secret(dataset, column)),
    }
}

/// The same for the rows of a lifecycle policy.
pub fn lifecycle_facts(
    cx: &Context,
    policy: &Lifecycle,
    dataset: &DatasetName,
    rows: Walk<'_>,
    cutoff: DateTime<Utc>,
    period: Period,
) -> Facts {
    let basis = format!("{:?}", policy.archive);
    let (period, guard, cascade) = (period.to_string(), policy.guard, policy.cascade);
    facts(cx, Governed { dataset, rows, cutoff, period, guard, cascade, basis })
}

/// Refuses where rows under a hold would go or change along, or rows that a minimum keeps or another policy archives would go:
/// what a foreign key removes is removed by us (promise 4).
///
/// The whole dataset, whichever rows are meant: which of them hang on a batch is not asked row by row.
pub async fn refuse_kept_children(cx: &Context, cascade: Cascade, rows: Walk<'_>) -> Result<(), StoreFailure> {
    if cascade != Cascade::Allow {
        return Ok(());
    }
    if let Walk::Rows(rows) = rows {
        for child in rows.removed_along() {
            scope::refuse_removal_along(cx, &rows.table().label(), child).await?;
        }
    }
    for child in rows.taken_along().await? {
        scope::cover(cx, &child).await?;
        if let Some(hold) = cx.hold_naming(&child) {
            let text = format!(
                "hold `{hold}` keeps rows of `{child}`, which would go or change along with rows of `{}`; nothing was touched",
                rows.shown()
            );
            return Err(StoreFailure::refused(
                codes::CASCADE,
                text,
                format!("archive `{child}` first, or wait for the release of `{hold}`"),
            ));
        }
    }
    Ok(())
}

/// A row's key as a report may show it: columns that are public or plain numbers as they are, the rest hidden.
pub fn name_row(policies: &Policies, dataset: &DatasetName, rows: &Rows, key: &[String]) -> String {
    let parts = rows.key_columns().zip(key).map(|(column, value)| {
        let plain = value.chars().all(|c| c.is_ascii_digit()) && !policies.is_secret(dataset, column);
        if plain || policies.is_public(dataset, column) { format!("{column}={value}") } else { format!("{column}=***") }
    });
    parts.collect::<Vec<_>>().join(" ")
}

/// The rows of a page, named for a report.
pub fn row_names(policies: &Policies, dataset: &DatasetName, rows: &Rows, page: &Page) -> Vec<String> {
    let name = |key: &Vec<Cell>| name_row(policies, dataset, rows, &key.iter().map(Cell::shown).collect::<Vec<_>>());
    page.keys().iter().map(name).collect()
}

/// What refers to other rows goes before them. A store that is away keeps the job's order: each dataset will say so itself.
pub async fn children_first<T: Clone + Send + Sync>(
    cx: &Context,
    targets: Vec<T>,
    dataset: impl Fn(&T) -> Option<&DatasetName> + Send + Sync,
) -> Arranged<T> {
    let named: Vec<(usize, DatasetName)> =
        targets.iter().enumerate().filter_map(|(at, target)| Some((at, dataset(target)?.clone()))).collect();
    let stores: std::collections::BTreeSet<&str> = named.iter().map(|(_, dataset)| dataset.store.as_str()).collect();
    let mut arranged = Arranged { targets: targets.clone(), notes: vec![] };
    for name in stores {
        let Ok(store) = cx.stores.get(name) else { continue };
        let here: Vec<&(usize, DatasetName)> = named.iter().filter(|(_, dataset)| dataset.store == name).collect();
        let datasets: Vec<&DatasetName> = here.iter().map(|(_, dataset)| dataset).collect();
        let Ok(order) = children_first::children_first(store, &cx.application_name(), &datasets).await else { continue };
        for ((place, _), from) in here.iter().zip(&order.places) {
            arranged.targets[*place] = targets[here[*from].0].clone();
        }
        if !order.circle.is_empty() {
            let circle: Vec<String> = order.circle.iter().map(|at| format!("`{}`", datasets[*at])).collect();
            let text = format!("foreign keys lead in a circle from {}: the job's order is kept there", circle.join(", "));
            arranged.notes.push((text, "rows that refer to each other go once one of them refers to nothing".into()));
        }
    }
    arranged
}

/// Whose batches these are: the name of their mark in the store.
pub fn batches_of(cx: &Context, dataset: &DatasetName, policy: &str) -> BatchesOf {
    BatchesOf { job: cx.job.name.clone(), dataset: dataset.to_string(), policy: policy.to_owned() }
}

/// What the report says of what the store knows.
pub const fn verdict(found: Found) -> Verdict {
    match found {
        Found::Applied => Verdict::Applied,
        Found::RolledBack => Verdict::RolledBack,
        Found::Unknown => Verdict::Unclear,
    }
}
