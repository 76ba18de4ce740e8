//! What a run trusts of the ledger's tables is held against the chain before it is gone by: holds, and batches left open.

use super::checkpoint::Checkpoint;
use super::error::LedgerError;
use super::ledger::Ledger;
use super::verify::Verifier;

impl Ledger {
    /// Refuses when the chain is broken, or a hold or an open batch is not what its events say.
    ///
    /// The chain is read once by a process, from its beginning; then only what came since. So a row that is edited before a run
    /// and put back after it is found by the run itself, which then does nothing.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] with the first place; or the ledger cannot be read.
    pub async fn check(&self) -> Result<(), LedgerError> {
        let mut checked = self.checked.lock().await;
        let fault = self.db.catch_up(checked.get_or_insert_with(Verifier::of_what_runs_trust)).await?;
        match fault {
            None => Ok(()),
            Some(place) => {
                // Put right, it is whole again: nothing of what was seen is kept.
                *checked = None;
                Err(LedgerError::Broken { path: self.path().to_owned(), place })
            }
        }
    }

    /// Whether a pass is one that a batch of its job left, and nobody's edit: the batch's outcome carries its digest.
    ///
    /// # Errors
    /// See [`Ledger::head`].
    pub async fn left_by_a_batch(&self, pass: &Checkpoint) -> Result<bool, LedgerError> {
        self.db.outcome_with_pass(&pass.job, &pass.digest()).await
    }
}
