//! What one run may change of a dataset: a guard and a plan are budgets for the whole run, not looks at its beginning.

use crate::counter::Counts as Done;
use crate::diagnostic::codes;
use crate::policy::lifecycle::Guard;
use crate::report::format;
use crate::report::run::{Reason, Weight};
use crate::runner::approval::PlannedStep;
use crate::store::survey::Survey;

/// What one run may change of a dataset, and how much of it is left.
///
/// An application may date rows anew, or bring rows that are due already, while the run is at work. What comes due like that
/// beyond the guard, or beyond the plan, waits for the next run, which counts it before it touches anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    granted: u64,
    left: u64,
    by_plan: bool,
}

impl Allowance {
    /// What a plan lists, where one was approved; else the smaller of the guard's two bounds, over what the survey counted.
    ///
    /// Never less than what the survey found: that passed the guard already.
    pub fn of(guard: &Guard, counts: &Survey, planned: Option<&PlannedStep>) -> Self {
        let granted = match planned {
            Some(step) => step.due.saturating_sub(step.held).saturating_sub(step.blocked),
            None => guard.max_rows.min(share(guard.max_percent, counts.surely.unwrap_or(counts.total))).max(counts.going()),
        };
        Self { granted, left: granted, by_plan: planned.is_some() }
    }

    /// What may still be changed.
    pub const fn left(&self) -> u64 {
        self.left
    }

    /// Counts what a batch changed; what it merely tried costs nothing.
    pub fn spend(&mut self, done: &Done) {
        self.left = self.left.saturating_sub(done.rows_changed());
    }

    /// Says that `more` rows or keys came due meanwhile and stay.
    pub fn refusal(&self, more: u64, noun: &str) -> Reason {
        let granted = format::count(self.granted);
        let (allowed, help) = if self.by_plan {
            (format!("the plan file approves {granted}"), "plan again, and look what came due")
        } else {
            (
                format!("the guard allows {granted} in one run"),
                "the application may be changing the dates of old rows; the next run counts anew before it touches anything",
            )
        };
        let noun = if more == 1 { noun.trim_end_matches('s') } else { noun };
        Reason {
            weight: Weight::Refused,
            code: Some(codes::GUARDED.to_string()),
            text: format!("{} more {noun} came due during the run, and {allowed}; these were not touched", format::count(more)),
            help: Some(help.into()),
        }
    }
}

/// A share of what there was; all of it, and what is added meanwhile, where the share is everything.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bound in whole rows: a part in 2^53 changes nothing"
)]
fn share(percent: f64, total: u64) -> u64 {
    if percent >= 100.0 { u64::MAX } else { (total as f64 * percent / 100.0).floor() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counter::{Counter, Effect};

    const REMOVED: Counter = Counter {
        key: "removed",
        done: "removed",
        would: "would be removed",
        column: "removed",
        effect: Effect::Rows,
        note: None,
        told_by: &[],
        stays: false,
    };
    const COPIED: Counter = Counter { key: "copied", effect: Effect::Store, ..REMOVED };

    fn guard(max_rows: u64, max_percent: f64) -> Guard {
        Guard { max_rows, max_percent }
    }

    fn counts(total: u64, due: u64, held: u64) -> Survey {
        Survey { total, due, held, ..Survey::default() }
    }

    #[test]
    fn the_smaller_bound_counts_and_what_the_survey_found_passed_it() {
        let granted = |guard, counts| Allowance::of(&guard, &counts, None).left();
        assert_eq!(granted(guard(200, 100.0), counts(1_500, 100, 0)), 200);
        assert_eq!(granted(guard(200, 10.0), counts(1_500, 100, 0)), 150);
        assert_eq!(granted(guard(200, 33.3), counts(10, 3, 0)), 3);
        assert_eq!(granted(guard(200, 20.0), counts(9, 2, 0)), 2, "the guard let them pass");
    }

    #[test]
    fn a_plan_allows_what_it_lists_and_no_more() {
        let (due, held) = (500, 20);
        let step = PlannedStep { due, held, ..crate::runner::approval::samples::step() };
        let mut allowance = Allowance::of(&guard(100, 1.0), &counts(1_000, due, held), Some(&step));
        assert_eq!(allowance.left(), 480);
        allowance.spend(&Done::of([(&COPIED, 400), (&REMOVED, 420)]));
        assert_eq!(allowance.left(), 60, "a copy costs nothing");
        allowance.spend(&Done::of([(&REMOVED, 70)]));
        assert_eq!(allowance.left(), 0);
    }
}
