//! Runs any job and knows no action by name: lock, survey, guards, loop, dry run, budget, pace, retry, progress, ledger, report.

pub mod allowance;
pub mod approval;
pub mod approved;
pub mod batches;
pub mod course;
pub mod dataset;
mod dataset_report;
pub mod engine;
pub mod guard;
pub mod holds;
pub mod inspect;
pub mod judge;
pub mod life;
pub mod looking;
mod memory;
pub mod outcome;
pub mod pace;
pub mod pause;
pub mod plan;
pub mod progress;
pub mod queue;
pub mod round;
pub mod run;
pub mod settle;
pub mod tell;
mod time_ahead;
pub mod turns;
