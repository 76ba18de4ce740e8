//! What checks people may declare: the shapes of their kinds, their bounds, and one declared check.

pub mod check;
pub mod field;
pub mod interval;
pub mod normal;
pub mod params;
pub mod pattern;
pub mod read;
pub mod schema;
pub mod spec;
pub mod threshold;
pub mod validate;
pub mod values;
