//! What SQL engines do in their own ways about what checks ask.

/// Implemented in the folder of each engine.
pub trait QueryDialect {}
