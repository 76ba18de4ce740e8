//! What SQLite does in its own way about connections and transactions.

use super::dialect::Sqlite;
use crate::store::sql::session::dialect::SessionDialect;

impl SessionDialect for Sqlite {
    fn time_query(&self) -> Option<&'static str> {
        None
    }

    fn locks_rows(&self) -> bool {
        false
    }
}
