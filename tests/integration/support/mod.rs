//! What every test against real servers stands on: an engine, a database of its own, a house with the real binary.

pub mod clean;
pub mod database;
pub mod dump;
pub mod engine;
pub mod house;
