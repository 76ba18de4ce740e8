//! Views that are refreshed: materialized ones, and summary tables that are filled by statements.

pub mod matview;
pub mod order;
pub mod refreshed;
pub mod summary;
mod unique;
