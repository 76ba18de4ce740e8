//! The clock: waits for the next due job, hands it over, and drains on SIGTERM.
//!
//! - A job never overlaps itself: a tick that finds its job running is skipped with a reason, not queued.
//! - A tick missed while the worker was down, or while the machine slept, is one run, however many were missed.
//! - A job that panics is reported as failed; the others go on.
//! - A run that ends `temporary`, or a check that got no answer, is tried again after five minutes, at most until its next tick.
//!
//! If we die here, nothing is lost that the ledger knows: the next start finds the ticks that were missed.

mod clock;
pub mod dependencies;
pub mod executor;
mod hosts;
pub mod http;
pub mod job_state;
pub mod jobs;
pub mod serve;
pub mod signals;
mod status;
pub mod systemd;

pub use executor::Drained;
pub use jobs::{Came, Jobs, NotRunning, ScheduledJob};
pub use serve::{ServeError, Settings, serve};
pub use signals::{Hangup, Signals};
