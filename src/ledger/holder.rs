//! Who has the lock of a job.

use chrono::{DateTime, Utc};

/// The run that has a job's lock, as the next one tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Holder {
    /// The run.
    pub run: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The machine.
    pub host: String,
    /// The process.
    pub pid: u32,
}
