//! How far replicas lag, as far as the server itself knows: a primary of its replicas, a replica of itself.

use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::session::connection::Session;
use crate::store::sql::session::store::Store;
use crate::store::value::Cell;
use std::time::Duration;

/// How far replicas lag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lag {
    /// The one furthest behind lags so much.
    Known(Duration),
    /// The store does not know; that counts as lag (promise 6).
    Unknown(String),
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

impl Store {
    /// Asks the store how far its replicas lag; one that is a replica, how far it lags itself.
    ///
    /// SQLite has no replicas and lags by nothing. A PostgreSQL primary knows the replicas that are connected; with none
    /// connected, or without the right to look, it does not know. A MySQL or MariaDB primary does not know at all, its
    /// replicas do. A replica that receives or replays nothing does not know how much it has missed.
    ///
    /// # Errors
    /// The store's own.
    pub async fn replica_lag(&self, who: &str) -> Result<Lag, StoreFailure> {
        let mut session = self.reading(who).await?;
        match session.dialect() {
            Dialect::Sqlite => Ok(Lag::Known(Duration::ZERO)),
            Dialect::Mysql => {
                of_mysql(
                    &mut session,
                    "SHOW REPLICA STATUS",
                    ["Replica_IO_Running", "Replica_SQL_Running", "Seconds_Behind_Source"],
                )
                .await
            }
            Dialect::Mariadb => {
                of_mysql(
                    &mut session,
                    "SHOW ALL SLAVES STATUS",
                    ["Slave_IO_Running", "Slave_SQL_Running", "Seconds_Behind_Master"],
                )
                .await
            }
            Dialect::Postgres if session.count("SELECT pg_is_in_recovery()", &[]).await? == 1 => of_itself(&mut session).await,
            Dialect::Postgres => of_replicas(&mut session).await,
        }
    }
}

async fn of_replicas(session: &mut Session) -> Result<Lag, StoreFailure> {
    let row = session.rows(OF_REPLICAS, &[]).await?.into_iter().next().unwrap_or_default();
    let number = |at: usize| row.get(at).map_or(0, Cell::as_count);
    Ok(match (number(0), number(1)) {
        (0, _) => Lag::Unknown("no replica is connected, or the right to see them is missing".into()),
        (_, 0) => Lag::Known(Duration::from_millis(number(2))),
        (_, 1) => Lag::Unknown("a replica does not report its own, or still catches up".into()),
        (_, silent) => Lag::Unknown(format!("{silent} replicas do not report theirs, or still catch up")),
    })
}

async fn of_itself(session: &mut Session) -> Result<Lag, StoreFailure> {
    let row = session.rows(OF_ITSELF, &[]).await?.into_iter().next().unwrap_or_default();
    Ok(match row.as_slice() {
        [receiving, Cell::Int(lag)] if receiving.as_count() > 0 => Lag::Known(Duration::from_millis(lag.unsigned_abs())),
        [receiving, ..] if receiving.as_count() > 0 => Lag::Unknown("this replica has replayed nothing that is dated".into()),
        _ => Lag::Unknown("this replica receives nothing, or the right to see that is missing".into()),
    })
}

/// A row for each source that a MySQL or MariaDB replica has. A primary has none, and does not know its replicas.
async fn of_mysql(session: &mut Session, sql: &str, names: [&str; 3]) -> Result<Lag, StoreFailure> {
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
