//! Keys whose owners, other keys, were not there when the survey came by.

use super::rule::Owner;
use crate::store::redis::scan::Key;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

/// An application writes a token and its session in two steps, not in one: so long after the survey a key is looked at again.
const SETTLE: Duration = Duration::from_secs(5);
/// So many are told apart, in some 50 MB; the others wait for the next run.
const MOST: usize = 1_000_000;

/// Keys that were orphans by keys alone in the survey.
///
/// A key that is missing says less than a row that is: the application may be about to write it. So a key that only keys make an
/// orphan is removed when it was one in the survey, was not written since, and still is one five seconds later and in the moment
/// before its removal (held by `a_session_that_is_just_being_made_is_not_ended`). 64 bits are kept of each name, keyed anew each time.
#[derive(Debug, Default)]
pub struct Orphans {
    hash: RandomState,
    /// Milliseconds each had to live, -1 where it never expires.
    left: HashMap<u64, i64>,
    until: Option<Instant>,
}

impl Orphans {
    /// Notes a key of the survey.
    pub fn note(&mut self, key: &Key, owner: Option<Owner>) {
        if owner == Some(Owner::Missing) && self.left.len() < MOST {
            let id = self.of(&key.name);
            self.left.insert(id, as_answered(key.left));
        }
    }

    /// The survey is over now.
    pub fn settling(self) -> Self {
        let until = (!self.left.is_empty()).then(|| Instant::now() + SETTLE);
        Self { until, ..self }
    }

    /// How long it takes until they may be looked at again.
    pub fn wait(&self) -> Duration {
        self.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    /// The most that a key of the survey may have to live now, or it was written since; none for a key that was no orphan then.
    pub fn most_left(&self, name: &[u8]) -> Option<i64> {
        self.left.get(&self.of(name)).copied()
    }

    /// True for a key that was an orphan in the survey and was not written since.
    pub fn had(&self, key: &Key) -> bool {
        let left = as_answered(key.left);
        self.most_left(&key.name).is_some_and(|most| if most < 0 { left < 0 } else { (0..=most).contains(&left) })
    }

    fn of(&self, name: &[u8]) -> u64 {
        self.hash.hash_one(name)
    }
}

/// As `PTTL` answers.
fn as_answered(left: Option<u64>) -> i64 {
    left.map_or(-1, |left| i64::try_from(left).unwrap_or(i64::MAX))
}
