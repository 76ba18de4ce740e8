//! Foreign keys whose rows keep the rows that they refer to, and how many they keep.

use super::sql::schema::table::Child;

/// A foreign key whose rows keep the rows that they refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// The foreign key.
    pub child: Child,
    /// It refers to its own table: what goes frees what it referred to.
    pub own: bool,
}

/// Rows that one foreign key keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedRows {
    /// The foreign key.
    pub blocker: Blocker,
    /// Rows that are due, held by nothing else, and referred to.
    pub rows: u64,
    /// A condition that leaves them out, in the store's own language.
    pub leaves_out: String,
}
