//! steward against real servers: cases, promises, stores, commands.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

mod cases;
mod commands;
mod floors;
mod graph;
mod promises;
mod references;
mod service;
#[allow(dead_code, reason = "what several suites share is not always in use by one of them")]
mod support;
