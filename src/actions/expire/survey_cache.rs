//! What a look at a store told of several policies, kept until each of them asks for its own.

use super::orphans::Orphans;
use crate::diagnostic::codes;
use crate::store::error::StoreFailure;
use crate::store::redis::holds::KeyHolds;
use crate::store::survey::Survey;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So long ago a look may be: between two policies a third one may work on another store for hours.
const FRESH: Duration = Duration::from_secs(600);

/// How a look at a store may be made, going by what was refused so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Manner {
    /// For all policies at once; how large the keys are that no policy covers is asked too.
    #[default]
    Together,
    /// For all policies at once; of the keys that no policy covers the rights allow to see the names alone.
    ByName,
    /// For one policy, and for nothing else.
    Alone,
}

impl Manner {
    /// The manner in which it may succeed that failed for good in this one; none where it was for one policy already.
    pub fn after(self, failure: &StoreFailure) -> Option<Self> {
        match (self, failure) {
            (Self::Alone, _) => None,
            (Self::Together, StoreFailure::Refused { code, .. }) if *code == codes::DENIED => Some(Self::ByName),
            (_, failure) => (!failure.is_temporary()).then_some(Self::Alone),
        }
    }
}

/// What a survey tells of a policy.
#[derive(Debug, Default)]
pub struct Surveyed {
    /// Its keys, and those that are due.
    pub counts: Survey,
    /// Those whose owners, other keys, were missing.
    pub orphans: Orphans,
}

/// What is known of stores, for the rest of a run.
#[derive(Debug, Default)]
pub struct Known(Mutex<Stores>);

#[derive(Debug, Default)]
struct Stores {
    each: BTreeMap<String, OfStore>,
    /// Policies that failed in a look that another one made: each says itself what is wrong.
    left: BTreeSet<String>,
    /// The run changed something.
    changed: bool,
}

#[derive(Debug, Default)]
struct OfStore {
    manner: Manner,
    policies: BTreeMap<String, (KeyHolds, Instant, Surveyed)>,
    uncovered: Option<(Instant, Survey)>,
    /// All its keys, and whether that is about right.
    total: Option<(u64, bool)>,
}

impl Known {
    fn open(&self) -> MutexGuard<'_, Stores> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How a look at the store may be made.
    pub fn manner(&self, store: &str) -> Manner {
        self.open().each.get(store).map(|known| known.manner).unwrap_or_default()
    }

    /// From now on looks at the store are made so.
    pub fn look_so(&self, store: &str, manner: Manner) {
        self.open().each.entry(store.to_owned()).or_default().manner = manner;
    }

    /// A policy looks for itself from now on.
    pub fn leave(&self, policy: &str) {
        self.open().left.insert(policy.to_owned());
    }

    /// True when the policy looks for itself.
    pub fn is_left(&self, policy: &str) -> bool {
        self.open().left.contains(policy)
    }

    /// Keeps what was counted for a policy under these holds.
    pub fn keep(&self, store: &str, policy: &str, holds: &KeyHolds, surveyed: Surveyed) {
        let kept = (holds.clone(), Instant::now(), surveyed);
        self.open().each.entry(store.to_owned()).or_default().policies.insert(policy.to_owned(), kept);
    }

    /// What was counted for a policy, once: who asks again wants to know anew. None when the holds are others now.
    pub fn take(&self, store: &str, policy: &str, holds: &KeyHolds) -> Option<Surveyed> {
        let kept = self.open().each.get_mut(store)?.policies.remove(policy);
        kept.filter(|(then, at, _)| then == holds && at.elapsed() < FRESH).map(|(_, _, surveyed)| surveyed)
    }

    /// Keeps what was counted of the keys that no policy covers.
    pub fn keep_uncovered(&self, store: &str, counts: Survey) {
        self.open().each.entry(store.to_owned()).or_default().uncovered = Some((Instant::now(), counts));
    }

    /// Keeps how many keys there are, and whether that is about right.
    pub fn keep_total(&self, store: &str, total: u64, is_about: bool) {
        self.open().each.entry(store.to_owned()).or_default().total = Some((total, is_about));
    }

    /// True when a look need not ask about the keys that no policy covers.
    pub fn has_uncovered(&self, store: &str) -> bool {
        let open = self.open();
        let uncovered = open.each.get(store).and_then(|known| known.uncovered.as_ref());
        uncovered.is_some_and(|(at, _)| at.elapsed() < FRESH)
    }

    /// True when a look need not even count them.
    pub fn has_total(&self, store: &str) -> bool {
        self.has_uncovered(store) && self.open().each.get(store).is_some_and(|known| known.total.is_some())
    }

    /// What was counted of the keys that no policy covers, out of all there are now; once.
    pub fn take_uncovered(&self, store: &str) -> Option<Survey> {
        let mut open = self.open();
        let known = open.each.get_mut(store)?;
        let (at, counts) = known.uncovered.take()?;
        let (total, is_about) = known.total.take()?;
        let total_is_estimate = counts.total_is_estimate || is_about;
        (at.elapsed() < FRESH).then_some(Survey { total, total_is_estimate, ..counts })
    }

    /// Something is about to be changed: what was counted is no longer so. The keys that no policy covers stay as they are.
    pub fn forget(&self) {
        let mut open = self.open();
        open.changed = true;
        for known in open.each.values_mut() {
            known.policies.clear();
            known.total = None;
        }
    }

    /// True once the run changed something: what is counted ahead from now on may be counted in vain.
    pub fn has_changed(&self) -> bool {
        self.open().changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(due: u64) -> Survey {
        Survey { due, total: 7, ..Survey::default() }
    }

    fn surveyed(due: u64) -> Surveyed {
        Surveyed { counts: counts(due), orphans: Orphans::default() }
    }

    fn due(surveyed: Option<Surveyed>) -> Option<u64> {
        surveyed.map(|surveyed| surveyed.counts.due)
    }

    #[test]
    fn what_was_counted_is_told_once_and_not_after_a_change() {
        let (known, holds) = (Known::default(), KeyHolds::default());
        known.keep("cache", "a", &holds, surveyed(1));
        known.keep("cache", "b", &holds, surveyed(2));
        assert!(!known.has_changed());
        assert_eq!(due(known.take("other", "a", &holds)), None);
        assert_eq!(due(known.take("cache", "a", &holds)), Some(1));
        assert_eq!(due(known.take("cache", "a", &holds)), None);
        known.forget();
        assert_eq!(due(known.take("cache", "b", &holds)), None);
        assert!(known.has_changed());
    }

    #[test]
    fn what_no_policy_covers_stays_through_a_change_and_all_keys_are_counted_again() {
        let known = Known::default();
        known.keep_uncovered("cache", counts(0));
        known.keep_total("cache", 7, false);
        assert!(known.has_total("cache"));
        known.forget();
        assert!(known.has_uncovered("cache") && !known.has_total("cache"));
        known.keep_total("cache", 5, false);
        assert_eq!(known.take_uncovered("cache").map(|counts| counts.total), Some(5));
        assert_eq!(known.take_uncovered("cache"), None);
    }

    #[test]
    fn what_is_refused_to_all_is_asked_for_one() {
        let denied = StoreFailure::refused(codes::DENIED, "no", "");
        let away = StoreFailure::Away { store: "cache".into(), text: "gone".into() };
        assert_eq!(Manner::Together.after(&denied), Some(Manner::ByName));
        assert_eq!(Manner::ByName.after(&denied), Some(Manner::Alone));
        assert_eq!(Manner::Alone.after(&denied), None);
        assert_eq!(Manner::Together.after(&away), None, "what is away is away for all");
    }
}
