//! What PostgreSQL does in its own way about its health.

use super::dialect::Postgres;
use crate::store::error::StoreFailure;
use crate::store::sql::health::dialect::{HealthDialect, IndexUse, Lag, SlowQueries, not_kept};
use crate::store::sql::session::statements::{Answer, Statements};
use crate::store::value::Cell;
use std::time::Duration;

impl HealthDialect for Postgres {
    fn identity_query(&self) -> &'static str {
        "SELECT current_setting('server_version'), current_user::text"
    }

    fn tls_query(&self) -> Option<(&'static str, usize)> {
        Some(("SELECT version::text FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl", 0))
    }

    fn port_query(&self) -> Option<&'static str> {
        Some("SELECT inet_server_port()")
    }

    fn connections_query(&self) -> Option<String> {
        Some(
            "SELECT CEIL(SUM(numbackends) * 100.0 / MAX(current_setting('max_connections')::int))::bigint, \
             SUM(numbackends)::bigint, MAX(current_setting('max_connections')::int)::bigint FROM pg_stat_database"
                .to_owned(),
        )
    }

    fn cache_query(&self) -> Option<String> {
        Some(
            "SELECT FLOOR(blks_hit * 100.0 / NULLIF(blks_hit + blks_read, 0))::bigint, (blks_hit + blks_read)::bigint, \
             COALESCE(stats_reset::text, 'the database was made') FROM pg_stat_database WHERE datname = current_database()"
                .to_owned(),
        )
    }

    fn sizes_query(&self) -> (Option<&'static str>, &'static str) {
        (
            None,
            // The sum over a partitioned table's parts; a part is no table of its own here.
            "SELECT (SELECT COALESCE(SUM(pg_total_relation_size(p.relid)), pg_total_relation_size(c.oid)) \
             FROM pg_partition_tree(c.oid) p)::bigint, c.relname::text FROM pg_class c \
             WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition \
             AND c.relname <> 'steward_batches' ORDER BY 1 DESC, 2",
        )
    }

    fn index_use(&self) -> Option<IndexUse> {
        Some(IndexUse {
            from: "FROM pg_stat_user_indexes s JOIN pg_index i ON i.indexrelid = s.indexrelid \
                   WHERE s.schemaname = current_schema() AND NOT i.indisunique AND NOT i.indisreplident AND NOT i.indisexclusion",
            unused: "s.idx_scan = 0",
            name: "s.relname::text || '.' || s.indexrelname::text",
            since: "SELECT COALESCE(stats_reset::text, 'the database was made') FROM pg_stat_database WHERE datname = current_database()"
                .to_owned(),
            needs: None,
        })
    }

    fn slow_queries<'a>(&'a self, session: &'a mut dyn Statements) -> Answer<'a, Option<SlowQueries>> {
        Box::pin(slow_queries(session))
    }

    fn not_loaded(&self, failure: StoreFailure) -> StoreFailure {
        match &failure {
            StoreFailure::Failed { store, text } if text.contains("shared_preload_libraries") => {
                not_kept(store, "the extension `pg_stat_statements` is made and not loaded", PRELOAD)
            }
            _ => failure,
        }
    }

    fn replica_lag<'a>(&'a self, session: &'a mut dyn Statements) -> Answer<'a, Lag> {
        Box::pin(async move {
            match session.count("SELECT pg_is_in_recovery()", &[]).await? {
                1 => of_itself(session).await,
                _ => of_replicas(session).await,
            }
        })
    }
}

/// The way to have PostgreSQL keep them.
const PRELOAD: &str =
    "set shared_preload_libraries = 'pg_stat_statements', restart the server, then: CREATE EXTENSION pg_stat_statements;";

async fn slow_queries(session: &mut dyn Statements) -> Result<Option<SlowQueries>, StoreFailure> {
    let sql = "SELECT quote_ident(n.nspname), EXISTS (SELECT 1 FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
               WHERE c.relname = 'pg_stat_statements' AND c.relnamespace = n.oid AND a.attname = 'mean_exec_time') \
               FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'";
    let Some(row) = session.rows(sql, &[]).await?.into_iter().next() else {
        return Err(not_kept(session.store(), "the extension `pg_stat_statements` is not installed in this database", PRELOAD));
    };
    let mean = if row[1].as_flag() { "mean_exec_time" } else { "mean_time" };
    let from = format!(
        "FROM {}.pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
        row[0].shown()
    );
    Ok(Some(SlowQueries { from, mean: format!("ROUND({mean})::bigint"), calls: "calls", text: "query" }))
}

/// Of a PostgreSQL primary: how many replicas there are, how many of them say nothing that could be told, and the longest lag.
///
/// One that has replayed all there is reports no lag once it is idle. One that still catches up dates what it replays by when
/// it was sent, and not by when it was written. And a receiver that fell silent leaves its last number standing: it replies
/// every ten seconds unless it was told otherwise, by its own clock.
const OF_REPLICAS: &str = "SELECT COUNT(*), COUNT(*) FILTER (WHERE state IS DISTINCT FROM 'streaming' OR reply_time IS NULL \
     OR (replay_lag IS NULL AND replay_lsn IS DISTINCT FROM sent_lsn) \
     OR (replay_lsn IS DISTINCT FROM pg_current_wal_lsn() AND reply_time < clock_timestamp() - interval '15 seconds')), \
     COALESCE(CEIL(MAX(EXTRACT(EPOCH FROM replay_lag)) * 1000), 0)::bigint FROM pg_stat_replication";

/// Of a PostgreSQL replica: whether it receives, and how long ago what it replayed last was written; zero when it has
/// replayed all that its primary told it of. Where that is not all, it is the most that it can lag.
const OF_ITSELF: &str = "SELECT COUNT(*) FILTER (WHERE status = 'streaming'), \
     CASE WHEN MAX(latest_end_lsn) <= pg_last_wal_replay_lsn() THEN 0 \
     ELSE CEIL(EXTRACT(EPOCH FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000)::bigint END FROM pg_stat_wal_receiver";

async fn of_replicas(session: &mut dyn Statements) -> Result<Lag, StoreFailure> {
    let row = session.rows(OF_REPLICAS, &[]).await?.into_iter().next().unwrap_or_default();
    let number = |at: usize| row.get(at).map_or(0, Cell::as_count);
    Ok(match (number(0), number(1)) {
        (0, _) => Lag::Unknown("no replica is connected, or the right to see them is missing".into()),
        (_, 0) => Lag::Known(Duration::from_millis(number(2))),
        (_, 1) => Lag::Unknown("a replica does not report its own, or still catches up".into()),
        (_, silent) => Lag::Unknown(format!("{silent} replicas do not report theirs, or still catch up")),
    })
}

async fn of_itself(session: &mut dyn Statements) -> Result<Lag, StoreFailure> {
    let row = session.rows(OF_ITSELF, &[]).await?.into_iter().next().unwrap_or_default();
    Ok(match row.as_slice() {
        [receiving, Cell::Int(lag)] if receiving.as_count() > 0 => Lag::Known(Duration::from_millis(lag.unsigned_abs())),
        [receiving, ..] if receiving.as_count() > 0 => Lag::Unknown("this replica has replayed nothing that is dated".into()),
        _ => Lag::Unknown("this replica receives nothing, or the right to see that is missing".into()),
    })
}
