//! A visit to a store, for `doctor`: who answers, how fast, over what, and what its clock says.

use crate::store::answer::Ping;
use crate::store::error::StoreFailure;
use crate::store::file_access::unwritable;
use crate::store::sql::session::connection::Session;
use crate::store::sql::session::store::Store;
use crate::store::value::Cell;
use chrono::{DateTime, TimeDelta};
use std::time::{Duration, Instant};

impl Store {
    /// Asks the store who it is. Touches nothing.
    ///
    /// # Errors
    /// It cannot be reached, or refuses the login.
    pub async fn ping(&self) -> Result<Ping, StoreFailure> {
        let mut session = self.reading("doctor").await?;
        let dialect = session.dialect();
        if dialect.sets_each_transaction() {
            // One transaction for all of it: beginning one is no part of an answer.
            session.begin_reading().await?;
        }
        let (latency, ahead) = clock(&mut session).await?;
        let (version, user) = identity(&mut session).await?;
        let tls = tls(&mut session).await?;
        Ok(Ping {
            version: format!("{} {version}", dialect.name()),
            user,
            latency,
            tls,
            is_behind: is_behind(&mut session, self.port()).await?,
            ahead,
            unwritable: self.path().and_then(unwritable),
        })
    }
}

/// The shortest of three answers, and the clock it brought.
async fn clock(session: &mut Session) -> Result<(Duration, Option<TimeDelta>), StoreFailure> {
    let sql = session.dialect().time_query().unwrap_or("SELECT NULL");
    let mut best: Option<(Duration, Option<TimeDelta>)> = None;
    for _ in 0..3 {
        let (asked, began) = (crate::clock::now(), Instant::now());
        let rows = session.rows(sql, &[]).await?;
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
    Ok(best.unwrap_or_default())
}

async fn identity(session: &mut Session) -> Result<(String, Option<String>), StoreFailure> {
    let sql = session.dialect().identity_query();
    let row = session.rows(sql, &[]).await?.into_iter().next().unwrap_or_default();
    let text = |at: usize| row.get(at).filter(|cell| **cell != Cell::Null).map(Cell::shown);
    Ok((text(0).unwrap_or_default(), text(1)))
}

async fn is_behind(session: &mut Session, port: Option<u16>) -> Result<bool, StoreFailure> {
    let (Some(sql), Some(port)) = (session.dialect().port_query(), port) else { return Ok(false) };
    let rows = session.rows(sql, &[]).await?;
    Ok(rows.first().and_then(|row| row.first()) != Some(&Cell::Int(i64::from(port))))
}

async fn tls(session: &mut Session) -> Result<Option<String>, StoreFailure> {
    let Some((sql, at)) = session.dialect().tls_query() else { return Ok(None) };
    let rows = session.rows(sql, &[]).await?;
    Ok(rows.first().and_then(|row| row.get(at)).map(Cell::shown).filter(|version| !version.is_empty()))
}
