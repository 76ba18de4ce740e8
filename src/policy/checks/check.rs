//! One declared check.

use super::params::Params;
use super::spec::CheckSpec;
use super::threshold::Threshold;
use crate::place::Place;
use crate::policy::dataset::DatasetName;
use serde::Serialize;

/// One entry of `checks`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// Unique among checks.
    pub name: String,
    /// Who answers for the data.
    pub owner: Option<String>,
    /// Its kind: the key that makes it one.
    #[serde(rename = "kind", serialize_with = "kind")]
    pub shape: &'static CheckSpec,
    /// What it looks at; absent where the kind names its datasets itself.
    pub on: Option<Subject>,
    /// Which rows or nodes count, in their store's own language.
    pub r#where: Option<String>,
    /// What its keys were given.
    #[serde(flatten)]
    pub params: Params,
    /// Beyond this it warns.
    pub warn: Option<Threshold>,
    /// Beyond this it fails.
    pub fail: Option<Threshold>,
    /// How many samples it may keep, masked.
    pub samples: u32,
    /// Where it was declared.
    #[serde(skip)]
    pub place: Place,
}

/// What a check looks at.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Subject {
    /// A table.
    Table(DatasetName),
    /// A whole store.
    Store(String),
}

impl Subject {
    /// The store.
    pub fn store(&self) -> &str {
        match self {
            Self::Table(dataset) => &dataset.store,
            Self::Store(store) => store,
        }
    }
}

fn kind<S: serde::Serializer>(shape: &&'static CheckSpec, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(shape.key)
}

impl Check {
    /// The table it looks at.
    pub fn table(&self) -> Option<&DatasetName> {
        match &self.on {
            Some(Subject::Table(dataset)) => Some(dataset),
            _ => None,
        }
    }

    /// Every store it asks, each once.
    pub fn stores(&self) -> Vec<&str> {
        let mut stores: Vec<&str> = self.on.iter().map(Subject::store).collect();
        for given in self.params.0.values() {
            match given {
                super::params::Param::ReferenceEnd(end) => stores.push(&end.field.dataset.store),
                super::params::Param::Ends(ends) => {
                    stores.extend([ends.0.field.dataset.store.as_str(), ends.1.field.dataset.store.as_str()]);
                }
                _ => {}
            }
        }
        stores.sort_unstable();
        stores.dedup();
        stores
    }

    /// As a report names what it looked at: the dataset, the store, or both ends.
    pub fn dataset(&self) -> String {
        match &self.on {
            Some(Subject::Table(dataset)) => dataset.to_string(),
            Some(Subject::Store(store)) => store.clone(),
            None => match self.params.ends(self.shape.key) {
                Some((from, to)) => format!("{} → {}", from.field, to.field),
                None => self.stores().join(", "),
            },
        }
    }
}
