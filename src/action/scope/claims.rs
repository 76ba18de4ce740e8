//! Removals that come before a minimum, or take rows that another policy archives, whatever name leads to them.

use super::{Covered, cover};
use crate::action::context::Context;
use crate::diagnostic::codes;
use crate::policy::claims::{Minimum, Overlap};
use crate::policy::dataset::DatasetName;
use crate::policy::period::Period;
use crate::store::error::StoreFailure;
use crate::store::sql::batch::rows::Rows;

/// Refuses to remove rows of a dataset for good when some minimum over them is longer than they are old by then.
///
/// `age` is how old a row surely is: the policy's period; none where it may be of any age.
///
/// # Errors
/// There is such a minimum, by whatever name it was declared; both places are named.
pub fn refuse_early_removal(
    cx: &Context,
    covered: &Covered,
    dataset: &DatasetName,
    age: Option<Period>,
) -> Result<(), StoreFailure> {
    refuse_unread_minimum(cx, covered, dataset)?;
    let Some(minimum) = longest(cx, covered, |minimum| age.is_none_or(|age| age.is_ever_shorter_than(&minimum.period))) else {
        return Ok(());
    };
    let when = age.map_or_else(|| "at any age".to_owned(), |age| format!("after `{age}`"));
    let text = format!(
        "rows of `{dataset}` would be removed {when}, and {}{} is `{}`; nothing was touched",
        minimum.what,
        on(&minimum, dataset),
        minimum.period
    );
    Err(StoreFailure::refused(minimum.code, text, format!("remove them after `{}` or later{}", minimum.period, at(&minimum))))
}

/// How long rows must stay is not known where the minimum in a policy table cannot be read.
fn refuse_unread_minimum(cx: &Context, covered: &Covered, dataset: &DatasetName) -> Result<(), StoreFailure> {
    let Some(unread) = cx.policies.unread_minimums.iter().find(|unread| covered.includes(&unread.dataset)) else { return Ok(()) };
    let text = format!("how long rows of `{dataset}` must be kept cannot be read: {}; nothing was touched", unread.why);
    let help = format!("correct {}, or set it to NULL where there is no minimum", unread.place);
    Err(StoreFailure::refused(codes::TABLE_VALUE, text, help))
}

/// Refuses to remove rows that foreign keys would take along when a minimum keeps those, or a policy archives them: how old they
/// are is not known, and no archive would ever hold them.
///
/// # Errors
/// Such a minimum or archive; the store's own.
pub async fn refuse_removal_along(cx: &Context, dataset: &str, along: &DatasetName) -> Result<(), StoreFailure> {
    let covered = cover(cx, along).await?;
    refuse_unread_minimum(cx, &covered, along)?;
    if let Some(minimum) = longest(cx, &covered, |_| true) {
        let text = format!(
            "rows of `{along}` would be removed along with rows of `{dataset}`, at any age, and {} is `{}`; nothing was touched",
            minimum.what, minimum.period
        );
        let help = format!("archive or delete `{along}` by a policy of its own first{}", at(&minimum));
        return Err(StoreFailure::refused(minimum.code, text, help));
    }
    if let Some(policy) = cx.policies.archiving().find(|policy| covered.includes(&policy.dataset)) {
        let text = format!(
            "rows of `{along}` would be removed along with rows of `{dataset}`, and policy `{}` would archive them; nothing was touched",
            policy.name
        );
        let help = format!("archive `{along}` first, and let the foreign key refuse: ON DELETE RESTRICT");
        return Err(StoreFailure::refused(codes::NEVER_ARCHIVED, text, help));
    }
    Ok(())
}

/// Refuses to remove rows where they stand when another policy would archive some of them.
///
/// `policy` removes those of `rows` that match `condition`. Where two conditions may exclude each other the rows decide.
///
/// # Errors
/// Some row is due here and may be one that the other policy archives; the store's own.
pub async fn refuse_unarchived(
    cx: &Context,
    covered: &Covered,
    policy: &str,
    condition: Option<&str>,
    rows: &Rows,
) -> Result<(), StoreFailure> {
    for other in cx.policies.archiving().filter(|other| other.name != policy && covered.includes(&other.dataset)) {
        let shared = match (Overlap::of(condition, other.r#where.as_deref()), other.r#where.as_deref()) {
            (Overlap::Possible, Some(text)) => rows.count_due_unless_false(text).await?,
            _ => 1,
        };
        if shared > 0 {
            let text = format!(
                "policy `{policy}` removes rows of `{}` that policy `{}` would archive; nothing was touched",
                rows.table().label(),
                other.name
            );
            let help =
                "write both steps into one policy: its `delete` then removes from the archive alone; or narrow their conditions";
            return Err(StoreFailure::refused(codes::NEVER_ARCHIVED, text, help));
        }
    }
    Ok(())
}

fn longest<'a>(cx: &'a Context, covered: &Covered, wanted: impl Fn(&Minimum<'_>) -> bool) -> Option<Minimum<'a>> {
    let over = cx.policies.minimums().filter(|minimum| covered.includes(minimum.dataset));
    over.filter(|minimum| wanted(minimum)).max_by_key(|minimum| minimum.period.duration())
}

/// The other name, where the minimum was declared under one.
fn on(minimum: &Minimum<'_>, dataset: &DatasetName) -> String {
    if minimum.dataset == dataset { String::new() } else { format!(" on `{}`", minimum.dataset) }
}

fn at(minimum: &Minimum<'_>) -> String {
    minimum.place.map(|place| format!("; the minimum is at {place}")).unwrap_or_default()
}
