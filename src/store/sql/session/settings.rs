//! What every session of a SQL store is set to: whatever changes what a statement does or means is ours, not the account's.
//!
//! Set at each opening, so a connection that comes back from the pool is set anew; on PostgreSQL for each transaction, and gone
//! with it, since behind a pooler the connection is the application's a moment later. What a condition is written for stays the
//! server's: `ANSI_QUOTES` and its kin, the search path, the language of dates in text.

use super::connection::Session;
use super::read_only::refuse_read_only;
use crate::diagnostic::codes;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::value::Cell;
use std::time::Duration;

/// The statements that set a session: bounded waits, UTC, every row seen, every constraint checked.
///
/// `application_name` is shown to whoever watches the server; `lock` and `statement` bound what a lock and a statement take.
pub(crate) fn session_settings(dialect: Dialect, application_name: &str, lock: Duration, statement: Duration) -> String {
    match dialect {
        Dialect::Sqlite => sqlite(lock),
        Dialect::Postgres => postgres(application_name, lock, statement),
        Dialect::Mysql => format!("{}, {}", mysql_and_mariadb(lock, statement), mysql(statement)),
        Dialect::Mariadb => format!("{}, {}", mysql_and_mariadb(lock, statement), mariadb(statement)),
    }
}

/// A file has no account that could set these; a build of SQLite could.
fn sqlite(lock: Duration) -> String {
    format!(
        "PRAGMA busy_timeout = {}; PRAGMA foreign_keys = ON; PRAGMA ignore_check_constraints = OFF; \
         PRAGMA defer_foreign_keys = OFF; PRAGMA recursive_triggers = OFF; PRAGMA case_sensitive_like = OFF; \
         PRAGMA read_uncommitted = OFF; PRAGMA reverse_unordered_selects = OFF; PRAGMA query_only = OFF",
        lock.as_millis()
    )
}

/// With `row_security` off a policy raises an error instead of leaving rows out. A GIN index gives all of its rows. A commit is
/// on the server's disk before the ledger says so. Notices can quote values, so none is sent.
fn postgres(application_name: &str, lock: Duration, statement: Duration) -> String {
    let (lock, statement) = (lock.as_millis(), statement.as_millis());
    let settings = [
        ("application_name", format!("steward {application_name}")),
        ("TimeZone", "UTC".into()),
        ("DateStyle", "ISO, YMD".into()),
        ("IntervalStyle", "postgres".into()),
        ("bytea_output", "hex".into()),
        ("extra_float_digits", "1".into()),
        ("lock_timeout", lock.to_string()),
        ("statement_timeout", statement.to_string()),
        ("idle_in_transaction_session_timeout", statement.to_string()),
        ("quote_all_identifiers", "off".into()),
        ("row_security", "off".into()),
        ("standard_conforming_strings", "on".into()),
        ("transform_null_equals", "off".into()),
        ("gin_fuzzy_search_limit", "0".into()),
        ("client_min_messages", "error".into()),
    ];
    let set = settings.map(|(name, value)| format!("set_config('{name}', '{value}', true)"));
    let commit = "set_config('synchronous_commit', \
                  CASE current_setting('synchronous_commit') WHEN 'off' THEN 'local' ELSE current_setting('synchronous_commit') END, true)";
    format!("SELECT {}, {commit}, {LOOKS_FOR_US}", set.join(", "))
}

/// A statement that we gave up ends soon: a server that can tell looks every few seconds whether we are still there. Without it a
/// query of a stopped check would go on until its own time is up.
const LOOKS_FOR_US: &str = "CASE WHEN current_setting('server_version_num')::int >= 140000 AND version() LIKE '%linux%' \
                            THEN set_config('client_connection_check_interval', '5s', true) END";

/// What both servers know. `wait_timeout` is MySQL's `idle_in_transaction_session_timeout`: when the network between us is gone,
/// the server lets go of our locks after as long, and not after its default of eight hours.
///
/// The modes are added to the server's own, since conditions are written for those; zero dates and a zero in an AUTO_INCREMENT
/// column must arrive as they are, anything that would be cut must not arrive at all. `DEFAULT` would be the server's own value,
/// not the documented one, so every value is written out.
fn mysql_and_mariadb(lock: Duration, statement: Duration) -> String {
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
fn mysql(statement: Duration) -> String {
    format!(
        "SESSION max_execution_time = {}, SESSION transaction_isolation = 'READ-COMMITTED', SESSION transaction_read_only = 0, \
         SESSION information_schema_stats_expiry = 0 /*!80030 , SESSION show_gipk_in_create_table_and_information_schema = 1 */",
        statement.as_millis()
    )
}

/// `DEFAULT` is the present for a table with a history.
fn mariadb(statement: Duration) -> String {
    format!(
        "SESSION max_statement_time = {}, SESSION tx_isolation = 'READ-COMMITTED', SESSION tx_read_only = 0, \
         SESSION check_constraint_checks = 1, SESSION system_versioning_asof = DEFAULT",
        statement.as_secs().max(1)
    )
}

/// Settings that are not a session's own to change, and with which a removal would do something else or fail half-way.
///
/// # Errors
/// There is such a setting; the store is read-only.
pub(crate) async fn refuse_unfit_settings(session: &mut Session) -> Result<(), StoreFailure> {
    refuse_read_only(session).await?;
    let (sql, unfit, help) = match session.dialect() {
        Dialect::Sqlite => return Ok(()),
        Dialect::Postgres => (
            "SELECT current_setting('session_replication_role') WHERE current_setting('session_replication_role') <> 'origin'",
            "session_replication_role",
            "ALTER ROLE … RESET session_replication_role; with it foreign keys are not checked and triggers do not fire",
        ),
        Dialect::Mysql | Dialect::Mariadb => (
            "SELECT @@SESSION.binlog_format WHERE @@GLOBAL.log_bin = 1 AND @@SESSION.binlog_format = 'STATEMENT'",
            "binlog_format",
            "SET GLOBAL binlog_format = 'ROW'; a batch reads with READ COMMITTED, which InnoDB does not log by statement",
        ),
    };
    let Some(row) = session.rows(sql, &[]).await?.into_iter().next() else { return Ok(()) };
    Err(StoreFailure::refused(
        codes::SETTING,
        format!(
            "`{unfit}` is `{}` for this account of store `{}`; nothing was touched",
            row.first().map(Cell::shown).unwrap_or_default(),
            session.store()
        ),
        help,
    ))
}
