//! PostgreSQL's catalogue.

mod relatives;
mod table;

pub(super) use table::{index_used, table, tables};
