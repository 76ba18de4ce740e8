//! The ledger on SQLite. PostgreSQL and MySQL get a folder with the same files, in the same order.

pub mod open;
pub mod read;
pub mod walk;
pub mod write;
