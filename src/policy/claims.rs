//! What declarations claim of the same rows: how long they must stay, who removes them, who archives them first.

use super::dataset::DatasetName;
use super::expiry::{Expiring, ExpiringKeys, Expiry};
use super::lifecycle::Lifecycle;
use super::period::Period;
use super::policies::Policies;
use super::view::View;
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::place::Place;

/// A time that rows of a dataset must be kept for at least, counted up to their final removal.
#[derive(Debug, Clone)]
pub struct Minimum<'a> {
    /// The rows, as they were named.
    pub dataset: &'a DatasetName,
    /// How long.
    pub period: Period,
    /// Who says so: `` `keep_at_least` of policy `orders` ``.
    pub what: String,
    /// Where it is declared.
    pub place: Option<&'a Place>,
    /// The code of a removal that comes before.
    pub code: codes::Code,
}

/// A policy that removes rows of a dataset for good where they stand.
#[derive(Debug, Clone, Copy)]
pub struct Removal<'a> {
    /// The policy.
    pub name: &'a str,
    /// The rows.
    pub dataset: &'a DatasetName,
    /// Which of them; all when absent.
    pub condition: Option<&'a str>,
    /// Where it is declared.
    pub place: Option<&'a Place>,
}

/// Whether two conditions on one dataset can be true for one row, as far as their words alone tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// They are, for some rows.
    Certain,
    /// Only the rows can tell.
    Possible,
}

impl Overlap {
    /// Two different conditions may exclude each other; everything else shares rows.
    pub fn of(one: Option<&str>, other: Option<&str>) -> Self {
        match (one, other) {
            (Some(one), Some(other)) if one.trim() != other.trim() => Self::Possible,
            _ => Self::Certain,
        }
    }
}

impl Policies {
    /// Every minimum there is: `keep_at_least` of active policies, and retentions of tags. Zero means none.
    pub fn minimums(&self) -> impl Iterator<Item = Minimum<'_>> {
        let kept = self.lifecycle.iter().filter(|policy| policy.active).filter_map(|policy| {
            let keep = policy.keep_at_least.as_ref()?;
            Some(Minimum {
                dataset: &policy.dataset,
                period: keep.period,
                what: format!("`keep_at_least` of policy `{}`", policy.name),
                place: policy.places.first(),
                code: codes::DELETE_BEFORE_KEEP,
            })
        });
        let retained = self.tags.iter().filter_map(|tag| {
            Some(Minimum {
                dataset: &tag.dataset,
                period: tag.retention?,
                what: format!("the retention of the field `{}`", tag.field),
                place: Some(&tag.place),
                code: codes::DELETE_BEFORE_TAG,
            })
        });
        kept.chain(retained).filter(|minimum| !minimum.period.is_zero())
    }

    /// Active policies that move rows to an archive.
    pub fn archiving(&self) -> impl Iterator<Item = &Lifecycle> {
        self.lifecycle.iter().filter(|policy| policy.active && policy.archive.is_some())
    }

    /// Every policy that removes rows for good from the dataset it names.
    pub fn removals(&self) -> impl Iterator<Item = Removal<'_>> {
        let deleting =
            self.lifecycle.iter().filter(|policy| policy.active && policy.archive.is_none() && policy.delete.is_some());
        let deleting = deleting.map(|policy| Removal {
            name: &policy.name,
            dataset: &policy.dataset,
            condition: policy.r#where.as_deref(),
            place: policy.places.first(),
        });
        deleting.chain(self.sessions.iter().chain(&self.cache).filter_map(expiring))
    }
}

/// An entry of `sessions` or `cache` that removes rows.
fn expiring(expiry: &Expiry) -> Option<Removal<'_>> {
    match &expiry.of {
        Expiring::Rows(rows) if rows.set.is_empty() => Some(Removal {
            name: &expiry.name,
            dataset: &rows.dataset,
            condition: rows.r#where.as_deref(),
            place: Some(&expiry.place),
        }),
        Expiring::Rows(_) | Expiring::Keys(_) | Expiring::Permanent(_) => None,
    }
}

/// True for a statement that fills a summary table and may remove rows from it first.
pub fn removes_rows(statement: &str) -> bool {
    let first = statement.split_whitespace().next().unwrap_or_default();
    first.eq_ignore_ascii_case("delete") || first.eq_ignore_ascii_case("replace")
}

