//! Decides, on the survey alone, whether a dataset may be touched without a person.

use crate::action::Facts;
use crate::diagnostic::codes;
use crate::report::format;
use crate::report::run::{Reason, Weight};
use crate::store::foreign_key::OnDelete;
use crate::store::survey::{RelationCount, Survey};

/// What forbids to go on with a dataset; empty when nothing does. Refuse rather than trim: a guard never takes a part.
///
/// A plan file that a person has seen lifts the caps, and nothing else: a cascade is a matter of the policy.
pub fn refusals(facts: &Facts, counts: &Survey, approved: bool) -> Vec<Reason> {
    let mut refusals = vec![];
    if !approved {
        refusals.extend(too_much(facts, counts));
    }
    if !facts.cascade_allowed {
        refusals.extend(
            counts
                .children
                .iter()
                .filter(|child| child.rows > 0)
                .map(|child| cascades(&child.child.table, &child.child.constraint, child.child.on_delete, child.rows)),
        );
        refusals.extend(counts.relations.iter().map(related));
    }
    refusals
}

fn too_much(facts: &Facts, counts: &Survey) -> Option<Reason> {
    let going = counts.going();
    let share = if counts.total == 0 { 0.0 } else { percent(going, counts.total) };
    let rows = going > facts.guard.max_rows;
    if !rows && share <= facts.guard.max_percent {
        return None;
    }
    let cap = if rows {
        format!("more than the {} that one run may take", format::count(facts.guard.max_rows))
    } else {
        format!("{share:.1} % of all, more than the {} % that one run may take", facts.guard.max_percent)
    };
    let what = if counts.to_be_given_ttl.is_some() { "keys" } else { "rows" };
    Some(Reason {
        weight: Weight::Refused,
        code: Some(codes::GUARDED.to_string()),
        text: format!("{} {what} are due, {cap}; nothing was touched", format::count(going)),
        help: Some("`guard` in the policy sets the bound; where there is none it is 100,000 rows and 20 %".into()),
    })
}

#[expect(clippy::cast_precision_loss, reason = "a percentage is compared with a round number; a part in 2^53 changes nothing")]
fn percent(part: u64, whole: u64) -> f64 {
    part as f64 * 100.0 / whole as f64
}

fn cascades(table: &str, constraint: &str, rule: OnDelete, rows: u64) -> Reason {
    let what = if rule == OnDelete::Cascade { "removed" } else { "changed" };
    Reason {
        weight: Weight::Refused,
        code: Some(codes::CASCADE.to_string()),
        text: format!(
            "{} of `{table}` would be {what} along, by foreign key `{constraint}`; nothing was touched",
            format::plural(rows, "row")
        ),
        help: Some("write `cascade: allow` in the policy if they may, or archive them first".into()),
    }
}

fn related(relations: &RelationCount) -> Reason {
    Reason {
        weight: Weight::Refused,
        code: Some(codes::CASCADE.to_string()),
        text: format!(
            "{} of type `{}` would be removed along with their nodes; nothing was touched",
            format::plural(relations.count, "relation"),
            relations.kind
        ),
        help: Some("write `cascade: allow` in the policy if they may, or leave those nodes out: `where: \"NOT (n)--()\"`".into()),
    }
}
