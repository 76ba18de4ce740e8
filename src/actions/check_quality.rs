//! Holds data against what is expected of it: duplicates, gaps, orphans, ids that lead nowhere.

use super::checks;
use crate::action::{CheckAction, Context, Measured};
use crate::diagnostic::codes;
use crate::policy::checks::check::Check;
use crate::store::error::StoreFailure;
use chrono::{DateTime, Utc};

/// Measures declared checks, each by its kind. Reads only; a crash leaves nothing behind.
#[derive(Debug)]
pub struct CheckQuality;

impl CheckAction for CheckQuality {
    const NAME: &'static str = "check-quality";
    const ABOUT: &'static str = "holds data against what is expected of it, and reports what is not so";

    async fn measure(cx: &Context, check: &Check, as_of: DateTime<Utc>) -> Result<Measured, StoreFailure> {
        match checks::named(check.shape.key) {
            Some(kind) => (kind.measure)(cx, check, as_of).await,
            None => Err(StoreFailure::refused(
                codes::CHECK_KIND,
                format!("there is no check `{}`; nothing was looked at", check.shape.key),
                "`steward schema policy` lists the kinds",
            )),
        }
    }
}