/// Notes what contradicts a minimum or an archive, by the names alone; what other names lead to is found at the stores.
pub(super) fn contradictions(policies: &Policies, notes: &mut Vec<Diagnostic>) {
    for expiry in policies.sessions.iter().chain(&policies.cache) {
        if let (Expiring::Rows(rows), Some(_)) = (&expiry.of, expiring(expiry)) {
            too_early(policies, &rows.dataset, rows.after, &expiry.place, notes);
        }
    }
    for view in &policies.views {
        refilled(policies, view, notes);
    }
    for (keys, expiry) in policies.sessions.iter().chain(&policies.cache).filter_map(ending_keys) {
        let same = |permanent: &&Expiry| matches!(&permanent.of, Expiring::Permanent(of) if of.store == keys.store && of.keys == keys.keys);
        if let Some(permanent) = policies.cache.iter().find(same) {
            notes.push(both_ended_and_permanent(expiry, permanent, keys));
        }
    }
    for removal in policies.removals() {
        for policy in policies.archiving().filter(|policy| policy.dataset.may_be(removal.dataset)) {
            if Overlap::of(removal.condition, policy.r#where.as_deref()) == Overlap::Certain {
                notes.push(never_archived(&removal, policy));
            }
        }
    }
}

fn ending_keys(expiry: &Expiry) -> Option<(&ExpiringKeys, &Expiry)> {
    match &expiry.of {
        Expiring::Keys(keys) => Some((keys, expiry)),
        Expiring::Rows(_) | Expiring::Permanent(_) => None,
    }
}

/// Where one pattern is wider than the other, the permanent keys are the exception; the same pattern leaves nothing to either.
fn both_ended_and_permanent(ending: &Expiry, permanent: &Expiry, keys: &ExpiringKeys) -> Diagnostic {
    let message = format!(
        "policy `{}` ends the keys `{}`, and policy `{}` says they are permanent",
        ending.name, keys.keys, permanent.name
    );
    Diagnostic::error(codes::ENDED_AND_PERMANENT, message)
        .at(&ending.place)
        .also(&permanent.place, "they are permanent by this policy")
        .help("take one of the two out, or narrow the pattern of the permanent one to the keys that must live")
}

fn over<'a>(policies: &'a Policies, dataset: &DatasetName) -> impl Iterator<Item = Minimum<'a>> {
    let sources = policies.sources_of(dataset);
    policies.minimums().filter(move |minimum| sources.iter().any(|source| source.may_be(minimum.dataset)))
}

/// An expired row may be as young as the period that it lies past its instant.
fn too_early(policies: &Policies, dataset: &DatasetName, after: Option<Period>, at: &Place, notes: &mut Vec<Diagnostic>) {
    let longest = over(policies, dataset)
        .filter(|minimum| after.is_none_or(|after| after.is_ever_shorter_than(&minimum.period)))
        .max_by_key(|minimum| minimum.period.duration());
    let Some(minimum) = longest else { return };
    let when = after.map_or_else(|| "as soon as they expire".to_owned(), |after| format!("`{after}` after they expire"));
    let message = format!("rows of `{dataset}` would be removed {when}, and {} is `{}`", minimum.what, minimum.period);
    let help = format!("write `after: {}` or longer, or `set: {{ … }}`, which marks expired rows and keeps them", minimum.period);
    let diagnostic = Diagnostic::error(minimum.code, message).at(at).help(help);
    notes.push(match minimum.place {
        Some(place) => diagnostic.also(place, "the minimum is here"),
        None => diagnostic,
    });
}

fn refilled(policies: &Policies, view: &View, notes: &mut Vec<Diagnostic>) {
    if !view.statements.iter().any(|statement| removes_rows(statement)) {
        return;
    }
    let Some(minimum) = over(policies, &view.dataset).max_by_key(|minimum| minimum.period.duration()) else { return };
    let message = format!(
        "a statement of view `{}` removes rows of `{}`, and {} is `{}`",
        view.name, view.dataset, minimum.what, minimum.period
    );
    let diagnostic = Diagnostic::error(minimum.code, message)
        .at(&view.place)
        .help("a summary that is filled anew keeps no row: take the minimum off it, or add to it without removing");
    notes.push(match minimum.place {
        Some(place) => diagnostic.also(place, "the minimum is here"),
        None => diagnostic,
    });
}

fn never_archived(removal: &Removal<'_>, archive: &Lifecycle) -> Diagnostic {
    let message =
        format!("policy `{}` removes rows of `{}` that policy `{}` would archive", removal.name, removal.dataset, archive.name);
    let mut diagnostic = Diagnostic::error(codes::NEVER_ARCHIVED, message).help(
        "write both steps into one policy: its `delete` then removes from the archive alone; or give each a `where` of its own",
    );
    if let Some(place) = removal.place {
        diagnostic = diagnostic.at(place);
    }
    match archive.places.first() {
        Some(place) => diagnostic.also(place, "it is archived by this policy"),
        None => diagnostic,
    }
}
