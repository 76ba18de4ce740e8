//! What PostgreSQL does in its own way about connections and transactions.

use super::dialect::Postgres;
use crate::store::error::StoreFailure;
use crate::store::sql::session::dialect::SessionDialect;
use crate::store::sql::session::statements::{Answer, Statements, text};
use crate::store::value::Cell;
use std::time::Duration;

impl SessionDialect for Postgres {
    fn time_query(&self) -> Option<&'static str> {
        Some("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
    }

    fn sets_each_transaction(&self) -> bool {
        true
    }

    fn begin(&self, only_reads: bool, settings: &str) -> String {
        begin(if only_reads { "READ COMMITTED READ ONLY" } else { "READ COMMITTED" }, settings)
    }

    fn begin_reading(&self, settings: &str) -> String {
        begin("READ COMMITTED READ ONLY", settings)
    }

    fn begin_snapshot(&self, settings: &str) -> (Option<&'static str>, String) {
        (None, begin("REPEATABLE READ READ ONLY", settings))
    }

    fn only_read(&self) -> &'static str {
        ""
    }

    fn joined(&self, name: &str) -> (Option<String>, String) {
        (None, format!("string_agg({name}::text, ',')"))
    }

    fn unfit_setting(&self) -> Option<(&'static str, &'static str, &'static str)> {
        Some((
            "SELECT current_setting('session_replication_role') WHERE current_setting('session_replication_role') <> 'origin'",
            "session_replication_role",
            "ALTER ROLE … RESET session_replication_role; with it foreign keys are not checked and triggers do not fire",
        ))
    }

    fn settings(&self, application_name: &str, lock: Duration, statement: Duration) -> String {
        settings(application_name, lock, statement)
    }

    fn read_only<'a>(&'a self, session: &'a mut dyn Statements) -> Answer<'a, Option<(String, String)>> {
        Box::pin(read_only(session))
    }

    fn account_query(&self) -> Option<&'static str> {
        Some(
            "SELECT current_database()::text || ' (' || (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())::text || ')', \
             coalesce(current_schema()::text, '') || ' (search_path ' || current_setting('search_path') || ')', \
             CASE WHEN session_user = current_user THEN current_user::text ELSE current_user::text || ', logged in as ' || session_user::text END",
        )
    }

    fn server_identity<'a>(&'a self, session: &'a mut dyn Statements) -> Answer<'a, String> {
        Box::pin(system_identifier(session))
    }

    fn database_identity<'a>(&'a self, session: &'a mut dyn Statements) -> Answer<'a, String> {
        Box::pin(async move {
            let oid = "SELECT oid::text FROM pg_catalog.pg_database WHERE datname = current_database()";
            let within = text(session, oid).await?;
            let mut server = system_identifier(session).await?;
            if server.is_empty() {
                // Two clusters number their databases alike, and no two began at one microsecond.
                server = text(session, "SELECT extract(epoch FROM pg_postmaster_start_time())::text").await?;
            }
            Ok(format!("{server}/{within}"))
        })
    }
}

/// What begins a transaction and sets it up, in one message.
fn begin(mode: &str, settings: &str) -> String {
    format!("BEGIN ISOLATION LEVEL {mode}; {settings}")
}

/// With `row_security` off a policy raises an error instead of leaving rows out. A GIN index gives all of its rows. A commit is
/// on the server's disk before the ledger says so. Notices can quote values, so none is sent.
fn settings(application_name: &str, lock: Duration, statement: Duration) -> String {
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

async fn read_only(session: &mut dyn Statements) -> Result<Option<(String, String)>, StoreFailure> {
    if session.count("SELECT pg_is_in_recovery()::int", &[]).await? == 1 {
        return Ok(Some((
            "it is a standby, which replays what its primary writes".into(),
            "let its `url` name the primary".into(),
        )));
    }
    let sql = "SELECT source, quote_ident(current_user), quote_ident(current_database()) FROM pg_settings \
               WHERE name = 'default_transaction_read_only' AND setting = 'on'";
    let Some(row) = session.rows(sql, &[]).await?.into_iter().next() else { return Ok(None) };
    let [source, user, database] = [0, 1, 2].map(|at| row.get(at).map(Cell::shown).unwrap_or_default());
    let (whose, reset) = match source.as_str() {
        "user" => ("this account", format!("ALTER ROLE {user} RESET default_transaction_read_only;")),
        "database" => ("its database", format!("ALTER DATABASE {database} RESET default_transaction_read_only;")),
        "database user" => (
            "this account in its database",
            format!("ALTER ROLE {user} IN DATABASE {database} RESET default_transaction_read_only;"),
        ),
        "client" => ("its `url`", "take it out of the `url`".to_owned()),
        _ => ("its server", "ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf();".to_owned()),
    };
    let why = format!("`default_transaction_read_only` is on for {whose}");
    Ok(Some((why, format!("where steward may write: {reset} or let it log in with another account"))))
}

/// The cluster's identifier, which its replicas share. Where the account may not ask for it, the database's oid has to do.
async fn system_identifier(session: &mut dyn Statements) -> Result<String, StoreFailure> {
    let may = "SELECT CASE WHEN to_regprocedure('pg_catalog.pg_control_system()') IS NULL THEN 'no' \
               WHEN has_function_privilege(to_regprocedure('pg_catalog.pg_control_system()')::oid, 'EXECUTE') THEN 'yes' ELSE 'no' END";
    if text(session, may).await? != "yes" {
        return Ok(String::new());
    }
    text(session, "SELECT system_identifier::text FROM pg_catalog.pg_control_system()").await
}
