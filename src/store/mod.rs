//! The databases we can speak to. Driver crates are named only here and in the ledger.

pub mod cell;
