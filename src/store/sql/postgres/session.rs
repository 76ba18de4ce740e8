//! What PostgreSQL does in its own way about connections and transactions.

use super::dialect::Postgres;
use crate::store::sql::session::dialect::SessionDialect;

impl SessionDialect for Postgres {
    fn time_query(&self) -> Option<&'static str> {
        Some("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
    }
}
