//! What MySQL does in its own way about connections and transactions.

use super::dialect::Mysql;
use crate::store::sql::session::dialect::SessionDialect;

impl SessionDialect for Mysql {
    fn time_query(&self) -> Option<&'static str> {
        Some("SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000 AS SIGNED)")
    }
}
