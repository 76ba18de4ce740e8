//! What checks saw, kept so that the tenth night of the same failure is one line.

use super::chain::sha256;
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
