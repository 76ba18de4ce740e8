//! Nodes of a real Neo4j: removed, kept, checked.

mod checks;
mod delete;
mod holds;
mod sealed;
pub mod shop;
mod trouble;
mod walk;
