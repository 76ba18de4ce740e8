//! Ids of one store that another one lacks: `reference: { from: core.users.id, to: graph.User.id }`.

use super::kind::Kind;
use super::sample::Sampler;
use crate::action::{Context, Measured};
use crate::diagnostic::codes;
use crate::policy::checks::check::Check;
use crate::policy::checks::field::ReferenceEnd;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamSpec, ParamType};
use crate::policy::period::Period;
use crate::reference::compare::Asked;
use crate::reference::compare::Compared;
use crate::reference::compare::Told;
use crate::reference::compare::compare;
use crate::reference::side::Side;
use crate::store::error::StoreFailure;
use chrono::{DateTime, Utc};
use futures_util::FutureExt;

/// Compares ids across stores.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "reference",
        about: "ids of one store that another one lacks",
        takes: ParamType::Ends,
        with: &[
            ParamSpec { key: "both_ways", about: "count the reverse too", takes: ParamType::Flag, needed: false },
            ParamSpec {
                key: "settle",
                about: "leave out what is younger: it may still be on its way to the other store",
                takes: ParamType::Period,
                needed: false,
            },
        ],
        on: On::Nothing,
        counts: Counts::Things,
        warns: Some("> 0"),
    },
    measure: |cx, check, as_of| measure(cx, check, as_of).boxed(),
};

async fn measure(cx: &Context, check: &Check, as_of: DateTime<Utc>) -> Result<Measured, StoreFailure> {
    let Some((from, to)) = check.params.ends("reference") else { return Err(no_ends(check)) };
    let settle = check.params.period("settle");
    let asked = Asked {
        both_ways: check.params.flag("both_ways"),
        settle: settle.map(|settle| patience(cx, check, settle)).transpose()?,
        samples: usize::try_from(check.samples).unwrap_or(usize::MAX),
    };
    let before = settle.map(|settle| settle.before(as_of, cx.job.timezone));
    let who = cx.application_name();
    let sides = tokio::try_join!(Side::at(&cx.stores, &who, from, before), Side::at(&cx.stores, &who, to, before))?;
    let compared = compare(&sides.0, &sides.1, asked).await?;
    let mut measured = told(&compared, from, to, asked);
    measured.notes.extend(sides.0.notes().iter().chain(sides.1.notes()).cloned());
    if let Some(settle) = settle.filter(|_| compared.waited_for > 0) {
        measured.notes.push(format!("{} ids were looked up again after {settle}", compared.waited_for));
    }
    measured.samples = samples(cx, from, &compared.from).chain(samples(cx, to, &compared.to)).take(asked.samples).collect();
    Ok(measured)
}

/// How long to wait for what nothing dates. A job that ends before could say nothing about it.
fn patience(cx: &Context, check: &Check, settle: Period) -> Result<std::time::Duration, StoreFailure> {
    if cx.job.budget.is_some_and(|budget| budget.duration() < settle.duration()) {
        return Err(StoreFailure::refused(
            codes::LIMIT,
            format!(
                "`settle` of the check `{}` is longer than the budget of the job `{}`; nothing was compared",
                check.name, cx.job.name
            ),
            "give the job more time, or the check a shorter `settle`",
        ));
    }
    Ok(settle.duration().to_std().unwrap_or_default())
}

fn told(compared: &Compared, from: &ReferenceEnd, to: &ReferenceEnd, asked: Asked) -> Measured {
    let Compared { from: refers, to: referred, .. } = compared;
    let mut notes = vec![format!("{} of {} ids of `{}` are missing in `{}`", refers.missing, refers.seen, from.field, to.field)];
    let mut sides = vec![(refers, from)];
    if asked.both_ways {
        sides.push((referred, to));
        notes.push(format!("{} of {} ids of `{}` are missing in `{}`", referred.missing, referred.seen, to.field, from.field));
    } else if referred.seen == 0 && refers.seen > 0 {
        notes.push(format!("`{}` has no ids at all", to.field));
    }
    if refers.seen > 0 && refers.missing == refers.seen && referred.seen > 0 {
        notes.push("not one id is on both sides: are these the right columns?".to_owned());
    }
    notes.extend([(refers, from), (referred, to)].into_iter().flat_map(|(told, end)| unread(told, end)));
    let unreadable: u64 = sides.iter().map(|(told, _)| told.unreadable).sum();
    // A reference that is NULL points nowhere; one that cannot be read may point anywhere, and nothing at all is no evidence.
    let says_nothing = |told: &Told| told.seen == 0 && (told.unreadable > 0 || told.without_id == 0);
    Measured {
        value: refers.missing + referred.missing + unreadable,
        of: Some(sides.iter().map(|(told, _)| told.seen + told.unreadable).sum()),
        nothing_seen: sides.iter().all(|(told, _)| says_nothing(told))
            || referred.seen == 0 && refers.seen == 0 && unreadable > 0,
        notes,
        ..Measured::default()
    }
}

/// What of a side could not be compared.
fn unread(told: &Told, end: &ReferenceEnd) -> impl Iterator<Item = String> {
    let field = &end.field;
    let unreadable = (told.unreadable > 0)
        .then(|| format!("{} values of `{field}` cannot be read as an id, so they count as missing", told.unreadable));
    let without = (told.without_id > 0).then(|| format!("{} of `{field}` have no id", told.without_id));
    unreadable.into_iter().chain(without)
}

/// The ids that one side has alone, masked by the tags of that side.
fn samples<'a>(cx: &Context, end: &'a ReferenceEnd, told: &'a Told) -> impl Iterator<Item = String> + 'a {
    let column = end.field.column.as_deref().unwrap_or("id");
    let sampler = Sampler::new(cx, &end.field.dataset).keyed_by([column]);
    told.samples.iter().map(move |id| format!("{}={}", end.field, sampler.value(column, id)))
}

fn no_ends(check: &Check) -> StoreFailure {
    StoreFailure::refused(
        codes::CHECK_KIND,
        format!("the check `{}` names no two sides", check.name),
        "write `reference: { from: core.users.id, to: graph.User.id }`",
    )
}
