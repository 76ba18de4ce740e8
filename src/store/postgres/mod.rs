//! PostgreSQL's catalogue.

mod effects;
mod relatives;
mod replica_identity;
mod row_security;
mod table;

pub(super) use effects::dependents;
pub(super) use relatives::relatives;
pub(super) use replica_identity::refuse_unidentified;
pub(super) use row_security::refuse_hidden_rows;
pub(super) use table::{index_used, table, tables};
