//! steward against real servers: cases, promises, stores, commands.
#![expect(clippy::expect_used, reason = "a test that cannot go on says so and ends")]

mod commands;
mod promises;
#[allow(dead_code, reason = "what several suites share is not always in use by one of them")]
mod support;
