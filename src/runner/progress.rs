//! Whoever watches a run: a bar on a terminal, plain lines elsewhere, nobody in a test.

use crate::action::Label;

/// Told what happens while it happens.
pub trait Progress: Send + Sync {
    /// A dataset begins, with so many rows to go.
    fn begin(&self, label: &Label, rows: u64);
    /// So many more rows are done.
    fn advance(&self, rows: u64);
    /// Something worth a line: a retry, a wait.
    fn note(&self, text: &str);
    /// The dataset is over.
    fn end(&self);
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn begin(&self, _: &Label, _: u64) {}
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn end(&self) {}
}
