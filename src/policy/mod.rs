//! What people declare about data: lifecycle rules, classification tags, holds; and the decisions that follow from them.

pub mod classification;
pub mod dataset;
pub mod hold;
pub mod lifecycle;
pub mod period;
