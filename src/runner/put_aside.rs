//! Rows that were put aside, since each of them fails on its own: told by reason, each reason once.

use crate::action::reason;
use crate::report::format;
use crate::report::run::{Reason, Weight};
use crate::store::error::StoreFailure;

/// Batches that may fail on the way to single rows in one run of a dataset. Behind that a batch that fails is put aside whole, so
/// that a table in which everything fails is walked to its end all the same, and what can go goes.
const TRIES: u64 = 4_000;
/// Batches put aside whole, one after another and with nothing done at all, after which the dataset is given up.
const WHOLE: u64 = 500;
/// Rows of one reason that are named.
const NAMED: usize = 3;

/// Rows that were put aside in one run of a dataset.
#[derive(Debug, Default)]
pub struct PutAside {
    kinds: Vec<Kind>,
    /// Batches that failed.
    tries: u64,
    /// Batches put aside whole since the last one that was carried out.
    whole: u64,
    /// Rows of batches that were put aside whole.
    unsorted: u64,
}

#[derive(Debug)]
struct Kind {
    reason: Reason,
    rows: u64,
    named: Vec<String>,
}

impl PutAside {
    /// Counts a batch that failed: true when it may be tried in parts.
    pub const fn may_part(&mut self) -> bool {
        self.tries += 1;
        self.tries <= TRIES
    }

    /// Puts one row aside.
    pub fn row(&mut self, failure: &StoreFailure, name: Option<String>) {
        self.add(failure, 1, name);
    }

    /// Puts a batch aside without looking for the rows that fail.
    pub fn whole(&mut self, failure: &StoreFailure, rows: u64) {
        self.whole += 1;
        self.unsorted += rows;
        self.add(failure, 0, None);
    }

    /// A batch was carried out.
    pub const fn worked(&mut self) {
        self.whole = 0;
    }

    /// Forgets the rows that were put aside: they will be tried again.
    pub fn begin_again(&mut self) {
        *self = Self { tries: self.tries, ..Self::default() };
    }

    /// True when going on is no use.
    pub const fn is_hopeless(&self) -> bool {
        self.whole >= WHOLE
    }

    /// Rows that fail, each for itself.
    pub fn rows(&self) -> u64 {
        self.kinds.iter().map(|kind| kind.rows).sum()
    }

    /// True when batches were put aside whole.
    pub const fn has_unsorted(&self) -> bool {
        self.unsorted > 0
    }

    /// Each reason once, with its rows, or what else the dataset counts: `noun`; none where there is one thing to do or not.
    pub fn reasons(self, noun: Option<&str>) -> impl Iterator<Item = Reason> {
        self.kinds.into_iter().map(move |kind| match noun {
            Some(noun) => kind.told(noun),
            None => kind.reason,
        })
    }

    fn add(&mut self, failure: &StoreFailure, rows: u64, name: Option<String>) {
        let reason = reason(failure);
        let at = self.kinds.iter().position(|kind| kind.reason == reason).unwrap_or_else(|| {
            self.kinds.push(Kind { reason, rows: 0, named: vec![] });
            self.kinds.len() - 1
        });
        let kind = &mut self.kinds[at];
        kind.rows += rows;
        kind.named.extend(name.filter(|_| kind.named.len() < NAMED));
    }
}

impl Kind {
    /// `25 rows stay (id=1, id=2, id=3, …): store `core`: …`
    fn told(self, noun: &str) -> Reason {
        if self.rows == 0 {
            return self.reason;
        }
        let more = if self.rows > self.named.len() as u64 { ", …" } else { "" };
        let named = if self.named.is_empty() { String::new() } else { format!(" ({}{more})", self.named.join(", ")) };
        let stay = if self.rows == 1 { "stays" } else { "stay" };
        let text = format!("{}{named} {stay}: {}", format::plural(self.rows, noun), self.reason.text);
        let them = if self.rows == 1 { "it" } else { "them" };
        let help = self.reason.help.or_else(|| {
            (self.reason.weight == Weight::Failed && !self.named.is_empty())
                .then(|| format!("mend what refuses {them}, or leave {them} out by `where` in the policy"))
        });
        Reason { text, help, ..self.reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(text: &str) -> StoreFailure {
        StoreFailure::Failed { store: "core".into(), text: text.into() }
    }

    #[test]
    fn each_reason_is_told_once_with_its_rows() {
        let mut aside = PutAside::default();
        (1..=5).for_each(|id| aside.row(&failure("check violation"), Some(format!("id={id}"))));
        aside.row(&failure("a trigger refused it"), Some("id=9".into()));
        assert_eq!(aside.rows(), 6);
        let told: Vec<String> = aside.reasons(Some("row")).map(|reason| reason.text).collect();
        assert_eq!(
            told,
            [
                "5 rows (id=1, id=2, id=3, …) stay: store `core`: check violation",
                "1 row (id=9) stays: store `core`: a trigger refused it"
            ]
        );
    }

    #[test]
    fn a_table_in_which_all_fails_is_given_up_in_the_end() {
        let mut aside = PutAside::default();
        assert_eq!((0..TRIES + 1).filter(|_| aside.may_part()).count() as u64, TRIES);
        (1..WHOLE).for_each(|_| aside.whole(&failure("the disk is full"), 1_000));
        aside.worked();
        (1..WHOLE).for_each(|_| aside.whole(&failure("the disk is full"), 1_000));
        assert!(!aside.is_hopeless() && aside.has_unsorted());
        aside.whole(&failure("the disk is full"), 1_000);
        assert!(aside.is_hopeless());
    }
}
