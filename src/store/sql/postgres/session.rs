//! What PostgreSQL does in its own way about connections and transactions.

use super::dialect::Postgres;
use crate::store::sql::session::dialect::SessionDialect;

impl SessionDialect for Postgres {}
