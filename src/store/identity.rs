//! Which database a store is: what a plan is approved for, and what a pass may be continued in.

use super::error::StoreFailure;
use super::neo4j::store::GraphStore;
use super::redis::store::KeyStore;
use super::registry::{AnyStore, Stores};
use serde::{Deserialize, Serialize};

/// Which database a store is, and as whom we are in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreIdentity {
    /// The store's name.
    pub store: String,
    /// The server, by what it calls itself: a system identifier, a uuid; for a file its inode.
    pub server: String,
    /// The database; for a file its real path.
    pub database: String,
    /// The schema that names without one are looked up in; empty where there are none.
    pub schema: String,
    /// The account.
    pub account: String,
}

impl StoreIdentity {
    /// What is another than it was, in words; none when nothing is.
    pub fn differs_from(&self, before: &Self) -> Option<String> {
        let parts = [
            ("server", &before.server, &self.server),
            ("database", &before.database, &self.database),
            ("schema", &before.schema, &self.schema),
            ("account", &before.account, &self.account),
        ];
        let part = parts.into_iter().find(|(_, before, now)| before != now);
        part.map(|(what, before, now)| format!("store `{}` is on another {what}: `{now}`, and it was `{before}`", self.store))
    }
}

impl Stores {
    /// Which database the store of that name is. Reads only.
    ///
    /// # Errors
    /// It is away, or refuses the login.
    pub async fn identity(&self, name: &str, who: &str) -> Result<StoreIdentity, StoreFailure> {
        match self.any(name)? {
            AnyStore::Tables(store) => {
                let [server, database, schema, account] = store.identity(who).await?;
                Ok(identity(store.name(), server, database, schema, account))
            }
            AnyStore::Keys(store) => of_keys(store, who).await,
            AnyStore::Graph(store) => of_graph(store, who).await,
        }
    }
}

async fn of_keys(store: &KeyStore, who: &str) -> Result<StoreIdentity, StoreFailure> {
    let nodes = store.nodes(who).await?;
    let (database, account) = (store.database().to_string(), store.user().unwrap_or("default").to_owned());
    Ok(identity(store.name(), nodes.fingerprint(), database, String::new(), account))
}

async fn of_graph(store: &GraphStore, who: &str) -> Result<StoreIdentity, StoreFailure> {
    let session = store.reading(who).await?;
    let rows = session.rows("CALL db.info() YIELD id, name RETURN id AS c0, name AS c1", vec![]).await?;
    let text = |at: usize| rows.first().and_then(|row| row.get(at)?.as_text()).unwrap_or_default().to_owned();
    Ok(identity(store.name(), text(0), text(1), String::new(), store.user().to_owned()))
}

fn identity(store: &str, server: String, database: String, schema: String, account: String) -> StoreIdentity {
    StoreIdentity { store: store.to_owned(), server, database, schema, account }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let one = identity("core", "s".into(), "d".into(), "public".into(), "steward".into());
        assert_eq!(one.differs_from(&one), None);
        let other = StoreIdentity { schema: "tenant_b".into(), account: "root".into(), ..one.clone() };
        assert_eq!(other.differs_from(&one).unwrap(), "store `core` is on another schema: `tenant_b`, and it was `public`");
    }
}
