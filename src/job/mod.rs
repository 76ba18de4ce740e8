//! When, and which action on which policies.

pub mod check;
pub mod file;
pub mod outcome;
pub mod read;
pub mod spec;
