//! Holds what a check measured against its bounds.

use crate::action::{Measured, reason};
use crate::diagnostic::codes;
use crate::policy::checks::check::Check;
use crate::policy::checks::threshold::Threshold;
use crate::report::finding::{Finding, FindingOutcome, Unit};
use crate::report::run::{Reason, Weight};
use crate::store::error::StoreFailure;

/// The finding of a check that measured something.
///
/// A check that saw nothing where something was expected did not pass, and a share of nobody-knows-how-many is no share:
/// both are errors with a reason, never a pass.
pub fn measured(check: &Check, measured: Measured) -> Finding {
    let unit = Unit::from(check.shape.counts);
    let (outcome, bound, reason) = verdict(check, &measured);
    Finding {
        outcome,
        value: Some(measured.value),
        of: measured.of,
        unit,
        shown: Some(unit.say_of(measured.value, measured.of)),
        bound: bound.map(|bound| bound.to_string()),
        samples: measured.samples.into_iter().take(check.samples as usize).collect(),
        notes: measured.notes,
        query: measured.query,
        reason,
        ..unseen(check)
    }
}

/// The finding of a check that a store did not answer, or refused.
///
/// What is declared and does not fit the store is a failure here: nobody is asked to approve it, it has to be corrected.
pub fn unanswered(check: &Check, failure: &StoreFailure) -> Finding {
    let mut reason = reason(failure);
    if reason.weight == Weight::Refused {
        reason.weight = Weight::Failed;
    }
    let silent = silent(failure).map(str::to_owned);
    Finding { reason: Some(reason), silent, ..unseen(check) }
}

/// The finding of a check that was not evaluated.
pub fn skipped(check: &Check, why: Reason) -> Finding {
    Finding { outcome: FindingOutcome::Skipped, reason: Some(why), ..unseen(check) }
}

/// The store that may answer later.
pub fn silent(failure: &StoreFailure) -> Option<&str> {
    match failure {
        StoreFailure::Away { store, .. } | StoreFailure::Busy { store, .. } | StoreFailure::Uncertain { store, .. } => {
            Some(store)
        }
        StoreFailure::Refused { .. } | StoreFailure::Misdeclared { .. } | StoreFailure::Failed { .. } => None,
    }
}

/// A check of which nothing is known but what it is called.
pub fn unseen(check: &Check) -> Finding {
    Finding {
        check: check.name.clone(),
        kind: check.shape.key.to_owned(),
        dataset: check.dataset(),
        owner: check.owner.clone(),
        outcome: FindingOutcome::Error,
        value: None,
        of: None,
        unit: Unit::from(check.shape.counts),
        shown: None,
        bound: None,
        samples: vec![],
        notes: vec![],
        query: None,
        reason: None,
        stores: check.stores().into_iter().map(str::to_owned).collect(),
        silent: None,
        before: None,
        since: None,
        elapsed_ms: None,
        history: vec![],
    }
}

fn verdict<'c>(check: &'c Check, measured: &Measured) -> (FindingOutcome, Option<&'c Threshold>, Option<Reason>) {
    if measured.nothing_seen {
        return (FindingOutcome::Error, None, Some(nothing_seen(check)));
    }
    for (bound, outcome) in [(&check.fail, FindingOutcome::Fail), (&check.warn, FindingOutcome::Warn)] {
        let Some(bound) = bound else { continue };
        match bound.is_passed(measured.value, measured.of, check.shape.counts) {
            None => return (FindingOutcome::Error, Some(bound), Some(no_whole(check, bound))),
            Some(true) => return (outcome, Some(bound), None),
            Some(false) => {}
        }
    }
    (FindingOutcome::Pass, None, None)
}

fn nothing_seen(check: &Check) -> Reason {
    Reason {
        weight: Weight::Failed,
        code: Some(codes::NOTHING_SEEN.to_string()),
        text: format!(
            "the check `{}` found nothing to look at in `{}`, so it neither passed nor failed",
            check.name,
            check.dataset()
        ),
        help: Some(
            "is it the right dataset, and does its `where` leave anything? `row_count` checks for emptiness itself".into(),
        ),
    }
}

