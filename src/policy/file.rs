//! What may stand in `policies/*.yaml`.

use super::entries::{ClassificationEntry, HoldEntry, LifecycleEntry};
use super::expiry_file::ExpiryEntry;
use super::view_file::ViewEntry;
use crate::yaml::fields::declared;
use crate::yaml::node::{Entry, Node};
use crate::yaml::reading::{Read, Reading};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

declared! {
    /// What the owner of some data declares about it: how long it lives, what it is, what must not be touched.
    "a policy file" PolicyFile {
        /// Who answers for the data.
        "owner" owner: Option<String>,
        /// How long rows live.
        "lifecycle" lifecycle: Option<Vec<Entry<LifecycleEntry>>>,
        /// What fields are, and how they must be protected.
        "classification" classification: Option<Vec<Entry<ClassificationEntry>>>,
        /// Rows that nothing may remove or alter.
        "holds" holds: Option<Vec<Entry<HoldEntry>>>,
        /// When cache entries end.
        "cache" cache: Option<Vec<Entry<ExpiryEntry>>>,
        /// When sessions end.
        "sessions" sessions: Option<Vec<Entry<ExpiryEntry>>>,
        /// What is refreshed.
        "views" views: Option<Vec<Entry<ViewEntry>>>,
        /// What is checked.
        "checks" checks: Option<Vec<CheckEntry>>,
    }
}

/// A check as it stands there: which keys it may have depends on its kind, and the kinds are known elsewhere.
#[derive(Debug, Clone)]
pub struct CheckEntry(pub Node);

impl Read for CheckEntry {
    fn read(node: &Node, _: &mut Reading<'_>) -> Option<Self> {
        Some(Self(node.clone()))
    }
}

impl JsonSchema for CheckEntry {
    fn schema_name() -> Cow<'static, str> {
        "Check".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}
