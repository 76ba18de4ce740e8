//! What SQLite does in its own way about connections and transactions.

use super::dialect::Sqlite;
use crate::store::error::StoreFailure;
use crate::store::file_access::{UNWRITABLE, unwritable};
use crate::store::sql::session::dialect::SessionDialect;
use crate::store::sql::session::statements::{Answer, Statements};
use crate::store::value::Cell;
use std::path::Path;
use std::time::Duration;

impl SessionDialect for Sqlite {
    fn time_query(&self) -> Option<&'static str> {
        None
    }

    fn locks_rows(&self) -> bool {
        false
    }

    fn begin(&self, _: bool, _: &str) -> String {
        // The write lock at once, so that it cannot fail half-way for want of it.
        "BEGIN IMMEDIATE".to_owned()
    }

    fn begin_reading(&self, _: &str) -> String {
        "PRAGMA query_only = ON; BEGIN".to_owned()
    }

    fn only_read(&self) -> &'static str {
        "; PRAGMA query_only = ON"
    }

    fn joined(&self, name: &str) -> (Option<String>, String) {
        (None, format!("group_concat({name})"))
    }

    fn settings(&self, _: &str, lock: Duration, _: Duration) -> String {
        settings(lock)
    }

    fn read_only<'a>(&'a self, session: &'a mut dyn Statements) -> Answer<'a, Option<(String, String)>> {
        Box::pin(read_only(session))
    }
}

/// A file has no account that could set these; a build of SQLite could.
fn settings(lock: Duration) -> String {
    format!(
        "PRAGMA busy_timeout = {}; PRAGMA foreign_keys = ON; PRAGMA ignore_check_constraints = OFF; \
         PRAGMA defer_foreign_keys = OFF; PRAGMA recursive_triggers = OFF; PRAGMA case_sensitive_like = OFF; \
         PRAGMA read_uncommitted = OFF; PRAGMA reverse_unordered_selects = OFF; PRAGMA query_only = OFF",
        lock.as_millis()
    )
}

async fn read_only(session: &mut dyn Statements) -> Result<Option<(String, String)>, StoreFailure> {
    let rows = session.rows("SELECT file FROM pragma_database_list WHERE name = 'main'", &[]).await?;
    let file = rows.first().and_then(|row| row.first()).map(Cell::shown).unwrap_or_default();
    Ok(unwritable(Path::new(&file)).map(|why| (why, UNWRITABLE.to_owned())))
}
