//! What an action says of itself to whoever reports on it: what it counts, and how its report is laid out.

use crate::counter::{Counter, Effect};

/// What an action says of itself. Declared by the action; the report knows none by name.
#[derive(Debug)]
pub struct Presentation {
    /// What it is for.
    pub main: Option<&'static Counter>,
    /// Everything it counts, in the order of the JSON.
    pub counters: &'static [&'static Counter],
    /// How its report is laid out.
    pub layout: Layout,
    /// What makes a row due.
    pub age: Age,
}

/// How a report is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Rows or keys that are due, went, or stayed.
    Rows,
    /// Views, each fresh or not: nothing in them is due, kept or overdue.
    Views,
    /// Checks: there is nothing it could touch, and no mode that changes that.
    Checks,
}

/// What makes a row due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// It is older than a period.
    OlderThan,
    /// It says itself when it ends, and that is past.
    PastItsTime,
}

impl Presentation {
    /// Of an action that nobody here knows, such as one of a later steward: its counts are shown by their own names.
    pub const UNKNOWN: Self = Self { main: None, counters: &[], layout: Layout::Rows, age: Age::OlderThan };
    /// Of checks, which count nothing but findings.
    pub const CHECKS: Self = Self { layout: Layout::Checks, ..Self::UNKNOWN };

    /// The counters that people read, what the action is for first.
    pub fn read(&self) -> impl Iterator<Item = &'static Counter> {
        let others = self.counters.iter().copied().filter(|one| self.main.is_none_or(|main| main.key != one.key));
        self.main.into_iter().chain(others.filter(|counter| counter.effect != Effect::None))
    }

    /// What is counted stays for now, and is foreseen apart.
    pub fn staying(&self) -> Option<&'static Counter> {
        self.counters.iter().copied().find(|counter| counter.stays)
    }

    /// A counter by its name in JSON.
    pub fn counter(&self, key: &str) -> Option<&'static Counter> {
        self.counters.iter().copied().find(|counter| counter.key == key)
    }

    /// What is foreseen: `1,204 would be archived`.
    pub fn would(&self) -> &'static str {
        self.main.map_or("would change", |main| main.would)
    }
}

impl Default for &'static Presentation {
    fn default() -> Self {
        &Presentation::UNKNOWN
    }
}
