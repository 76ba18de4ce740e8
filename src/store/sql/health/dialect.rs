//! What SQL engines do in their own ways about what a server says of itself.

use crate::diagnostic::codes;
use crate::store::error::StoreFailure;
use crate::store::sql::session::statements::{Answer, Statements};
use std::time::Duration;

/// How far replicas lag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lag {
    /// The one furthest behind lags so much.
    Known(Duration),
    /// The store does not know; that counts as lag (promise 6).
    Unknown(String),
}

/// Where a server counts how often indexes are read.
#[derive(Debug, Clone)]
pub struct IndexUse {
    /// ` FROM … WHERE …` of all indexes that keep nothing unique.
    pub from: &'static str,
    /// True for one that no query has read.
    pub unused: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// The question for when counting began.
    pub since: String,
    /// The question for a setting without which nothing is counted; what is said where it is off, and the way out.
    pub needs: Option<(&'static str, &'static str, &'static str)>,
}

/// Where a server counts what statements take.
#[derive(Debug, Clone)]
pub struct SlowQueries {
    /// ` FROM … WHERE …` of the statistics.
    pub from: String,
    /// The mean in milliseconds.
    pub mean: String,
    /// How often it was sent.
    pub calls: &'static str,
    /// The statement without values.
    pub text: &'static str,
}

/// Statistics that a server does not keep, and the way out.
pub(crate) fn not_kept(store: &str, why: &str, way_out: &str) -> StoreFailure {
    StoreFailure::refused(codes::CHECK_UNFIT, format!("store `{store}` does not keep this: {why}"), way_out)
}

/// Implemented in the folder of each engine.
pub trait HealthDialect {
    /// The question for the version and the account; a file has none.
    fn identity_query(&self) -> &'static str;

    /// The question for the version of TLS on this connection, and the column that it is in; a file has none.
    fn tls_query(&self) -> Option<(&'static str, usize)> {
        None
    }

    /// The question for the port that the server listens on, where it can tell: another than ours means that something is in between.
    fn port_query(&self) -> Option<&'static str> {
        None
    }

    /// The query for the connections that are taken in percent, rounded up; how many; of how many. A file has none.
    fn connections_query(&self) -> Option<String> {
        None
    }

    /// The query for the share of wanted pages that stood in memory, in percent, rounded down; how many were wanted; since when. A
    /// file keeps no such numbers.
    fn cache_query(&self) -> Option<String> {
        None
    }

    /// The query for the bytes of each table of the connection's own schema, the largest first; and what is said before.
    fn sizes_query(&self) -> (Option<&'static str>, &'static str);

    /// Where the use of indexes is counted; a file does not count it.
    fn index_use(&self) -> Option<IndexUse> {
        None
    }

    /// Where slow statements are counted, once it is sure that the server counts them; a file does not count them.
    ///
    /// # Errors
    /// The server does not count them: with the way to have it do so.
    fn slow_queries<'a>(&'a self, _session: &'a mut dyn Statements) -> Answer<'a, Option<SlowQueries>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// An error of such a query, with the way out where the server counts nothing yet.
    fn not_loaded(&self, failure: StoreFailure) -> StoreFailure {
        failure
    }

    /// How far its replicas lag; one that is a replica, how far it lags itself.
    fn replica_lag<'a>(&'a self, session: &'a mut dyn Statements) -> Answer<'a, Lag>;
}
