//! What SQL engines do in their own ways about batches of rows.

/// Implemented in the folder of each engine.
pub trait BatchDialect {}
