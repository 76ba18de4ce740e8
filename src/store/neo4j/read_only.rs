//! A graph that takes no writes: asked before a run.

use super::nodes::Nodes;
use super::store::GraphStore;
use crate::store::error::StoreFailure;

impl GraphStore {
    /// Refuses a database that is read-only on this server. Reads only.
    ///
    /// # Errors
    /// It is; or the store is away.
    pub async fn refuse_read_only(&self, who: &str) -> Result<(), StoreFailure> {
        let session = self.reading(who).await?;
        let name = session.rows("CALL db.info() YIELD name RETURN name AS c0", vec![]).await?;
        let name = name.first().and_then(|row| row.first()).map(|cell| cell.shown()).unwrap_or_default();
        let asked = "SHOW DATABASES YIELD name, access WHERE access = 'read-only' RETURN name AS c0";
        let closed = match session.rows(asked, vec![]).await {
            Ok(rows) => rows,
            Err(failure) if failure.is_temporary() => return Err(failure),
            // Who may not ask finds out by the first write, which is refused as a whole.
            Err(_) => return Ok(()),
        };
        if !closed.iter().flatten().any(|cell| cell.shown() == name) {
            return Ok(());
        }
        Err(StoreFailure::read_only(
            self.name(),
            &format!("database `{name}` takes no writes on this server"),
            "take it off `server.databases.read_only`, or: ALTER DATABASE … SET ACCESS READ WRITE; or let the `url` name the writer",
        ))
    }
}

impl Nodes {
    /// The same, of their store.
    pub(crate) async fn refuse_read_only(&self) -> Result<(), StoreFailure> {
        self.store.refuse_read_only(&self.who).await
    }
}
