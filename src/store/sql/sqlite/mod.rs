//! SQLite.

pub mod schema;
