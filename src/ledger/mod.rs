//! Where runs, cursors, locks, holds and evidence live.
//!
//! Everything that counts as evidence is an event in one hash chain ([`chain`]); the tables of runs, holds, findings and
//! open intents are projections written in the same transaction as their event, so [`verify`] can hold them against it.
//! SQL stands only under one folder per database ([`sqlite`]); what is hashed, meant and verified is the same for all.
//!
//! No personal data belongs here: keys in cursors, samples in findings and reasons are the caller's to mask *before* they
//! come (promise 9). The ledger cannot tell a key from a name.

pub mod chain;
pub mod checkpoint;
pub mod entry;
pub mod error;
pub mod event;
pub mod fault;
pub mod finding;
pub mod hold;
pub mod holder;
pub mod lease;
#[expect(clippy::module_inception, reason = "the file of the type of that name")]
mod ledger;
pub mod lockfile;
pub mod run;
pub mod sqlite;
mod trust;
pub mod verify;

pub use chain::{Head, Link};
pub use checkpoint::Checkpoint;
pub use error::LedgerError;
pub use event::{Event, OpenIntent};
pub use fault::{Expected, Fault, Verification};
pub use finding::FindingRow;
pub use hold::{FileHold, LedgerHold, NewHold};
pub use holder::Holder;
pub use lease::{Lease, LeaseError};
pub use ledger::Ledger;
pub use run::{DryRuns, NewRun, RunRow};

#[cfg(test)]
mod tests;
