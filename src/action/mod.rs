//! The contracts between what acts or looks and what runs it, and what both can see.

mod context;
mod contract;
mod inspection;
pub mod scope;

pub use context::Context;
pub use contract::{Action, Arranged, Batch, Facts, Label, OpenBatch, Tally, reason};
pub use inspection::{Inspection, Measured};
