//! A visit to a graph store, for `doctor`.

use super::nodes::TIME;
use super::store::GraphStore;
use crate::store::answer::Ping;
use crate::store::error::StoreFailure;
use crate::store::value::Cell;
use chrono::{DateTime, TimeDelta};
use std::time::Instant;

impl GraphStore {
    /// Asks the store who it is. Touches nothing.
    ///
    /// # Errors
    /// It cannot be reached, or refuses the login.
    pub async fn ping(&self) -> Result<Ping, StoreFailure> {
        let session = self.visiting("doctor").await?;
        let asked = "CALL dbms.components() YIELD versions, edition RETURN versions[0] AS c0, edition AS c1 LIMIT 1";
        let told = session.rows(asked, vec![]).await?;
        let word = |at: usize| told.first().and_then(|row| row.get(at)).map(Cell::shown).unwrap_or_default();
        let mut best = None;
        for _ in 0..3 {
            let (asked, began) = (crate::clock::now(), Instant::now());
            let rows = session.rows(TIME, vec![]).await?;
            let took = began.elapsed();
            let told = match rows.first().and_then(|row| row.first()) {
                Some(Cell::Int(milliseconds)) => DateTime::from_timestamp_millis(*milliseconds),
                _ => None,
            };
            if best.as_ref().is_none_or(|(shortest, _)| took < *shortest) {
                let halfway = asked + TimeDelta::from_std(took / 2).unwrap_or_default();
                best = Some((took, told.map(|told| told - halfway)));
            }
        }
        let (latency, ahead) = best.unwrap_or_default();
        Ok(Ping {
            version: format!("Neo4j {} {}", word(0), word(1)),
            user: Some(self.user().to_owned()),
            latency,
            // The driver does not tell which version of it was agreed on.
            tls: self.is_encrypted().then(|| "TLS".to_owned()),
            is_behind: false,
            ahead,
            unwritable: None,
        })
    }
}
