//! What every test against real servers stands on: an engine, a database of its own, a sandbox with the real binary; keys
//! and nodes of its own, where it needs some.

pub mod account;
pub mod address;
pub mod certificates;
pub mod clean;
pub mod database;
pub mod dump;
pub mod engine;
pub mod graph;
pub mod keyspace;
pub mod pair;
pub mod sandbox;
pub mod wait;
pub mod words;
