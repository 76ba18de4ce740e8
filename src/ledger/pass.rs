//! A pass: one walk over a dataset, which may take several runs.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// How far a pass got. A run that goes on with it keeps its `as_of`; a fingerprint that differs starts anew.
#[derive(Debug, Clone, PartialEq)]
pub struct Pass {
    /// The job.
    pub job: String,
    /// The dataset.
    pub dataset: String,
    /// The policy.
    pub policy: String,
    /// A hash over what the pass stands on: policy, columns, holds.
    pub fingerprint: String,
    /// The instant that "older than" is measured from, for the whole pass.
    pub as_of: DateTime<Utc>,
    /// The last row seen; none before the first batch. Masked by the caller where a key is personal.
    pub cursor: Option<Value>,
}
