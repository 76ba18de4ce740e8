//! Which database a store is: what a plan is approved for, and what a pass may be continued in.

use super::error::StoreFailure;
use super::neo4j::store::GraphStore;
use super::redis::store::KeyStore;
use super::registry::{AnyStore, Stores};
use super::sql::dialect::Dialect;
use super::sql::session::connection::Session;
use super::sql::session::store::Store;
use crate::store::address::StoreLocation;
use serde::{Deserialize, Serialize};
use std::os::unix::fs::MetadataExt;

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
            AnyStore::Tables(store) => of_tables(store, who).await,
            AnyStore::Keys(store) => of_keys(store, who).await,
            AnyStore::Graph(store) => of_graph(store, who).await,
        }
    }
}

async fn of_tables(store: &Store, who: &str) -> Result<StoreIdentity, StoreFailure> {
    if let StoreLocation::File(path) = store.location() {
        let gone = |error: std::io::Error| StoreFailure::Away { store: store.name().to_owned(), text: error.to_string() };
        let real = path.canonicalize().map_err(gone)?;
        let inode = format!("inode {}", std::fs::metadata(&real).map_err(gone)?.ino());
        return Ok(identity(store.name(), inode, real.display().to_string(), String::new(), String::new()));
    }
    let mut session = store.reading(who).await?;
    let dialect = session.dialect();
    let server = server_of(&mut session).await?;
    let sql = if dialect == Dialect::Postgres {
        "SELECT current_database()::text || ' (' || (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())::text || ')', \
         coalesce(current_schema()::text, '') || ' (search_path ' || current_setting('search_path') || ')', \
         CASE WHEN session_user = current_user THEN current_user::text ELSE current_user::text || ', logged in as ' || session_user::text END"
    } else {
        "SELECT CAST(DATABASE() AS CHAR), '', CAST(CURRENT_USER() AS CHAR)"
    };
    let row = session.rows(sql, &[]).await?.into_iter().next().unwrap_or_default();
    let text = |at: usize| row.get(at).and_then(|cell| cell.as_text()).unwrap_or_default().to_owned();
    Ok(identity(store.name(), server, text(0), text(1), text(2)))
}

/// The server, by what it calls itself; empty where it does not say.
async fn server_of(session: &mut Session) -> Result<String, StoreFailure> {
    match session.dialect() {
        Dialect::Postgres => system_identifier(session).await,
        Dialect::Mysql => one(session, "SELECT CAST(@@server_uuid AS CHAR)").await,
        // It has no uuid: host, port and data directory tell one server from another.
        Dialect::Mariadb => one(session, "SELECT CONCAT(@@hostname, ':', @@port, ' ', @@datadir)").await,
        Dialect::Sqlite => Ok(String::new()),
    }
}

/// The server and, where names stay within one, the database: equal for two store names of the same data, as long as the server
/// runs. Reads only.
pub(crate) async fn database_of(session: &mut Session, store: &Store) -> Result<String, StoreFailure> {
    let within = match session.dialect() {
        Dialect::Sqlite => return Ok(file_of(store)),
        // Names reach over databases there, so the server is all.
        Dialect::Mysql | Dialect::Mariadb => String::new(),
        Dialect::Postgres => {
            let oid = "SELECT oid::text FROM pg_catalog.pg_database WHERE datname = current_database()";
            one(session, oid).await?
        }
    };
    let mut server = server_of(session).await?;
    if server.is_empty() {
        // Two clusters number their databases alike, and no two began at one microsecond.
        server = one(session, "SELECT extract(epoch FROM pg_postmaster_start_time())::text").await?;
    }
    Ok(format!("{}:{server}/{within}", session.dialect().name()))
}

/// A file by its device and number: every path to it is one database.
fn file_of(store: &Store) -> String {
    let Some(path) = store.path() else { return String::new() };
    match std::fs::metadata(path) {
        Ok(there) => format!("file:{}:{}", there.dev(), there.ino()),
        Err(_) => format!("file:{}", path.display()),
    }
}

/// The cluster's identifier, which its replicas share. Where the account may not ask for it, the database's oid has to do.
async fn system_identifier(session: &mut Session) -> Result<String, StoreFailure> {
    let may = "SELECT CASE WHEN to_regprocedure('pg_catalog.pg_control_system()') IS NULL THEN 'no' \
               WHEN has_function_privilege(to_regprocedure('pg_catalog.pg_control_system()')::oid, 'EXECUTE') THEN 'yes' ELSE 'no' END";
    if one(session, may).await? != "yes" {
        return Ok(String::new());
    }
    one(session, "SELECT system_identifier::text FROM pg_catalog.pg_control_system()").await
}

async fn one(session: &mut Session, sql: &str) -> Result<String, StoreFailure> {
    let rows = session.rows(sql, &[]).await?;
    Ok(rows.first().and_then(|row| row.first()?.as_text()).unwrap_or_default().to_owned())
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
