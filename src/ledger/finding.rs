//! What checks saw, kept so that the tenth night of the same failure is one line.

use super::chain::sha256;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

/// One finding of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FindingRow {
    /// The check.
    pub check: String,
    /// `pass`, `warn`, `fail`, `error` or `skipped`.
    pub outcome: String,
    /// The whole finding as the report tells it, samples masked.
    pub body: Value,
}

/// What a check saw in an earlier run: what a trend is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct PastFinding {
    /// The check.
    pub check: String,
    /// `pass`, `warn`, `fail`, `error` or `skipped`.
    pub outcome: String,
    /// What was counted; none when nothing was.
    pub value: Option<u64>,
    /// Since when its outcome was what it was, as the finding itself told.
    pub since: Option<Value>,
    /// When that run began.
    pub at: DateTime<Utc>,
}

/// A finding as stored: its run, check, outcome and body.
pub type FindingText = [String; 4];

impl FindingRow {
    /// The finding as it is stored.
    pub fn text(&self, run: &str) -> FindingText {
        [run.to_owned(), self.check.clone(), self.outcome.clone(), self.body.to_string()]
    }
}

/// The SHA-256 over findings as they are stored: the JSON text of the list of their `[run, check, outcome, body]`, all strings.
///
/// The `findings` event carries it, so that an edited finding is found.
pub fn digest(rows: &[FindingText]) -> String {
    sha256(serde_json::json!(rows).to_string().as_bytes())
}
