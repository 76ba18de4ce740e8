//! Neo4j. The only place that names the driver.
//!
//! What the driver does and one must know: `run` sends a write again after its read timeout, so writes go through explicit
//! transactions; a stream dropped unread stops what it asked for half-way, so every answer is read to its end; connecting
//! happens at the first query; the pool waits for ever. So every call here has a time limit of ours.

pub mod batches;
pub mod catalog;
pub mod clock;
pub mod condition;
pub mod delete;
pub mod error;
pub mod holds;
pub mod identifier;
pub mod ids;
pub mod label_query;
pub mod nodes;
pub mod ping;
pub mod pool;
pub mod read_only;
pub mod relations;
pub mod session;
pub mod store;
pub mod survey;
pub mod user_query;
pub mod visibility;
