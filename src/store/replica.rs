//! How far a store's replicas lag, as far as the store itself knows.

use super::cell::Cell;
use super::connect::Store;
use super::dialect::Dialect;
use super::failure::StoreFailure;
use std::time::Duration;

/// How far replicas lag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lag {
    /// The one furthest behind lags so much.
    Known(Duration),
    /// The store does not know; that counts as lag (promise 6).
    Unknown(String),
}

impl Store {
    /// Asks the store how far its replicas lag.
    ///
    /// SQLite has no replicas and lags by nothing. PostgreSQL knows those that are connected; with none connected, or
    /// without the right to look, it does not know. A MySQL or MariaDB primary does not know at all.
    pub async fn replica_lag(&self, who: &str) -> Result<Lag, StoreFailure> {
        let mut session = self.session(who).await?;
        match session.dialect() {
            Dialect::Sqlite => Ok(Lag::Known(Duration::ZERO)),
            Dialect::Mysql | Dialect::Mariadb => {
                Ok(Lag::Unknown("a MySQL primary does not know how far its replicas are".into()))
            }
            Dialect::Postgres => {
                // A replica that has replayed all there is reports no lag once it is idle.
                let sql = "SELECT COUNT(*), COUNT(*) FILTER (WHERE replay_lag IS NULL AND replay_lsn IS DISTINCT FROM sent_lsn), \
                           COALESCE(CEIL(MAX(EXTRACT(EPOCH FROM replay_lag)) * 1000), 0)::bigint FROM pg_stat_replication";
                let row = session.rows(sql, &[]).await?.into_iter().next().unwrap_or_default();
                let number = |at: usize| row.get(at).map_or(0, Cell::as_count);
                Ok(match (number(0), number(1)) {
                    (0, _) => Lag::Unknown("no replica is connected, or the right to see them is missing".into()),
                    (_, 0) => Lag::Known(Duration::from_millis(number(2))),
                    (_, silent) => Lag::Unknown(format!("{silent} replicas do not report theirs")),
                })
            }
        }
    }
}
