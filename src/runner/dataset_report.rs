//! The report of one dataset, put together from what is known of it.

use crate::action::{Facts, Label};
use crate::diagnostic::codes;
use crate::report::format;
use crate::report::run::{DatasetReport, Debt, DueTo, HeldBy, Left, Reason, Refresh, Weight};
use crate::runner::batches::Cut;
use crate::runner::outcome;
use crate::store::foreign_key::BlockedRows;
use crate::store::survey::Survey;

/// Names the rows that the loop did not come to by why.
pub fn cut_short(report: &mut DatasetReport, cut: Cut, rows: u64) {
    match cut {
        Cut::OutOfTime | Cut::Stopped => report.left.over_budget = rows,
        Cut::UsedUp(allowance) => {
            report.left.guarded = rows;
            let noun = report.noun();
            report.reasons.extend((rows > 0).then(|| allowance.refusal(rows, noun)));
        }
        Cut::GaveUp(why) => {
            report.left.not_reached = rows;
            report.not_reached = Some(why).filter(|_| rows > 0);
        }
    }
}

/// Notes that a guard, or something like it, leaves the dataset alone.
pub fn guarded(report: &mut DatasetReport, counts: &Survey, refusals: Vec<Reason>) {
    if !refusals.is_empty() {
        report.left.guarded = counts.going();
        report.reasons.extend(refusals);
    }
}

/// What is overdue.
pub fn debt(counts: &Survey) -> Debt {
    let (unarchived, oldest_unarchived) = counts.unarchived.clone();
    let oldest = [counts.oldest.clone().filter(|_| counts.overdue() > 0), oldest_unarchived].into_iter().flatten().min();
    Debt { rows: counts.overdue() + unarchived, oldest }
}

/// How a view was refreshed.
pub fn refresh(counts: &Survey) -> Option<Refresh> {
    counts.refreshed.as_ref().map(|done| Refresh {
        how: done.how.clone(),
        took_ms: u64::try_from(done.took.as_millis()).unwrap_or(u64::MAX),
        rows_before: done.before,
        rows_after: done.after,
    })
}

/// Rows kept by each hold.
pub fn held_by(counts: &Survey) -> Vec<HeldBy> {
    let kept = counts.by_hold.iter().filter(|(_, rows)| *rows > 0);
    kept.map(|(hold, rows)| HeldBy { hold: hold.clone(), rows: *rows }).collect()
}

/// A dataset of which nothing is known but what it is called.
pub fn untold(label: &Label, reasons: Vec<Reason>) -> DatasetReport {
    DatasetReport {
        dataset: label.dataset.clone(),
        policy: label.policy.clone(),
        owner: label.owner.clone(),
        outcome: None,
        cutoff: None,
        period: None,
        due: None,
        total: None,
        total_is_estimate: false,
        oldest: None,
        counts: Default::default(),
        refresh: None,
        underneath: None,
        causes: vec![],
        to_be_given_ttl: None,
        archive: None,
        not_reached: None,
        left: Left::default(),
        holds: vec![],
        debt: None,
        batches: 0,
        index: None,
        reasons,
        query: None,
    }
}

/// What a survey tells of a dataset.
pub fn told(label: &Label, facts: &Facts, counts: &Survey) -> DatasetReport {
    DatasetReport {
        cutoff: Some(facts.cutoff),
        period: Some(facts.period.clone()).filter(|period| !period.is_empty()),
        due: Some(counts.due),
        total: Some(counts.total),
        total_is_estimate: counts.total_is_estimate,
        oldest: counts.oldest.clone(),
        underneath: counts.underneath.clone(),
        causes: counts.causes.iter().map(|(cause, count)| DueTo { cause: (*cause).to_owned(), count: *count }).collect(),
        to_be_given_ttl: counts.to_be_given_ttl,
        archive: facts.archive.clone(),
        left: Left { held: counts.held, undated: counts.undated, blocked: counts.blocked, ..Left::default() },
        holds: held_by(counts),
        index: facts.index.clone(),
        query: Some(facts.query.clone()),
        ..untold(label, vec![])
    }
}

