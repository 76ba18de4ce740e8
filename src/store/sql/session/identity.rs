//! Which database a store with tables is.

use super::connection::Session;
use super::store::Store;
use crate::store::address::StoreLocation;
use crate::store::error::StoreFailure;
use std::os::unix::fs::MetadataExt;

impl Store {
    /// The server by what it calls itself, the database, the schema and the account; of a file its inode and its real path.
    ///
    /// # Errors
    /// It is away, or refuses the login.
    pub(crate) async fn identity(&self, who: &str) -> Result<[String; 4], StoreFailure> {
        if let StoreLocation::File(path) = self.location() {
            let gone = |error: std::io::Error| StoreFailure::Away { store: self.name().to_owned(), text: error.to_string() };
            let real = path.canonicalize().map_err(gone)?;
            let inode = format!("inode {}", std::fs::metadata(&real).map_err(gone)?.ino());
            return Ok([inode, real.display().to_string(), String::new(), String::new()]);
        }
        let mut session = self.reading(who).await?;
        let dialect = session.dialect();
        let server = dialect.server_identity(&mut session).await?;
        let rows = match dialect.account_query() {
            Some(sql) => session.rows(sql, &[]).await?,
            None => vec![],
        };
        let row = rows.into_iter().next().unwrap_or_default();
        let text = |at: usize| row.get(at).and_then(|cell| cell.as_text()).unwrap_or_default().to_owned();
        Ok([server, text(0), text(1), text(2)])
    }
}

/// The server and, where names stay within one, the database: equal for two store names of the same data, as long as the server
/// runs. Reads only.
pub(crate) async fn database_of(session: &mut Session, store: &Store) -> Result<String, StoreFailure> {
    if let Some(path) = store.path() {
        return Ok(match std::fs::metadata(path) {
            // Every path to it is one database.
            Ok(there) => format!("file:{}:{}", there.dev(), there.ino()),
            Err(_) => format!("file:{}", path.display()),
        });
    }
    let dialect = session.dialect();
    Ok(format!("{}:{}", dialect.name(), dialect.database_identity(session).await?))
}
