//! The table of actions: the one place that knows actions and runner.

pub mod archive;
pub mod delete;
mod due;
