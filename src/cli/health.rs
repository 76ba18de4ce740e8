//! One line of `doctor`: what was looked at, and how it is.

use crate::store::error::StoreFailure;
use serde::Serialize;

/// What was looked at, and how it is.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    pub(super) what: String,
    pub(super) verdict: Verdict,
    pub(super) told: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) help: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Ok,
    /// Works, and deserves a look.
    Warn,
    /// Does not work now; may pass by itself.
    Away,
    Fail,
}

impl Check {
    pub(super) fn ok(what: &str, told: impl Into<String>) -> Self {
        Self { what: what.to_owned(), verdict: Verdict::Ok, told: told.into(), help: None }
    }

    pub(super) fn not(what: &str, verdict: Verdict, told: impl Into<String>, help: impl Into<String>) -> Self {
        let help = Some(help.into()).filter(|help: &String| !help.is_empty());
        Self { verdict, help, ..Self::ok(what, told) }
    }

    pub(super) fn failure(what: &str, failure: &StoreFailure) -> Self {
        let verdict = if failure.is_temporary() { Verdict::Away } else { Verdict::Fail };
        Self::not(what, verdict, failure.to_string(), failure.help())
    }
}

pub(super) const fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "✓ ok",
        Verdict::Warn => "! warn",
        Verdict::Away => "✗ away",
        Verdict::Fail => "✗ fail",
    }
}
