//! Named counts: what an action did, in numbers.
//!
//! A count is declared once, as a [`Counter`], by the action that counts it. Tally, ledger, report, JSON and listings carry
//! [`Counts`] and know none by name.

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// One thing that an action counts, and how people read it.
#[derive(Debug)]
pub struct Counter {
    /// Its name in JSON and in the ledger. Never changed once a version wrote it.
    pub key: &'static str,
    /// Done: `1,204 archived`.
    pub done: &'static str,
    /// Foreseen: `1,204 would be archived`.
    pub would: &'static str,
    /// The head of its column.
    pub column: &'static str,
    /// What is different afterwards.
    pub effect: Effect,
    /// What follows its words in a line of its own; none where that is why the rows went.
    pub note: Option<&'static str>,
    /// Counts of the same rows, by their keys. Where these add up to it, it is not told again.
    pub told_by: &'static [&'static str],
    /// What is counted stays for now, and is foreseen apart, as `to_be_given_ttl`.
    pub stays: bool,
}

/// What is different once something was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Rows or keys of the dataset went or changed: a guard and a plan bound how many.
    Rows,
    /// Something else in a store: a copy was made, a view refreshed.
    Store,
    /// Nothing.
    None,
}

/// How often each counter counted, in the order of its declaration. A count that does not apply is absent, and not zero.
#[derive(Debug, Clone, Default)]
pub struct Counts(Vec<(Name, u64)>);

/// A counter, or the bare name of one that was read from JSON.
#[derive(Debug, Clone)]
enum Name {
    Declared(&'static Counter),
    Read(String),
}

impl Name {
    fn key(&self) -> &str {
        match self {
            Self::Declared(counter) => counter.key,
            Self::Read(key) => key,
        }
    }

    /// Of a count that nobody here declared the most is assumed: a bound never lets it pass uncounted.
    const fn effect(&self) -> Effect {
        match self {
            Self::Declared(counter) => counter.effect,
            Self::Read(_) => Effect::Rows,
        }
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Counts {
    /// These counts.
    pub fn of<const N: usize>(counts: [(&'static Counter, u64); N]) -> Self {
        Self(counts.map(|(counter, count)| (Name::Declared(counter), count)).into())
    }

    /// How often that counter counted; none where it does not apply.
    pub fn get(&self, counter: &Counter) -> Option<u64> {
        self.by_key(counter.key)
    }

    /// The same by the counter's name.
    pub fn by_key(&self, key: &str) -> Option<u64> {
        self.0.iter().find(|(name, _)| name.key() == key).map(|(_, count)| *count)
    }

    /// Every name and its count.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, count)| (name.key(), *count))
    }

    /// Every count as people read it; of what nobody declared the bare name.
    pub fn said(&self) -> impl Iterator<Item = (u64, &str)> {
        self.0.iter().map(|(name, count)| match name {
            Name::Declared(counter) => (*count, counter.done),
            Name::Read(key) => (*count, key.as_str()),
        })
    }

    /// Adds others.
    pub fn add(&mut self, others: &Self) {
        for (name, count) in &others.0 {
            match self.0.iter_mut().find(|(own, _)| own == name) {
                Some((_, own)) => *own = own.saturating_add(*count),
                None => self.0.push((name.clone(), *count)),
            }
        }
    }

    /// Rows and keys of the dataset that went or changed: what a guard bounds.
    pub fn rows_changed(&self) -> u64 {
        self.with(|effect| effect == Effect::Rows)
    }

    /// Everything that made a difference.
    pub fn done(&self) -> u64 {
        self.with(|effect| effect != Effect::None)
    }

    /// The same counts without some.
    #[must_use]
    pub fn without(&self, is_left_out: impl Fn(&str, u64) -> bool) -> Self {
        Self(self.0.iter().filter(|(name, count)| !is_left_out(name.key(), *count)).cloned().collect())
    }

    fn with(&self, is_wanted: impl Fn(Effect) -> bool) -> u64 {
        let wanted = self.0.iter().filter(|(name, _)| is_wanted(name.effect()));
        wanted.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// The same counts in the order of these counters, the names that were read being theirs; behind them what none of these is.
    #[must_use]
    pub fn declared_by(self, counters: &[&'static Counter]) -> Self {
        let mut declared: Vec<(Name, u64)> = vec![];
        for counter in counters.iter().copied() {
            let is_new = declared.iter().all(|(name, _)| name.key() != counter.key);
            declared.extend(self.get(counter).filter(|_| is_new).map(|count| (Name::Declared(counter), count)));
        }
        let others = self.0.into_iter().filter(|(name, _)| counters.iter().all(|counter| counter.key != name.key()));
        declared.extend(others);
        Self(declared)
    }
}

/// The order says nothing.
impl PartialEq for Counts {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.iter().all(|(key, count)| other.by_key(key) == Some(count))
    }
}

impl<const N: usize> From<[(&str, u64); N]> for Counts {
    /// Counts as they are read.
    fn from(counts: [(&str, u64); N]) -> Self {
        Self(counts.map(|(key, count)| (Name::Read(key.to_owned()), count)).into())
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.iter().try_for_each(|(key, count)| map.serialize_entry(key, &count))?;
        map.end()
    }
}

/// Whatever is a number is a count; the rest is another steward's.
impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Number {
            Count(u64),
            Other(IgnoredAny),
        }
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Counts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("counts by their names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Counts, A::Error> {
                let mut counts = Counts::default();
                while let Some((key, field)) = map.next_entry::<String, Number>()? {
                    if let Number::Count(count) = field {
                        counts.0.push((Name::Read(key), count));
                    }
                }
                Ok(counts)
            }
        }
        deserializer.deserialize_map(Map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GONE: Counter = Counter {
        key: "gone",
        done: "gone",
        would: "would go",
        column: "gone",
        effect: Effect::Rows,
        note: None,
        told_by: &[],
        stays: false,
    };
    const COPIED: Counter = Counter { key: "copied", effect: Effect::Store, ..GONE };
    const THERE: Counter = Counter { key: "there", effect: Effect::None, ..GONE };

    #[test]
    fn counts_add_up_and_what_does_not_apply_is_absent() {
        let mut counts = Counts::of([(&COPIED, 3), (&THERE, 2)]);
        counts.add(&Counts::of([(&COPIED, 1), (&GONE, 5)]));
        assert_eq!((counts.get(&COPIED), counts.get(&GONE), counts.by_key("swept")), (Some(4), Some(5), None));
        assert_eq!((counts.rows_changed(), counts.done()), (5, 9));
    }

    #[test]
    fn a_guard_counts_what_nobody_declared() {
        let read: Counts = serde_json::from_str(r#"{"copied":3,"how":"fast","of_a_later_steward":2}"#).unwrap();
        assert_eq!(read, Counts::from([("copied", 3), ("of_a_later_steward", 2)]));
        assert_eq!((read.rows_changed(), read.declared_by(&[&COPIED]).rows_changed()), (5, 2));
    }
}
