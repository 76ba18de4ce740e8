//! steward against real servers: cases, promises, stores, commands.
#![allow(clippy::disallowed_methods, reason = "dates here are as far from the machine's as a test wants")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

#[macro_use]
mod promises;

mod approval;
mod cases;
mod checks;
mod commands;
mod company;
mod conditions;
mod floors;
mod graph;
mod keys;
mod kinds;
mod operations;
mod pooler;
mod reference_pages;
mod references;
mod scope;
mod seen;
mod server_words;
mod service;
mod slips;
mod statistics;
mod stuck;
#[allow(dead_code, reason = "what several suites share is not always in use by one of them")]
mod support;
mod system_log;
mod views;