fn no_whole(check: &Check, bound: &Threshold) -> Reason {
    Reason {
        weight: Weight::Failed,
        code: Some(codes::BOUND.to_string()),
        text: format!("check `{}`: percentage threshold `{bound}`, but the total is unknown; not evaluated", check.name),
        help: Some("write a number without `%`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Place;
    use crate::policy::checks::check::Subject;
    use crate::policy::checks::params::Params;
    use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamType};
    use FindingOutcome::{Error, Fail, Pass, Warn};

    const GAPS: CheckSpec = CheckSpec {
        key: "gaps",
        about: "gaps",
        takes: ParamType::Flag,
        with: &[],
        on: On::Table,
        counts: Counts::Things,
        warns: None,
    };

    fn check(warn: Option<&str>, fail: Option<&str>) -> Check {
        let bound = |text: Option<&str>| text.map(|text| text.parse().unwrap());
        Check {
            name: "gaps".into(),
            owner: None,
            shape: &GAPS,
            on: Some(Subject::Table("core.t".parse().unwrap())),
            r#where: None,
            params: Params::default(),
            warn: bound(warn),
            fail: bound(fail),
            samples: 2,
            place: Place::File { file: "p.yaml".into(), line: 1, column: 1 },
        }
    }

    fn saw(value: u64, of: Option<u64>) -> Measured {
        Measured { value, of, ..Measured::default() }
    }

    #[test]
    fn the_worst_bound_that_is_passed_decides_and_is_named() {
        for (warn, fail, value, of, outcome, bound) in [
            (Some("> 0"), Some("> 100"), 0, None, Pass, None),
            (Some("> 0"), Some("> 100"), 1, None, Warn, Some("> 0")),
            (Some("> 0"), Some("> 100"), 101, None, Fail, Some("> 100")),
            (None, Some("> 1 %"), 2, Some(100), Fail, Some("> 1 %")),
            (None, Some("< 100"), 99, None, Fail, Some("< 100")),
            (Some("> 0"), None, 7, None, Warn, Some("> 0")),
        ] {
            let finding = measured(&check(warn, fail), saw(value, of));
            assert_eq!((finding.outcome, finding.bound.as_deref()), (outcome, bound), "{value} {warn:?} {fail:?}");
            assert_eq!(finding.value, Some(value));
        }
    }

    #[test]
    fn a_share_of_nobody_knows_how_many_is_an_error_and_so_is_a_check_that_saw_nothing() {
        let no_whole = measured(&check(None, Some("> 1 %")), saw(5, None));
        assert_eq!((no_whole.outcome, no_whole.reason.unwrap().weight), (Error, Weight::Failed));
        let nothing = measured(&check(Some("> 0"), None), Measured { nothing_seen: true, ..Measured::default() });
        assert_eq!((nothing.outcome, nothing.reason.unwrap().code.as_deref()), (Error, Some("SW5007")));
        // A plain number that fails needs no whole.
        assert_eq!(measured(&check(Some("> 1 %"), Some("> 3")), saw(5, None)).outcome, Fail);
    }

    #[test]
    fn what_a_store_refuses_is_a_failure_and_what_may_pass_names_the_store() {
        let refused = unanswered(&check(None, None), &StoreFailure::refused(codes::NOT_THERE, "there is no table", "look"));
        assert_eq!((refused.outcome, refused.value, refused.silent), (Error, None, None));
        assert_eq!(refused.reason.unwrap().weight, Weight::Failed);
        let away = unanswered(&check(None, None), &StoreFailure::Away { store: "core".into(), text: "gone".into() });
        assert_eq!((away.silent.as_deref(), away.reason.unwrap().weight), (Some("core"), Weight::Temporary));
    }

    #[test]
    fn no_more_samples_than_asked_for() {
        let three = Measured { samples: vec!["a".into(), "b".into(), "c".into()], ..saw(3, None) };
        assert_eq!(measured(&check(Some("> 0"), None), three).samples, ["a", "b"]);
    }
}
