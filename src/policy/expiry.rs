//! When sessions and cache entries end: the rules that expire-sessions and sweep-cache carry out.

use super::dataset::DatasetName;
use super::key_pattern::KeyPattern;
use super::lifecycle::{Cascade, Clock, Guard};
use super::owner::{Belonging, IdFrom};
use super::period::Period;
use crate::place::Place;
use serde::{Deserialize, Serialize};

/// One entry of `sessions` or `cache`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Expiry {
    /// Unique in its section; the dataset or the pattern when none was written.
    pub name: String,
    /// Who answers for the data.
    pub owner: Option<String>,
    /// Rows of a table, or keys of a key-value store.
    #[serde(flatten)]
    pub of: Expiring,
    /// How much one run may end without a person.
    pub guard: Guard,
    /// Where it was declared.
    #[serde(skip)]
    pub place: Place,
}

/// What ends.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Expiring {
    /// Rows that say themselves when they expire.
    Rows(ExpiringRows),
    /// Keys that match a pattern.
    Keys(ExpiringKeys),
    /// Keys that live on purpose.
    Permanent(PermanentKeys),
}

/// Keys that live on purpose: no policy removes them or gives them a time to live, and no check of theirs counts them as found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PermanentKeys {
    /// The store.
    pub store: String,
    /// Their names.
    pub keys: KeyPattern,
    /// Always true: how it was declared.
    pub permanent: bool,
    /// Why they live.
    pub because: String,
}

/// Rows that say themselves when they expire.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpiringRows {
    /// The rows.
    pub dataset: DatasetName,
    /// The column that holds the instant at which a row expires.
    pub expires: Clock,
    /// They stay for so long after it.
    pub after: Option<Period>,
    /// A further condition in the store's own language; a row for which it is not true stays.
    pub r#where: Option<String>,
    /// Written into an expired row, which stays: `is_active: 0`. Rows are removed when this is empty.
    pub set: Vec<Assignment>,
    /// What happens when other rows would go along.
    pub cascade: Cascade,
}

/// A column and what is written into it, in the store's text form of the column's type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assignment {
    /// The column.
    pub column: String,
    /// Its new value; NULL when absent.
    pub value: Option<String>,
}

/// Keys that match a pattern.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpiringKeys {
    /// The store.
    pub store: String,
    /// Their names.
    pub keys: KeyPattern,
    /// The longest time a key may have to live.
    pub ttl: Option<Period>,
    /// What happens to a key that never expires by itself.
    pub without_ttl: KeyRule,
    /// What happens to a key that has longer to live than `ttl`.
    pub longer_ttl: KeyRule,
    /// A key that nobody read or wrote for so long is removed.
    pub idle: Option<Period>,
    /// Whose copy, or session, a key is: it belongs to all of these, and is removed when one of them is gone. Empty where nobody's.
    pub belongs_to: Vec<Belonging>,
}

impl ExpiringKeys {
    /// As a dataset: the store and the pattern.
    pub fn dataset(&self) -> DatasetName {
        DatasetName { store: self.store.clone(), schema: None, table: self.keys.to_string() }
    }

    /// True when a key's value says whose it is.
    pub fn value_is_id(&self) -> bool {
        self.belongs_to.iter().any(|belonging| belonging.id == IdFrom::Value)
    }
}

/// What happens to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyRule {
    /// It gets `ttl` to live, up to a tenth less, so that not all end at once.
    Expire,
    /// It is removed.
    Remove,
    /// It is counted and left alone.
    Report,
}
