//! What may stand in `policies/*.yaml`.

use super::entries::{ClassificationEntry, HoldEntry, LifecycleEntry};
use super::expiry_file::ExpiryEntry;
use super::view_file::ViewEntry;
use crate::yaml::node::{Entry, Node};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;

/// What the owner of some data declares about it: how long it lives, what it is, what must not be touched.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "a policy file", deny_unknown_fields)]
#[schemars(rename = "PolicyFile")]
pub struct PolicyFile {
    /// Who answers for the data.
    pub owner: Option<String>,
    /// How long rows live.
    pub lifecycle: Option<Vec<Entry<LifecycleEntry>>>,
    /// What fields are, and how they must be protected.
    pub classification: Option<Vec<Entry<ClassificationEntry>>>,
    /// Rows that nothing may remove or alter.
    pub holds: Option<Vec<Entry<HoldEntry>>>,
    /// When cache entries end.
    pub cache: Option<Vec<Entry<ExpiryEntry>>>,
    /// When sessions end.
    pub sessions: Option<Vec<Entry<ExpiryEntry>>>,
    /// What is refreshed.
    pub views: Option<Vec<Entry<ViewEntry>>>,
    /// What is checked.
    pub checks: Option<Vec<CheckEntry>>,
}

/// A check as it stands there: which keys it may have depends on its kind, and the kinds are known elsewhere.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct CheckEntry(pub Node);

impl JsonSchema for CheckEntry {
    fn schema_name() -> Cow<'static, str> {
        "Check".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}
