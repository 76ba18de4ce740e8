//! The contracts between what acts or looks and what runs it, and what both can see.

#[expect(clippy::module_inception, reason = "the file of the type of that name")]
mod action;
mod check;
mod context;
pub mod scope;

pub use action::{Action, Arranged, Batch, Facts, Label, OpenBatch, Tally, reason};
pub use check::{CheckAction, Measured};
pub use context::Context;
