//! How far replicas lag, as far as the server itself knows: a primary of its replicas, a replica of itself.

use super::dialect::Lag;
use crate::store::error::StoreFailure;
use crate::store::sql::session::store::Store;

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
        session.dialect().replica_lag(&mut session).await
    }
}
