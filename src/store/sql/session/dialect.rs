//! What SQL engines do in their own ways about connections and transactions.

/// Implemented in the folder of each engine.
pub trait SessionDialect {}
