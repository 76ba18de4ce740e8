//! What a store says of its own health: shares that one statement gives.

use crate::diagnostic::codes;
use crate::store::error::StoreFailure;
use crate::store::sql::session::connection::Session;
use crate::store::sql::session::store::Store;
use crate::store::value::Cell;

/// A number that a store keeps of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vital {
    /// The number.
    pub value: u64,
    /// Out of how many, where there is such a number.
    pub of: Option<u64>,
    /// A few of what was counted: names and digests, never values.
    pub samples: Vec<String>,
    /// Gives the number again.
    pub query: String,
    /// What one must know to read it.
    pub notes: Vec<String>,
    /// The store has seen nothing yet that this could be about.
    pub nothing_seen: bool,
}

impl Store {
    /// How many of the connections that the server allows are taken, in percent, rounded up.
    ///
    /// # Errors
    /// A file has none; the store's own.
    pub async fn connections_taken(&self, who: &str) -> Result<Vital, StoreFailure> {
        let mut session = self.reading(who).await?;
        let Some(sql) = session.dialect().connections_query() else {
            return Err(makes_no_sense(self, "connections", "any number of processes may open it"));
        };
        let row = one(&mut session, &sql).await?;
        let notes = vec![format!("{} of {} connections are taken", row[1].shown(), row[2].shown())];
        Ok(Vital { value: row[0].as_count(), query: sql, notes, ..Vital::default() })
    }

    /// How many of the pages that were wanted stood in memory already, in percent, rounded down.
    ///
    /// # Errors
    /// A file keeps no such number; the store's own.
    pub async fn cache_hits(&self, who: &str) -> Result<Vital, StoreFailure> {
        let mut session = self.reading(who).await?;
        let Some(sql) = session.dialect().cache_query() else {
            return Err(makes_no_sense(self, "cache", "each process has its own, and keeps no numbers of it"));
        };
        let row = one(&mut session, &sql).await?;
        let nothing_seen = row[0] == Cell::Null;
        let notes = vec![format!("of {} pages wanted since {}", row[1].shown(), row[2].shown())];
        Ok(Vital { value: row[0].as_count(), query: sql, notes, nothing_seen, ..Vital::default() })
    }
}

/// The one row of such a statement; a server that gives none does not know.
pub(crate) async fn one(session: &mut Session, sql: &str) -> Result<Vec<Cell>, StoreFailure> {
    let row = session.rows(sql, &[]).await?.into_iter().next();
    row.ok_or_else(|| {
        let text = format!("store `{}` does not say this of itself", session.store());
        StoreFailure::refused(codes::CHECK_UNFIT, text, "the user may lack the right to see the server's counters")
    })
}

/// A number that a kind of store does not have.
pub fn makes_no_sense(store: &Store, what: &str, why: &str) -> StoreFailure {
    StoreFailure::refused(
        codes::CHECK_UNFIT,
        format!("store `{}` is a SQLite file, and says nothing about {what}: {why}", store.name()),
        "take the check out, or name a server",
    )
}
