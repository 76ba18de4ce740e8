//! Reading what people write: a YAML text into a tree with places, and the tree into values, every error on the way told.

pub mod de;
pub mod fault;
pub mod fields;
pub mod json_schema;
mod keys;
pub mod node;
pub mod parse;
mod pass;
pub mod reading;
pub mod visitors;
