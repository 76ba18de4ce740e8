//! What checks people may declare: the shapes of their kinds, their bounds, and one declared check.

pub mod bound;
pub mod check;
pub mod field;
pub mod given;
pub mod normal;
pub mod pattern;
pub mod reach;
pub mod read;
pub mod schema;
pub mod sense;
pub mod shape;
pub mod values;
