//! When, and which action on which policies.

pub mod cron_line;
pub mod outcome;
pub mod schedule;
pub mod spec;
