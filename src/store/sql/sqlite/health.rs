//! What SQLite does in its own way about its health.

use super::dialect::Sqlite;
use crate::store::sql::health::dialect::{HealthDialect, Lag};
use crate::store::sql::session::statements::{Answer, Statements};
use std::time::Duration;

impl HealthDialect for Sqlite {
    fn identity_query(&self) -> &'static str {
        "SELECT sqlite_version(), NULL"
    }

    fn sizes_query(&self) -> (Option<&'static str>, &'static str) {
        (
            None,
            "SELECT SUM(s.pgsize), m.tbl_name FROM dbstat s JOIN sqlite_master m ON m.name = s.name WHERE m.tbl_name <> 'steward_batches' GROUP BY m.tbl_name ORDER BY 1 DESC, 2",
        )
    }

    fn replica_lag<'a>(&'a self, _: &'a mut dyn Statements) -> Answer<'a, Lag> {
        Box::pin(std::future::ready(Ok(Lag::Known(Duration::ZERO))))
    }
}
