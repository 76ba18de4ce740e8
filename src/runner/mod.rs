//! Runs any job and knows no action by name: lock, survey, guards, loop, dry run, budget, pace, retry, progress, ledger, report.

pub mod allowance;
pub mod approval;
pub mod approved;
pub mod batch_size;
pub mod batches;
pub mod check_run;
pub mod check_runner;
pub mod dataset;
mod dataset_report;
pub mod delivery;
pub mod guard;
pub mod heartbeat;
pub mod history;
pub mod holds;
pub mod lifecycle;
pub mod notices;
pub mod outcome;
pub mod pause;
pub mod plan;
mod previous_run;
pub mod progress;
pub mod put_aside;
pub mod queue;
pub mod recovery;
pub mod run;
#[expect(clippy::module_inception, reason = "the file of the type of that name")]
mod runner;
pub mod stopped;
pub mod store_locks;
pub mod thresholds;
mod time_ahead;

pub use runner::{Request, Runner};
