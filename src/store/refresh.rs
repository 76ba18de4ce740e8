//! What became of a refresh.

use std::time::Duration;

/// What became of a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// How: `concurrently`, `while its readers waited`, `for the first time`, `by 2 statements`.
    pub how: String,
    /// How long it took.
    pub took: Duration,
    /// Rows before, where they were counted.
    pub before: Option<u64>,
    /// Rows after; absent where they could not be counted.
    pub after: Option<u64>,
}

/// How a refresh waits and how long it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a lock; the store's own limit when absent.
    pub lock: Option<Duration>,
    /// For the whole statement.
    pub statement: Duration,
}
