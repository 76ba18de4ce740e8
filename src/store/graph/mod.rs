//! Neo4j. The only place that names the driver.
//!
//! What the driver does and one must know: `run` sends a write again after its read timeout, so writes go through explicit
//! transactions; a stream dropped unread stops what it asked for half-way, so every answer is read to its end; connecting
//! happens at the first query; the pool waits for ever. So every call here has a time limit of ours.

pub mod asked;
mod batches;
pub mod catalogue;
pub mod clock;
pub mod condition;
pub mod connect;
mod failure;
pub mod ids;
pub mod looked;
pub mod name;
pub mod nodes;
pub mod ping;
mod pool;
mod read_only;
pub mod relations;
mod removal;
pub mod session;
mod sight;
mod survey;