/// What a person should know, with the way out.
pub fn said(remarks: &[(String, String)]) -> impl Iterator<Item = Reason> {
    remarks.iter().map(|(text, help)| Reason {
        weight: Weight::Note,
        code: None,
        text: text.clone(),
        help: (!help.is_empty()).then(|| help.clone()),
    })
}

/// The same, where it is more than worth knowing.
pub fn warned(remarks: &[(String, String)]) -> impl Iterator<Item = Reason> {
    said(remarks).map(|remark| Reason { weight: Weight::Warning, ..remark })
}

/// What a person should know before anything is done.
pub fn notes(facts: &Facts, counts: &Survey) -> Vec<Reason> {
    let note = |weight, text: String, help: Option<String>| Reason { weight, code: None, text, help };
    let mut notes: Vec<_> = warned(&facts.notes).collect();
    notes.extend(said(&counts.remarks));
    if facts.cascade_allowed {
        notes.extend(counts.children.iter().filter(|child| child.rows > 0).map(|child| {
            note(
                Weight::Note,
                format!(
                    "{} of `{}` would go or change along, by foreign key `{}`",
                    format::plural(child.rows, "row"),
                    child.child.table,
                    child.child.constraint
                ),
                None,
            )
        }));
        notes.extend(counts.relations.iter().map(|relations| {
            let many = format::plural(relations.count, "relation");
            note(Weight::Note, format!("{many} of type `{}` would go along with their nodes", relations.kind), None)
        }));
    }
    notes
}

/// Names what keeps rows that are due, each foreign key with the condition that leaves its rows out. After a run those that the
/// table's own rows keep are told too: it went as far as it could.
pub fn blocked(counts: &Survey, weight: Weight, label: &Label) -> Vec<Reason> {
    let told = counts.by_key.iter().filter(|blocked| !blocked.blocker.own || weight == Weight::Failed);
    told.map(|BlockedRows { blocker, rows, leaves_out }| {
        let (child, of) = (&blocker.child, &label.dataset);
        let (are, stay) = if *rows == 1 { ("is", "it stays") } else { ("are", "they stay") };
        let help = if blocker.own {
            "they go once the rows that refer to them are gone".to_owned()
        } else {
            format!(
                "let the rows of `{}` go first: in a job that has policies on both, they do; or leave these out: where: \"{}\"",
                child.table,
                leaves_out.replace('\\', "\\\\").replace('"', "\\\"")
            )
        };
        Reason {
            weight,
            code: Some(codes::BLOCKED.to_string()),
            text: format!(
                "{} of `{of}` {are} referred to by rows of `{}`, by foreign key `{}`, which refuses their removal: {stay}",
                format::plural(*rows, "row"),
                child.table,
                child.constraint
            ),
            help: Some(help),
        }
    })
    .collect()
}

/// The way out of a conflict that loses neither row.
const CONFLICT_HELP: &str = "compare both rows: where they are two things, give the live one another key; where they are one, make the live \
     row's content that of the archived one, or the reverse, once somebody has looked at what would be lost";

/// Names the first few rows in conflict; the count is in the report.
pub fn conflicts(keys: &[String]) -> Option<Reason> {
    const NAMED: usize = 5;
    let named = keys.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = keys.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!keys.is_empty()).then(|| Reason {
        weight: Weight::Failed,
        code: Some(codes::CONFLICT.to_string()),
        text: format!("the archive holds other content under the same key; these rows stay: {named}{more}"),
        help: Some(CONFLICT_HELP.into()),
    })
}

/// The report with its outcome.
pub fn closed(mut report: DatasetReport) -> DatasetReport {
    report.outcome = Some(outcome::of_dataset(&report));
    report
}
