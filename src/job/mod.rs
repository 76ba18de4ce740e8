//! When, and which action on which policies.

pub mod check;
pub mod cron_line;
pub mod file;
pub mod origin;
pub mod outcome;
pub mod read;
pub mod registry;
pub mod schedule;
pub mod spec;
