//! PostgreSQL.

pub mod batch;
pub mod dialect;
pub mod effects;
pub mod health;
pub mod relatives;
pub mod replica_identity;
pub mod row_security;
pub mod schema;
pub mod session;

pub(crate) use replica_identity::refuse_unidentified;
pub(crate) use row_security::refuse_hidden_rows;
