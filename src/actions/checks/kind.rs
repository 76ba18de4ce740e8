//! What a kind of check is made of.

use crate::action::{Context, Measured};
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::CheckSpec;
use crate::store::error::StoreFailure;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

/// Measures one declared check, as of an instant. Reads only.
pub type Measure = for<'a> fn(&'a Context, &'a Check, DateTime<Utc>) -> BoxFuture<'a, Result<Measured, StoreFailure>>;

/// A kind of check.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What people may write.
    pub shape: &'static CheckSpec,
    /// Measures one declared check of this kind, as of an instant. Reads only.
    pub measure: Measure,
}
