//! The mark that a batch leaves in its store with its own transaction: the last batch that was committed, by job, dataset and policy.
//!
//! A batch changes it first of all, from the batch before to itself, and commits the change with its work. So what became of a
//! batch whose run died is read, and never guessed from the rows that are left: its own id means that it was committed, the id
//! before it that it was rolled back, and anything else is not known. Whoever settles a batch waits for the mark's lock, and so
//! for a transaction that is still under way.

use super::error::StoreFailure;
use crate::diagnostic::codes;
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, PoisonError};

/// The table, in the schema of the dataset that is worked on.
pub const BATCH_TABLE: &str = "steward_batches";

/// Whose batches one row is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchesOf {
    /// The job.
    pub job: String,
    /// The dataset.
    pub dataset: String,
    /// The policy.
    pub policy: String,
}

/// What the store knows of a batch whose outcome was never written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It was committed.
    Applied,
    /// It was rolled back, and can no longer be committed.
    RolledBack,
    /// It left no mark, or the mark is gone.
    Unknown,
}

/// One row of the table, and what it held last.
#[derive(Debug, Clone)]
pub(crate) struct LastBatch {
    of: BatchesOf,
    last: Arc<Mutex<Option<String>>>,
}

impl BatchesOf {
    /// The row's key: as long for every name.
    pub(crate) fn id(&self) -> String {
        hex::encode(Sha256::digest(serde_json::json!([self.job, self.dataset, self.policy]).to_string()))
    }
}

impl Found {
    /// What the mark says of a batch that was begun where the mark was `before`.
    pub(crate) fn of(mark: &str, batch: &str, before: &str) -> Self {
        if mark == batch {
            Self::Applied
        } else if mark == before || mark == fence(batch) {
            Self::RolledBack
        } else {
            Self::Unknown
        }
    }
}

/// What the mark becomes when a batch is settled as rolled back: should its process live after all, it commits nothing.
pub(crate) fn fence(batch: &str) -> String {
    format!("settled {batch}")
}

impl LastBatch {
    pub(crate) fn new(of: BatchesOf) -> Self {
        Self { of, last: Arc::default() }
    }

    pub(crate) const fn of(&self) -> &BatchesOf {
        &self.of
    }

    /// The mark as this run left it; none before the first batch, and where none can be left.
    pub(crate) fn get(&self) -> Option<String> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set(&self, batch: &str) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(batch.to_owned());
    }
}

/// Why batches leave no mark, with the way out.
pub(crate) fn no_mark(shown: &str) -> (String, String) {
    let text = format!(
        "batches leave no mark in `{shown}`, which this account may not make or change: one whose run dies will be settled as unclear"
    );
    (text, "`steward plan JOB --sql` prints the table and the grants that it needs".to_owned())
}

/// The mark is not what this run left there.
pub(crate) fn taken_over(shown: &str, of: &BatchesOf) -> StoreFailure {
    StoreFailure::refused(
        codes::BATCH_MARK,
        format!("the row of job `{}` in `{shown}` was changed by another run; the batch was rolled back", of.job),
        "two workers with ledgers of their own may run this job; let one of them do it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_says_what_it_can_say_and_no_more() {
        assert_eq!(Found::of("b", "b", "a"), Found::Applied);
        assert_eq!(Found::of("a", "b", "a"), Found::RolledBack);
        assert_eq!(Found::of("settled b", "b", "a"), Found::RolledBack, "asked a second time");
        assert_eq!(Found::of("c", "b", "a"), Found::Unknown, "a ledger that was restored from a backup");
        assert_eq!(Found::of("settled a", "b", "a"), Found::Unknown);
    }

    #[test]
    fn a_row_is_found_by_a_key_of_one_length() {
        let of = |job: &str, policy: &str| BatchesOf { job: job.into(), dataset: "core.a".into(), policy: policy.into() };
        assert_eq!(of("a", "b").id().len(), 64);
        assert_ne!(of("a", "b").id(), of("a\",\"core", "b").id());
        assert_ne!(of("a", "b").id(), of("b", "a").id());
    }
}
