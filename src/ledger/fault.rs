//! What a verification of the ledger finds, and how it is said.

use super::chain::Head;
use serde::Serialize;
use std::fmt;

/// What `audit verify` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// How many events were read.
    pub events: u64,
    /// How many runs they tell of.
    pub runs: u64,
    /// The first event's time, as stored.
    pub first: Option<String>,
    /// The last event's time, as stored.
    pub last: Option<String>,
    /// The last event. Keep its hash elsewhere: without it a cut tail cannot be seen.
    pub head: Option<Head>,
    /// What became of the head that was asked for.
    pub expected: Option<Expected>,
    /// Runs of an older steward, which did not write down the hashes of their reports' files: those are not checked.
    pub unchecked_reports: u64,
    /// What is wrong, in the order of the chain; empty when it is whole.
    pub faults: Vec<Fault>,
}

/// A head from an earlier mail, looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// It is in the chain: nothing up to it was cut or rewritten.
    Found {
        /// The event it is the hash of.
        seq: i64,
        /// How many events came since.
        since: u64,
    },
    /// It is not: the tail was cut, or the chain rewritten from somewhere before it.
    Missing,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// The content of an event is not what was hashed.
    Edited {
        /// The event.
        seq: i64,
    },
    /// Events are missing: the numbers jump.
    Gap {
        /// The last event before it; 0 for the beginning.
        after: i64,
        /// The next that is there.
        next: i64,
    },
    /// The event does not follow the one before it: that one was replaced, or they changed places.
    Unlinked {
        /// The event.
        seq: i64,
    },
    /// A row says something else than its events.
    Row {
        /// `run`, `hold`, `finding`, `open_intent`.
        table: Table,
        /// The row.
        id: String,
        /// The column.
        column: String,
    },
    /// A row that its events tell of is gone.
    RowGone {
        /// `run`, `hold`, `finding`, `open_intent`.
        table: Table,
        /// The row.
        id: String,
    },
    /// No event tells of this row: it was put there, or the events were cut off.
    RowForeign {
        /// `run`, `hold`, `finding`, `open_intent`.
        table: Table,
        /// The row.
        id: String,
    },
    /// A table, index, trigger or view is not ours, or not as we made it.
    Schema {
        /// What.
        place: String,
    },
    /// A file of a report is gone.
    ReportGone {
        /// The file.
        file: String,
    },
    /// A file of a report was edited.
    ReportEdited {
        /// The file.
        file: String,
    },
    /// The file is damaged; nothing after this event could be read.
    Damaged {
        /// The last event that was read.
        after: i64,
        /// What the database said.
        why: String,
    },
}

/// A table whose rows follow from events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// Runs.
    Run,
    /// Batches whose intent stands alone.
    OpenIntent,
    /// Holds.
    Hold,
    /// Findings.
    Finding,
    /// Who has the locks of jobs.
    Lease,
    /// How far passes got.
    Pass,
}

impl Verification {
    /// Whether nothing is wrong, and the head that was asked for is there.
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty() && self.expected != Some(Expected::Missing)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Run => "run",
            Self::OpenIntent => "open intent",
            Self::Hold => "hold",
            Self::Finding => "findings of event",
            Self::Lease => "lease",
            Self::Pass => "pass",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited { seq } => write!(f, "event {seq} was edited: its content is not what was hashed"),
            Self::Gap { after, next } if *next == after + 2 => write!(f, "event {} is missing", after + 1),
            Self::Gap { after, next } if *next > after + 1 => write!(f, "events {} to {} are missing", after + 1, next - 1),
            Self::Gap { after, next } => write!(f, "event {next} stands after event {after}"),
            Self::Unlinked { seq } => write!(f, "event {seq} does not follow the one before it: that one was replaced or moved"),
            Self::Row { table, id, column } => write!(f, "{table} `{id}` was edited: its `{column}` is not what its events say"),
            Self::RowGone { table, id } => write!(f, "{table} `{id}` is gone from its table; its events are there"),
            Self::RowForeign { table, id } => {
                write!(f, "{table} `{id}` is in no event: it was put there, or its events were cut off")
            }
            Self::Schema { place } => write!(f, "the ledger's schema was changed: {place}"),
            Self::ReportGone { file } => write!(f, "report `{file}` is gone; the chain has its hash"),
            Self::ReportEdited { file } => write!(f, "report `{file}` was edited: it is not what was hashed"),
            Self::Damaged { after, why } => write!(f, "the file is damaged: {why}; nothing after event {after} could be read"),
        }
    }
}
