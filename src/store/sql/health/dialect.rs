//! What SQL engines do in their own ways about what a server says of itself.

/// Implemented in the folder of each engine.
pub trait HealthDialect {}
