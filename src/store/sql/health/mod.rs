//! What a server says of itself.

pub mod dialect;
pub mod metrics;
pub mod ping;
pub mod replica;
pub mod sizes;
pub mod slow_queries;
