//! The keys that nothing may remove or alter. The only way to change a key takes the holds.

use crate::diagnostic::codes;
use crate::policy::dataset::DatasetName;
use crate::policy::hold::Hold;
use crate::policy::key_pattern::KeyPattern;
use crate::store::error::StoreFailure;

/// The legal holds on a store's keys. Without this value no key can be changed (promise 4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyHolds {
    clauses: Vec<(String, KeyPattern)>,
}

impl KeyHolds {
    /// Those of the holds that are on this store: the part of their dataset behind the store's name is a pattern.
    ///
    /// # Errors
    /// A hold with a condition, which a store of keys cannot evaluate, or one whose pattern cannot be read: nothing may be touched.
    pub fn new<'a>(store: &str, holds: impl IntoIterator<Item = &'a Hold>) -> Result<Self, StoreFailure> {
        let own = holds.into_iter().filter(|hold| hold.dataset.store == store);
        let clause = |hold: &Hold| clause(&hold.name, &hold.dataset, hold.r#where.as_deref());
        Ok(Self { clauses: own.map(clause).collect::<Result<_, _>>()? })
    }

    /// Whether such a hold could be honoured.
    ///
    /// # Errors
    /// As [`KeyHolds::new`].
    pub fn check(name: &str, dataset: &DatasetName, condition: Option<&str>) -> Result<(), StoreFailure> {
        clause(name, dataset, condition).map(drop)
    }

    /// The names of the holds that keep a key. `{id}` stands for anything here: a hold rather keeps too much.
    pub fn keeping(&self, key: &[u8]) -> impl Iterator<Item = &str> {
        self.clauses.iter().filter(move |(_, pattern)| pattern.may_mean(key)).map(|(name, _)| name.as_str())
    }

    /// True when some hold keeps the key.
    pub fn keeps(&self, key: &[u8]) -> bool {
        self.keeping(key).next().is_some()
    }

    /// Their names, each once.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.clauses.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

fn clause(name: &str, dataset: &DatasetName, condition: Option<&str>) -> Result<(String, KeyPattern), StoreFailure> {
    if condition.is_some() {
        return Err(StoreFailure::refused(
            codes::CONDITION,
            format!(
                "hold `{name}` has a condition, and keys of store `{}` have nothing to hold it against; nothing was touched",
                dataset.store
            ),
            "name the keys in its dataset instead: `cache.cache:user:42`, `cache.\"cache:user:*\"`",
        ));
    }
    // A dot in a pattern makes it look like a schema and a table.
    let written = dataset.schema.iter().map(|schema| format!("{schema}.")).chain([dataset.table.clone()]);
    let pattern = written.collect::<String>().parse::<KeyPattern>().map_err(|error| {
        StoreFailure::refused(
            codes::CONDITION,
            format!("hold `{name}` names no keys: {error}; nothing was touched"),
            "name a key or a pattern: `cache.\"cache:user:*\"`",
        )
    })?;
    Ok((name.to_owned(), pattern))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::hold::HoldOrigin;

    fn hold(dataset: &str, condition: Option<&str>) -> Hold {
        Hold {
            name: "case".into(),
            dataset: dataset.parse().unwrap(),
            r#where: condition.map(str::to_owned),
            because: "litigation".into(),
            owner: None,
            origin: HoldOrigin::Command,
        }
    }

    #[test]
    fn a_hold_keeps_the_keys_that_its_dataset_matches() {
        let holds = [hold("cache.cache:user:42", None), hold("cache.a.b:*", None), hold("other.*", None)];
        let holds = KeyHolds::new("cache", &holds).unwrap();
        assert!(holds.keeps(b"cache:user:42") && holds.keeps(b"a.b:\xff") && !holds.keeps(b"cache:user:421"));
        assert!(KeyHolds::new("cache", &[hold("cache.*", None)]).unwrap().keeps(b"anything"));
        let by_id = KeyHolds::new("cache", &[hold("cache.user:{id}", None)]).unwrap();
        assert!(by_id.keeps(b"user:42") && by_id.keeps(b"user:42:profile") && by_id.keeps(b"user:\xff"));
    }

    #[test]
    fn a_hold_that_cannot_be_evaluated_refuses_everything() {
        assert!(KeyHolds::new("cache", &[hold("cache.*", Some("id = 1"))]).is_err());
        assert!(KeyHolds::new("cache", &[hold("cache.{id}{id}", None)]).is_err());
        assert!(KeyHolds::new("cache", &[hold("core.*", Some("id = 1"))]).is_ok());
    }
}
