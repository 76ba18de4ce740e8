//! Nodes of a real Neo4j: removed, kept, checked.

mod checks;
mod delete;
mod holds;
mod shop;
mod trouble;
mod walk;
