//! PostgreSQL's catalogue.

mod relatives;
mod table;

pub(super) use relatives::relatives;
pub(super) use table::{index_used, table, tables};
