//! Totals over the datasets of a report.

use super::lines::would;
use super::run::RunReport;

/// Totals over the datasets of a report.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Due rows, as far as they were counted.
    pub due: u64,
    /// Would be done.
    pub would: u64,
    /// Of that, what would stay for now: keys that would only be given a time to live.
    pub would_stay: u64,
    /// Kept by holds.
    pub held: u64,
    /// Left alone by a guard.
    pub guarded: u64,
    /// In conflict with the archive.
    pub conflict: u64,
    /// A step failed.
    pub failed: u64,
    /// Kept by rows of other tables.
    pub blocked: u64,
    /// Held by other transactions.
    pub locked: u64,
    /// Out of time.
    pub over_budget: u64,
    /// The run gave up before them.
    pub not_reached: u64,
    /// Everything that stayed, holds apart.
    pub left: u64,
    /// Overdue.
    pub overdue: u64,
}

impl Totals {
    /// The sums of a report.
    pub fn of(report: &RunReport) -> Self {
        report.datasets.iter().fold(Self::default(), |sums, dataset| {
            let left = dataset.left;
            Self {
                due: sums.due + dataset.due.unwrap_or(0),
                would: sums.would + would(dataset).unwrap_or(0),
                would_stay: sums.would_stay + dataset.to_be_given_ttl.unwrap_or(0).min(would(dataset).unwrap_or(0)),
                held: sums.held + left.held,
                guarded: sums.guarded + left.guarded,
                conflict: sums.conflict + left.conflict,
                failed: sums.failed + left.failed,
                blocked: sums.blocked + left.blocked,
                locked: sums.locked + left.locked,
                over_budget: sums.over_budget + left.over_budget,
                not_reached: sums.not_reached + left.not_reached,
                left: sums.left + dataset.stayed().unwrap_or(0),
                overdue: sums.overdue + dataset.overdue().unwrap_or(0),
            }
        })
    }
}
