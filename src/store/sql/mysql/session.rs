//! What MySQL and MariaDB do in their own way about connections and transactions.

use super::dialect::Mysql;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Spelling;
use crate::store::sql::session::dialect::SessionDialect;
use crate::store::sql::session::statements::{Answer, Statements, text};
use crate::store::value::Cell;
use std::time::Duration;

impl SessionDialect for Mysql {
    fn time_query(&self) -> Option<&'static str> {
        Some("SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000 AS SIGNED)")
    }

    fn begin(&self, _: bool, _: &str) -> String {
        "START TRANSACTION".to_owned()
    }

    fn begin_reading(&self, _: &str) -> String {
        "START TRANSACTION READ ONLY".to_owned()
    }

    fn begin_snapshot(&self, settings: &str) -> (Option<&'static str>, String) {
        (Some("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"), self.begin_reading(settings))
    }

    fn only_read(&self) -> &'static str {
        if self.is_mariadb { "; SET SESSION tx_read_only = 1" } else { "; SET SESSION transaction_read_only = 1" }
    }

    fn comment(&self, application_name: &str) -> String {
        format!("/* steward {application_name} */ ")
    }

    fn joined(&self, name: &str) -> (Option<String>, String) {
        (Some(format!("SET SESSION group_concat_max_len = {MOST_JOINED}")), format!("GROUP_CONCAT({name})"))
    }

    fn answers_as(&self, version: &str) -> bool {
        version.contains("MariaDB") == self.is_mariadb
    }

    fn unfit_setting(&self) -> Option<(&'static str, &'static str, &'static str)> {
        Some((
            "SELECT @@SESSION.binlog_format WHERE @@GLOBAL.log_bin = 1 AND @@SESSION.binlog_format = 'STATEMENT'",
            "binlog_format",
            "SET GLOBAL binlog_format = 'ROW'; a batch reads with READ COMMITTED, which InnoDB does not log by statement",
        ))
    }

    fn settings(&self, _: &str, lock: Duration, statement: Duration) -> String {
        let own = if self.is_mariadb { mariadb_settings(statement) } else { mysql_settings(statement) };
        format!("{}, {own}", settings(lock, statement))
    }

    fn read_only<'a>(&'a self, session: &'a mut dyn Statements) -> Answer<'a, Option<(String, String)>> {
        Box::pin(read_only(session, self))
    }

    fn account_query(&self) -> Option<&'static str> {
        Some("SELECT CAST(DATABASE() AS CHAR), '', CAST(CURRENT_USER() AS CHAR)")
    }

    fn server_identity<'a>(&'a self, session: &'a mut dyn Statements) -> Answer<'a, String> {
        // MariaDB has no uuid: host, port and data directory tell one server from another.
        Box::pin(text(
            session,
            if self.is_mariadb {
                "SELECT CONCAT(@@hostname, ':', @@port, ' ', @@datadir)"
            } else {
                "SELECT CAST(@@server_uuid AS CHAR)"
            },
        ))
    }
}

/// Bytes of numbers joined to one text: more than any page of them has.
const MOST_JOINED: usize = 4 << 20;

/// What both servers know. `wait_timeout` is MySQL's `idle_in_transaction_session_timeout`: when the network between us is gone,
/// the server lets go of our locks after as long, and not after its default of eight hours.
///
/// The modes are added to the server's own, since conditions are written for those; zero dates and a zero in an AUTO_INCREMENT
/// column must arrive as they are, anything that would be cut must not arrive at all. `DEFAULT` would be the server's own value,
/// not the documented one, so every value is written out.
fn settings(lock: Duration, statement: Duration) -> String {
    let (lock, statement) = (lock.as_secs().max(1), statement.as_secs().max(1));
    format!(
        "SET SESSION lock_wait_timeout = {lock}, SESSION innodb_lock_wait_timeout = {lock}, SESSION wait_timeout = {statement}, \
         SESSION time_zone = '+00:00', SESSION sql_mode = CONCAT_WS(',', \
         REPLACE(REPLACE(REPLACE(@@GLOBAL.sql_mode, 'TRADITIONAL', ''), 'NO_ZERO_IN_DATE', ''), 'NO_ZERO_DATE', ''), \
         'STRICT_ALL_TABLES', 'NO_AUTO_VALUE_ON_ZERO', 'ALLOW_INVALID_DATES'), \
         SESSION autocommit = 1, SESSION completion_type = 0, SESSION foreign_key_checks = 1, SESSION unique_checks = 1, \
         SESSION sql_safe_updates = 0, SESSION sql_select_limit = 18446744073709551615, SESSION sql_big_selects = 1, \
         SESSION sql_auto_is_null = 0, SESSION max_sort_length = 8192"
    )
}

/// Statistics are asked for anew instead of a day old; an invisible primary key is a key.
fn mysql_settings(statement: Duration) -> String {
    format!(
        "SESSION max_execution_time = {}, SESSION transaction_isolation = 'READ-COMMITTED', SESSION transaction_read_only = 0, \
         SESSION information_schema_stats_expiry = 0 /*!80030 , SESSION show_gipk_in_create_table_and_information_schema = 1 */",
        statement.as_millis()
    )
}

/// `DEFAULT` is the present for a table with a history.
fn mariadb_settings(statement: Duration) -> String {
    format!(
        "SESSION max_statement_time = {}, SESSION tx_isolation = 'READ-COMMITTED', SESSION tx_read_only = 0, \
         SESSION check_constraint_checks = 1, SESSION system_versioning_asof = DEFAULT",
        statement.as_secs().max(1)
    )
}

async fn read_only(session: &mut dyn Statements, server: &Mysql) -> Result<Option<(String, String)>, StoreFailure> {
    let access = if server.is_mariadb { "tx_read_only" } else { "transaction_read_only" };
    let settings: &[&str] = if server.is_mariadb {
        &["read_only", "innodb_read_only", access]
    } else {
        &["read_only", "super_read_only", "innodb_read_only", access]
    };
    // `read_only` has more values than two on newer MariaDB, and 0 or OFF is the one that writes.
    let asked: Vec<String> = settings.iter().map(|name| format!("CAST(@@GLOBAL.{name} AS CHAR)")).collect();
    let row = session.rows(&format!("SELECT {}", asked.join(", ")), &[]).await?.into_iter().next().unwrap_or_default();
    let is_on = |cell: &Cell| !matches!(cell.shown().as_str(), "0" | "OFF" | "");
    if let Some(name) = settings.iter().zip(&row).find(|(_, cell)| is_on(cell)).map(|(name, _)| name) {
        let why = format!("`{name}` is on for its server, as on a replica");
        return Ok(Some((why, format!("let its `url` name the primary; on one: SET GLOBAL {name} = 0;"))));
    }
    if !server.is_mariadb {
        let sql = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA_EXTENSIONS \
                   WHERE SCHEMA_NAME = DATABASE() AND OPTIONS LIKE '%READ ONLY=1%'";
        // The table came with 8.0.22, and the option with it.
        if let Ok(rows) = session.rows(sql, &[]).await
            && let Some(name) = rows.first().and_then(|row| row.first()).map(Cell::shown)
        {
            let reset = format!("ALTER DATABASE {} READ ONLY = 0;", server.quote(&name));
            return Ok(Some((format!("database `{name}` is READ ONLY"), format!("where steward may write: {reset}"))));
        }
    }
    Ok(None)
}
