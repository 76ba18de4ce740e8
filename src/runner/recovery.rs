//! Batches that an interrupted run left open: settled from what the stores hold, before anything new begins.

use crate::action::{Action, Context, Label, OpenBatch};
use crate::ledger::error::LedgerError;
use crate::ledger::event::Event;
use crate::ledger::lease::Lease;
use crate::report::run::{Settled, Verdict};
use crate::runner::runner::Runner;
use crate::store::error::StoreFailure;

/// Why a batch could not be settled; it stays open, and its dataset is left alone.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// The store did not tell.
    #[error(transparent)]
    Store(#[from] StoreFailure),
    /// The ledger could not be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Settles the open intents of one target.
pub async fn open_batches<A: Action>(
    runner: &Runner,
    cx: &Context,
    lease: &Lease,
    action: &A,
    label: &Label,
) -> Result<Vec<Settled>, SettleError> {
    let mut settled = vec![];
    for intent in runner.ledger.open_intents(&cx.job.name).await? {
        if intent.dataset != label.dataset || intent.policy != label.policy {
            continue;
        }
        let batch = OpenBatch { id: intent.batch.clone(), before: intent.before.clone() };
        let verdict = action.settle(cx, &batch).await?;
        let event = Event::Settled {
            batch: intent.batch.clone(),
            of_run: intent.run.clone(),
            verdict: word(verdict).into(),
            rows: intent.rows,
        };
        runner.ledger.append_under(lease, &event, runner.now()).await?;
        settled.push(Settled { run: intent.run, batch: intent.batch, dataset: intent.dataset, rows: intent.rows, verdict });
    }
    Ok(settled)
}

/// The word the ledger keeps.
pub const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Applied => "applied",
        Verdict::RolledBack => "rolled back",
        Verdict::Unclear => "unclear",
    }
}
