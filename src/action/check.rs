//! The contract of what looks and changes nothing: a check measures, the runner holds it against its bounds.

use super::context::Context;
use crate::policy::checks::check::Check;
use crate::store::error::StoreFailure;
use chrono::{DateTime, Utc};
use std::future::Future;

/// What a check measured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// How many things are as they should not be; for other kinds a share in percent, milliseconds, bytes.
    pub value: u64,
    /// Out of how many, where there is such a number. Zero where some were expected is not a pass: see `nothing_seen`.
    pub of: Option<u64>,
    /// A few of them, masked already: nothing here may be personal (promise 9).
    pub samples: Vec<String>,
    /// The query that gives `value` again (promise 12); absent where no single one does.
    pub query: Option<String>,
    /// What a person should know to read the number.
    pub notes: Vec<String>,
    /// True when there was nothing to look at where something was expected: such a check did not pass, it saw nothing.
    pub nothing_seen: bool,
}

impl Measured {
    /// What one query says: how many, and out of how many where it tells. Out of none is nothing seen.
    pub fn asked(value: u64, of: Option<u64>, query: impl Into<String>) -> Self {
        Self { value, of, query: Some(query.into()), nothing_seen: of == Some(0), ..Self::default() }
    }
}

/// A kind of work that looks and changes nothing.
pub trait CheckAction: Send + Sync + 'static {
    /// The word in `action:`.
    const NAME: &'static str;
    /// What it does, in a line, for listings.
    const ABOUT: &'static str;

    /// Measures one check. Reads only.
    ///
    /// # Errors
    /// It could not be evaluated: the store is away, or what is declared does not fit it.
    fn measure(cx: &Context, check: &Check, as_of: DateTime<Utc>) -> impl Future<Output = Result<Measured, StoreFailure>> + Send;
}
