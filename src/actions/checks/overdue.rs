//! The debt of retention: rows and nodes past their period that are still there. `overdue: [consumption-*]`.

use super::kind::Kind;
use crate::action::{Context, Measured};
use crate::actions::row_policy;
use crate::diagnostic::codes;
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamType};
use crate::policy::dataset::DatasetName;
use crate::policy::lifecycle::Lifecycle;
use crate::policy::period::Period;
use crate::store::cutoff::Cutoff;
use crate::store::error::StoreFailure;
use crate::store::source::Removable;
use chrono::{DateTime, Utc};
use futures_util::FutureExt;

/// Counts rows that a lifecycle policy should have moved or removed and that no hold keeps, over all steps of all policies
/// named; out of all rows that these steps look at. A switched-off policy asks for nothing.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "overdue",
        about: "rows and nodes past the period of these lifecycle policies that are still there and not held",
        takes: ParamType::Policies,
        with: &[],
        on: On::Nothing,
        counts: Counts::Things,
        warns: Some("> 0"),
    },
    measure: |cx, check, as_of| measure(cx, check, as_of).boxed(),
};

/// One step of one policy.
struct Step<'a> {
    policy: &'a Lifecycle,
    does: &'static str,
    dataset: &'a DatasetName,
    after: Period,
}

async fn measure(cx: &Context, check: &Check, as_of: DateTime<Utc>) -> Result<Measured, StoreFailure> {
    let names = check.params.names(check.shape.key);
    for name in names {
        if cx.policies.matching(std::slice::from_ref(name)).is_empty() {
            let text = format!("the check `{}` names `{name}`, and no active lifecycle policy is called that", check.name);
            return Err(StoreFailure::refused(codes::NO_POLICY, text, "`steward policies` lists them"));
        }
    }
    let (mut measured, mut queries, mut any_held) = (Measured { of: Some(0), ..Measured::default() }, vec![], false);
    for step in cx.policies.matching(names).into_iter().flat_map(steps) {
        let rows = match rows(cx, &step, as_of).await {
            Err(failure) if row_policy::is_to_be_made(step.policy, &failure) => {
                let (text, help) = row_policy::to_be_made(step.dataset);
                measured.notes.push(format!("{text}; {help}"));
                continue;
            }
            rows => rows?,
        };
        let counts = rows.walk().count(&cx.holds_on(step.dataset)).await?;
        let overdue = counts.overdue();
        any_held |= counts.held > 0;
        measured.value += overdue;
        measured.of = measured.of.map(|of| of + counts.total);
        measured.notes.push(note(&step, overdue, counts.held, counts.oldest.as_deref()));
        queries.push(rows.walk().due_query());
    }
    // Rows that are held are in it too: where there are any it gives another number.
    if let ([query], false) = (queries.as_slice(), any_held) {
        measured.query = Some(query.clone());
    } else {
        measured.notes.extend(queries.into_iter().map(|query| format!("the rows past their period, held ones too: {query}")));
    }
    Ok(measured)
}

/// What a policy asks for: rows leave the dataset for the archive, and the archive, or else the dataset, for good.
fn steps(policy: &Lifecycle) -> Vec<Step<'_>> {
    let archive =
        policy.archive.as_ref().map(|step| Step { policy, does: "archive", dataset: &policy.dataset, after: step.after });
    let last = policy.archive.as_ref().map_or(&policy.dataset, |step| &step.to);
    let delete = policy.delete.as_ref().map(|step| Step { policy, does: "delete", dataset: last, after: step.after });
    archive.into_iter().chain(delete).collect()
}

async fn rows(cx: &Context, step: &Step<'_>, as_of: DateTime<Utc>) -> Result<Removable, StoreFailure> {
    row_policy::refuse_unusable(step.policy)?;
    let (policy, cutoff) = (step.policy, Cutoff::before(as_of, Some(step.after), cx.job.timezone));
    Removable::prepare(&cx.stores, &cx.application_name(), step.dataset, policy, cutoff, &cx.holds_on(step.dataset)).await
}

fn note(step: &Step<'_>, overdue: u64, held: u64, oldest: Option<&str>) -> String {
    let oldest = oldest.filter(|_| overdue > 0).map(|oldest| format!(", the oldest of {oldest}")).unwrap_or_default();
    let held = if held > 0 { format!("; {held} more are held") } else { String::new() };
    format!("{} ({} {} after {}): {overdue} overdue{oldest}{held}", step.policy.name, step.does, step.dataset, step.after)
}
