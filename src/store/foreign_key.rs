//! Foreign keys whose rows keep the rows that they refer to, and how many they keep.

/// A foreign key of another table that points here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// Its schema.
    pub schema: Option<String>,
    /// The table that refers to us.
    pub table: String,
    /// The constraint's name.
    pub constraint: String,
    /// The referring columns.
    pub columns: Vec<String>,
    /// Our columns, in the same order.
    pub parent_columns: Vec<String>,
    /// What happens to its rows when ours are removed.
    pub on_delete: OnDelete,
}

/// What a foreign key does when the row it points at is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// Removes the child.
    Cascade,
    /// Blanks the reference: the child changes.
    Blank,
    /// Refuses the removal.
    Refuse,
}

impl OnDelete {
    /// Reads the standard's words.
    pub fn read(rule: &str) -> Self {
        match rule.to_ascii_uppercase().as_str() {
            "CASCADE" | "C" => Self::Cascade,
            "SET NULL" | "SET DEFAULT" | "N" | "D" => Self::Blank,
            _ => Self::Refuse,
        }
    }
}

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
