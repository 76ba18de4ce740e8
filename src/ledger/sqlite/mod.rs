//! The ledger on SQLite. PostgreSQL and MySQL get a folder with the same files, in the same order.

mod migrations;
pub mod open;
pub mod read;
mod schema;
pub mod verify_rows;
pub mod write;
