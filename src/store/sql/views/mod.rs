//! Views that are refreshed: materialized ones, and summary tables that are filled by statements.

pub mod materialized_view;
pub mod order;
pub mod summary_table;
pub mod unique_index;
