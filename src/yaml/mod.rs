//! Reading what people write: a YAML text into a tree with places, and the tree into values, every error on the way told.

pub mod fields;
pub mod node;
pub mod parse;
pub mod reading;
pub mod values;
