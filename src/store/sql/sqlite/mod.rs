//! SQLite.

pub mod batch;
pub mod clock;
pub mod dialect;
pub mod health;
pub mod schema;
pub mod session;
