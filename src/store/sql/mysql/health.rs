//! What MySQL and MariaDB do in their own way about their health.

use super::dialect::Mysql;
use crate::store::error::StoreFailure;
use crate::store::sql::health::dialect::{HealthDialect, IndexUse, Lag, SlowQueries, not_kept};
use crate::store::sql::session::statements::{Answer, Statements};
use crate::store::value::Cell;
use std::time::Duration;

impl HealthDialect for Mysql {
    fn identity_query(&self) -> &'static str {
        "SELECT VERSION(), CURRENT_USER()"
    }

    fn tls_query(&self) -> Option<(&'static str, usize)> {
        Some(("SHOW SESSION STATUS LIKE 'Ssl_version'", 1))
    }

    fn connections_query(&self) -> Option<String> {
        Some(format!(
            "SELECT CAST(CEIL(VARIABLE_VALUE * 100 / @@GLOBAL.max_connections) AS SIGNED), CAST(VARIABLE_VALUE AS SIGNED), \
             CAST(@@GLOBAL.max_connections AS SIGNED) FROM {} WHERE VARIABLE_NAME = 'Threads_connected'",
            status(self)
        ))
    }

    fn cache_query(&self) -> Option<String> {
        let number =
            |name: &str| format!("(SELECT CAST(VARIABLE_VALUE AS SIGNED) FROM {} WHERE VARIABLE_NAME = '{name}')", status(self));
        let (wanted, missed) = (number("Innodb_buffer_pool_read_requests"), number("Innodb_buffer_pool_reads"));
        Some(format!(
            "SELECT CAST(FLOOR(100 - {missed} * 100 / NULLIF({wanted}, 0)) AS SIGNED), {wanted}, \
             CONCAT('the server was started ', {}, ' s ago')",
            number("Uptime")
        ))
    }

    fn sizes_query(&self) -> (Option<&'static str>, &'static str) {
        // Else the numbers of MySQL may be a day old.
        let before = "SET SESSION information_schema_stats_expiry = 0";
        (
            (!self.is_mariadb).then_some(before),
            "SELECT COALESCE(DATA_LENGTH + INDEX_LENGTH, 0), TABLE_NAME FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' AND TABLE_NAME <> 'steward_batches' ORDER BY 1 DESC, 2",
        )
    }

    fn index_use(&self) -> Option<IndexUse> {
        Some(IndexUse {
            from: "FROM performance_schema.table_io_waits_summary_by_index_usage u \
                   WHERE u.OBJECT_SCHEMA = DATABASE() AND u.INDEX_NAME IS NOT NULL AND u.INDEX_NAME IN (SELECT t.INDEX_NAME \
                   FROM information_schema.STATISTICS t WHERE t.TABLE_SCHEMA = u.OBJECT_SCHEMA AND t.TABLE_NAME = u.OBJECT_NAME AND t.NON_UNIQUE = 1)",
            unused: "u.COUNT_READ = 0",
            name: "CONCAT(u.OBJECT_NAME, '.', u.INDEX_NAME)",
            since: format!(
                "SELECT CONCAT('the server was started ', VARIABLE_VALUE, ' s ago') FROM {} WHERE VARIABLE_NAME = 'Uptime'",
                status(self)
            ),
            needs: Some(PERFORMANCE_SCHEMA),
        })
    }

    fn slow_queries<'a>(&'a self, session: &'a mut dyn Statements) -> Answer<'a, Option<SlowQueries>> {
        Box::pin(slow_queries(session))
    }

    fn replica_lag<'a>(&'a self, session: &'a mut dyn Statements) -> Answer<'a, Lag> {
        let (sql, names) = if self.is_mariadb {
            ("SHOW ALL SLAVES STATUS", ["Slave_IO_Running", "Slave_SQL_Running", "Seconds_Behind_Master"])
        } else {
            ("SHOW REPLICA STATUS", ["Replica_IO_Running", "Replica_SQL_Running", "Seconds_Behind_Source"])
        };
        Box::pin(of_sources(session, sql, names))
    }
}

/// The question whether the server counts what statements and indexes take; what is said where it does not, and the way out.
const PERFORMANCE_SCHEMA: (&str, &str, &str) = (
    "SELECT @@GLOBAL.performance_schema",
    "`performance_schema` is off",
    "set performance_schema = ON under [mysqld] and restart the server",
);

/// Where a server keeps its counters.
const fn status(server: &Mysql) -> &'static str {
    if server.is_mariadb { "information_schema.GLOBAL_STATUS" } else { "performance_schema.global_status" }
}

async fn slow_queries(session: &mut dyn Statements) -> Result<Option<SlowQueries>, StoreFailure> {
    let (setting, off, way_out) = PERFORMANCE_SCHEMA;
    if session.count(setting, &[]).await? == 0 {
        return Err(not_kept(session.store(), off, way_out));
    }
    let sql = "SELECT ENABLED FROM performance_schema.setup_consumers WHERE NAME = 'statements_digest'";
    let on = session.rows(sql, &[]).await?;
    if !on.first().and_then(|row| row.first()).is_some_and(Cell::as_flag) {
        return Err(not_kept(
            session.store(),
            "the consumer `statements_digest` is off",
            "UPDATE performance_schema.setup_consumers SET ENABLED = 'YES' WHERE NAME = 'statements_digest';",
        ));
    }
    let from =
        "FROM performance_schema.events_statements_summary_by_digest WHERE SCHEMA_NAME = DATABASE() AND DIGEST IS NOT NULL";
    // Picoseconds.
    Ok(Some(SlowQueries {
        from: from.to_owned(),
        mean: "CAST(AVG_TIMER_WAIT / 1000000000 AS SIGNED)".to_owned(),
        calls: "COUNT_STAR",
        text: "COALESCE(DIGEST_TEXT, '')",
    }))
}

/// A row for each source that a MySQL or MariaDB replica has. A primary has none, and does not know its replicas.
async fn of_sources(session: &mut dyn Statements, sql: &str, names: [&str; 3]) -> Result<Lag, StoreFailure> {
    let sources = session.fields(sql, &names).await?;
    let mut furthest = Duration::ZERO;
    for source in &sources {
        let [receives, replays, behind] = [0, 1, 2].map(|at| source.get(at).unwrap_or(&Cell::Null));
        match (receives.shown().as_str(), replays.shown().as_str(), behind) {
            ("Yes", "Yes", Cell::Int(seconds)) => furthest = furthest.max(Duration::from_secs(seconds.unsigned_abs())),
            ("Yes", "Yes", _) => return Ok(Lag::Unknown("this replica does not say how far it is behind".into())),
            ("Yes", _, _) => return Ok(Lag::Unknown("this replica replays nothing: its applier is stopped".into())),
            _ => return Ok(Lag::Unknown("this replica receives nothing: its connection to the source is down".into())),
        }
    }
    Ok(match sources.is_empty() {
        true => Lag::Unknown(
            "a MySQL or MariaDB primary does not know how far its replicas are; name a replica as a store, and ask it".into(),
        ),
        false => Lag::Known(furthest),
    })
}
