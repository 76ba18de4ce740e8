//! Why something is not plainly done, and what that means for the outcome.

use serde::{Deserialize, Serialize};

/// Why something stayed, failed or was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What it means for the outcome.
    pub weight: Weight,
    /// A stable code, where there is one to explain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// A lowercase fact, names in backticks, and what was not done.
    pub text: String,
    /// The way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// What a reason means for the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Worth knowing; changes nothing.
    Note,
    /// Worth a look; still done.
    Warning,
    /// May pass by itself: a lock, a store away, a signal.
    Temporary,
    /// A person decides.
    Refused,
    /// Failed for good.
    Failed,
    /// Declared wrongly.
    Invalid,
}
