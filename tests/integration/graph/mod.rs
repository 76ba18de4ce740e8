//! Nodes of a real Neo4j: removed, kept, checked.

mod checks;
mod delete;
mod holds;
mod sealed;
mod trouble;
pub mod users_fixture;
mod walk;
