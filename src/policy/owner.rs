//! Whose copy, or session, a key is: rows of a table, or other keys.

use super::dataset::DatasetName;
use super::key_pattern::KeyPattern;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that keys belong to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Belonging {
    /// Where the owners are.
    #[serde(flatten)]
    pub to: Owners,
    /// Where a key says whose it is.
    pub id: IdFrom,
}

/// Where the owners of keys are.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Owners {
    /// Rows of a table.
    Rows {
        /// The owners' dataset.
        dataset: DatasetName,
        /// The column that holds their ids.
        column: String,
        /// Which owners count, in their store's own language: `status <> 'deleted'`.
        r#where: Option<String>,
    },
    /// Other keys.
    Keys {
        /// The store that holds them.
        store: String,
        /// The name of an owner, with `{id}` for its id and nothing else open.
        keys: KeyPattern,
    },
}

impl Owners {
    /// The store that is asked for them.
    pub fn store(&self) -> &str {
        match self {
            Self::Rows { dataset, .. } => &dataset.store,
            Self::Keys { store, .. } => store,
        }
    }
}

/// As a sentence names them: `core.users.id where status = 1`, `cache.user:session:{id}`.
impl fmt::Display for Owners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows { dataset, column, r#where: None } => write!(f, "{dataset}.{column}"),
            Self::Rows { dataset, column, r#where: Some(condition) } => write!(f, "{dataset}.{column} where {condition}"),
            Self::Keys { store, keys } => write!(f, "{store}.{keys}"),
        }
    }
}

/// Where a key says whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IdFrom {
    /// In its name, at `{id}`.
    Key,
    /// Its value is the id.
    Value,
}
