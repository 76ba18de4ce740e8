//! What people declare about data: lifecycle rules, classification tags, holds; and the decisions that follow from them.

pub mod check;
pub mod classification;
pub mod dataset;
pub mod draft;
pub mod file;
pub mod gathered;
pub mod glob;
pub mod hold;
pub mod lifecycle;
mod minimum;
pub mod period;
pub mod set;
pub mod table;
pub mod tag_draft;
pub mod written;
