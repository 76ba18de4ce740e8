//! Nodes of a real Neo4j: removed, kept, checked.

mod checks;
mod delete;
mod holds;
pub mod shop;
mod trouble;
mod walk;
