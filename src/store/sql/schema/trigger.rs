//! What fires when rows of a table change: triggers, and the rules of PostgreSQL.

/// A change of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Rows arrive.
    Insert,
    /// Rows change where they stand.
    Update,
    /// Rows go.
    Delete,
}

impl Event {
    /// As SQL says it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// A trigger that is enabled, or a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// The partition that it stands on; none for one of the table itself.
    pub partition: Option<String>,
    /// What it fires on.
    pub events: Vec<Event>,
}

impl Trigger {
    /// True when it fires on this.
    pub fn fires_on(&self, event: Event) -> bool {
        self.events.contains(&event)
    }
}
