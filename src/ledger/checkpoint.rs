//! A pass: one walk over a dataset, which may take several runs.

use super::chain::sha256;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

/// How far a pass got. A run that goes on with it keeps its `as_of`; a fingerprint that differs starts anew.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
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

impl Checkpoint {
    /// What binds it to the chain: the SHA-256 that the outcome of its last batch carries.
    pub fn digest(&self) -> String {
        let cursor = self.cursor.as_ref().map(ToString::to_string);
        digest([&self.job, &self.dataset, &self.policy, &self.fingerprint, &to_the_nanosecond(self.as_of)], cursor.as_deref())
    }
}

/// The same over a row as it is stored: job, dataset, policy, fingerprint, instant; and the cursor.
pub fn digest(parts: [&str; 5], cursor: Option<&str>) -> String {
    sha256(serde_json::json!([parts, cursor]).to_string().as_bytes())
}

/// A pass goes on with the very cutoff it began with.
pub fn to_the_nanosecond(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Nanos, true)
}
