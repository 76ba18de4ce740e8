//! The databases we can speak to. Driver crates are named only here and in the ledger.

pub mod archive;
pub mod carry;
pub mod catalogue;
pub mod cell;
pub mod clock;
pub mod condition;
pub mod connect;
pub mod dialect;
pub mod failure;
pub mod holds;
mod keys;
mod mysql;
pub mod ping;
pub mod policy_tables;
mod postgres;
pub mod replica;
pub mod rights;
pub mod rows;
pub mod session;
mod sqlite;
pub mod system_log;
pub mod table;
