//! What a survey counts.

use super::foreign_key::BlockedRows;
use super::foreign_key::Child;
use super::refresh::Refreshed;

/// What there is, in numbers. All reads, one instant after another: a live store moves on between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// Rows in the dataset.
    pub total: u64,
    /// True when `total` is the store's own estimate.
    pub total_is_estimate: bool,
    /// Of an estimate, how many rows are surely there, as far as they were counted.
    pub surely: Option<u64>,
    /// Rows past the cutoff that match the condition, held ones included.
    pub due: u64,
    /// Of those, rows that at least one hold keeps.
    pub held: u64,
    /// Of those, rows kept by each hold.
    pub by_hold: Vec<(String, u64)>,
    /// Of those that no hold keeps, rows that rows of another table keep, by foreign keys that refuse.
    pub blocked: u64,
    /// The same by each foreign key, those of the table to itself too.
    pub by_key: Vec<BlockedRows>,
    /// Rows that match the condition and have no date.
    pub undated: u64,
    /// The oldest due row that no hold keeps, RFC 3339 where the clock can be read.
    pub oldest: Option<String>,
    /// Rows of other tables that would go or change along.
    pub children: Vec<ChildRows>,
    /// Relations of due nodes that no hold keeps: they would go along.
    pub relations: Vec<RelationCount>,
    /// Overdue rows of a live table that final removal does not touch, since they were never archived; and the oldest.
    pub unarchived: (u64, Option<String>),
    /// Why what is due is due, where there is more than one way: `no TTL`, `idle`.
    pub causes: Vec<(&'static str, u64)>,
    /// Of what is due and no hold keeps: keys that would only be given a time to live, and stay until it has passed.
    pub to_be_given_ttl: Option<u64>,
    /// What the store's statistics say of the tables under a view, in numbers, where that was asked.
    pub underneath: Option<String>,
    /// What became of a view, once it was refreshed.
    pub refreshed: Option<Refreshed>,
    /// What the survey saw that a person should know, with the way out.
    pub remarks: Vec<(String, String)>,
}

impl Survey {
    /// Rows that would go: due, and kept by no hold and no row of another table.
    pub const fn going(&self) -> u64 {
        self.overdue().saturating_sub(self.blocked)
    }

    /// Rows that should go: due, and kept by no hold.
    pub const fn overdue(&self) -> u64 {
        self.due.saturating_sub(self.held)
    }
}

/// Rows of another table that a removal would take along or change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildRows {
    /// The foreign key.
    pub child: Child,
    /// Rows.
    pub rows: u64,
}

/// Relations of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationCount {
    /// Their type.
    pub kind: String,
    /// How many.
    pub count: u64,
}
