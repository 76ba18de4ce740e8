//! What SQL engines do in their own ways about catalogs.

/// Implemented in the folder of each engine.
pub trait SchemaDialect {}
