//! A time that has not come by this machine's clock never reaches a statement that changes something.

use crate::action::Facts;
use crate::diagnostic::codes;
use crate::report::format;
use crate::report::run::{Reason, Weight};
use chrono::{DateTime, Utc};

/// Refuses a cutoff that has not come by this machine's clock, whatever brought it here: a flag, a plan, a pass.
pub fn not_come(facts: &Facts, now: DateTime<Utc>) -> Option<Reason> {
    let text = || format!("rows dated before {} would be due", format::instant(facts.cutoff));
    (facts.cutoff > now).then(|| time_ahead(&text()))
}

/// The refusal of a time that has not come.
pub fn time_ahead(what: &str) -> Reason {
    Reason {
        weight: Weight::Refused,
        code: Some(codes::TIME_AHEAD.to_string()),
        text: format!("{what}, which has not come yet by this machine's clock; nothing was touched"),
        help: Some("look at this machine's clock; only `plan` and `--dry-run` look at a time that has not come".into()),
    }
}

/// The clock was wrong when that pass began: what it measured from has not come yet.
pub fn pass_ahead(as_of: DateTime<Utc>) -> Reason {
    Reason {
        weight: Weight::Warning,
        code: Some(codes::TIME_AHEAD.to_string()),
        text: format!(
            "the pass that was stopped measured from {}, which has not come yet: a new one begins",
            format::instant(as_of)
        ),
        help: Some("this machine's clock was ahead in an earlier run: `steward runs` shows which, and what it did".into()),
    }
}

/// The pass that was stopped is not the one that a batch left.
pub fn pass_unbound() -> Reason {
    Reason {
        weight: Weight::Warning,
        code: None,
        text: "the pass that was stopped is not what a batch left, by the chain: a new one begins".into(),
        help: Some("an older steward left it, or somebody edited it: `steward audit verify` tells which".into()),
    }
}
