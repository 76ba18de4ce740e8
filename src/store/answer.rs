//! What stores of every data_model answer to checks and to `doctor`.

use super::error::StoreFailure;
use super::value::Cell;
use crate::diagnostic::codes;
use chrono::TimeDelta;
use std::time::Duration;

/// What the one row of a query said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The first column.
    pub value: u64,
    /// The second, where there is one.
    pub of: Option<u64>,
}

/// How many of how many, and the statement that says so again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The rows that are as they should not be.
    pub bad: u64,
    /// Out of so many.
    pub of: u64,
    /// Gives both: the bad ones first.
    pub query: String,
}

/// A few rows and the names of their columns, in the same order.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedRows {
    /// The columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

/// What a store answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ping {
    /// `PostgreSQL 16.4`.
    pub version: String,
    /// Who the store takes us for; none for a file.
    pub user: Option<String>,
    /// The shortest of three questions and answers, on an open connection.
    pub latency: Duration,
    /// `TLSv1.3`; none when the connection is in clear, or there is none.
    pub tls: Option<String>,
    /// The server was reached at another port than ours leads to: a pooler or a proxy stands between, and `tls` is about its side.
    pub is_behind: bool,
    /// How far the store's clock is ahead of ours, exact to half of `latency`; none for a file.
    pub ahead: Option<TimeDelta>,
    /// Why the file cannot be written; none when it can, and for a server.
    pub unwritable: Option<String>,
}

/// A condition that works on the table, and not on each of its rows.
pub(crate) fn fails_for_rows(whose: &str, label: &str, text: &str) -> StoreFailure {
    StoreFailure::refused(
        codes::CONDITION,
        format!("the condition of {whose} cannot be evaluated for each row of `{label}`: {text}; nothing is moved or removed"),
        "write it so that it works for every row, as with CASE or NULLIF; a hold in the ledger: release it and add it anew",
    )
}
