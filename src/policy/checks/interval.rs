//! The values that are beyond a bound, so that two bounds can be held against each other.

use super::spec::Counts;
use super::threshold::{Than, Threshold, Unit};

/// All values beyond a bound, from the first to the last of those that a check can have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    from: f64,
    to: f64,
    unit: Unit,
}

impl Interval {
    /// What a bound reaches. No value is below zero, and no share above 100 %; all but the shares are whole numbers.
    pub fn of(bound: &Threshold, counts: Counts) -> Self {
        let is_share = bound.unit == Unit::Percent;
        let is_whole = !(is_share && counts == Counts::Things);
        let (least, most) = (0.0, if is_share { 100.0 } else { f64::INFINITY });
        let at = bound.amount;
        let after = if is_whole { at.floor() + 1.0 } else { at.next_up() };
        let before = if is_whole { at.ceil() - 1.0 } else { at.next_down() };
        let (from, to) = match bound.than {
            Than::More => (after, most),
            Than::AtLeast => (at, most),
            Than::Less => (least, before),
            Than::AtMost => (least, at),
            Than::Exactly => (at, at),
        };
        Self { from: from.max(least), to: to.min(most), unit: bound.unit }
    }

    /// True when no value is beyond the bound.
    pub fn is_empty(self) -> bool {
        self.from > self.to
    }

    /// True when whatever is beyond the other bound is beyond this one too. Where one is a number and the other a share, that is
    /// known of one thing alone: a share of something is at least one.
    pub fn covers(self, other: Self) -> bool {
        if self.unit == other.unit {
            return self.from <= other.from && other.to <= self.to;
        }
        self.unit == Unit::Count && self.from <= 1.0 && self.to == f64::INFINITY && other.from > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(text: &str, counts: Counts) -> Interval {
        Interval::of(&text.parse().unwrap(), counts)
    }

    #[test]
    fn a_bound_covers_another_when_nothing_is_left_between_them() {
        for (fail, warn, covered) in [
            ("> 5", "> 10", true),
            ("> 5", "> 5", true),
            ("> 5", ">= 6", true),
            (">= 5", "> 4", true),
            (">= 5", "> 3", false),
            ("> 5", "> 0", false),
            ("< 100", "< 50", true),
            ("< 50", "< 100", false),
            ("< 100", "= 0", true),
            ("> 100", "< 10", false),
            ("> 0", "> 1 %", true),
            ("> 1", "> 1 %", false),
            ("> 1 %", "> 0", false),
            ("> 1 %", "> 1.5 %", true),
            ("> 1.5 %", "> 1 %", false),
            (">= 1 %", "> 1 %", true),
            ("> 1 %", ">= 1 %", false),
        ] {
            let (outer, inner) = (reach(fail, Counts::Things), reach(warn, Counts::Things));
            assert_eq!(outer.covers(inner), covered, "fail {fail}, warn {warn}");
        }
        assert!(reach("> 1 s", Counts::Time).covers(reach("> 1000 ms", Counts::Time)));
        assert!(!reach("> 90 %", Counts::Percent).covers(reach("> 85 %", Counts::Percent)));
    }

    #[test]
    fn a_bound_that_nothing_can_pass_is_empty() {
        for text in ["< 0", "> 100 %", "= 101 %", ">= 100.5 %"] {
            assert!(reach(text, Counts::Things).is_empty(), "{text}");
        }
        for text in ["<= 0", ">= 100 %", "= 0", "> 0", "< 0.5 %"] {
            assert!(!reach(text, Counts::Things).is_empty(), "{text}");
        }
        assert!(reach("> 99.5 %", Counts::Percent).covers(reach("= 100 %", Counts::Percent)));
    }
}
