//! What all SQL engines share, and a folder for each of them.

pub mod batch;
pub mod dialect;
pub mod engines;
pub mod health;
pub mod mysql;
pub mod postgres;
pub mod query;
pub mod schema;
pub mod session;
pub mod sqlite;
pub mod views;
