//! What the engines' own code may send to a server: it knows statements and values, and no session, so that a session may know it.

use crate::store::error::StoreFailure;
use crate::store::value::Cell;
use futures_util::future::BoxFuture;

/// What a statement gives, in a while.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreFailure>>;

/// Sends statements to one server. See the methods of the same names of [`super::connection::Session`].
pub trait Statements: Send {
    /// The store's name.
    fn store(&self) -> &str;

    /// Runs a query and gives its rows.
    fn rows<'a>(&'a mut self, sql: &'a str, binds: &'a [Cell]) -> Answer<'a, Vec<Vec<Cell>>>;

    /// The first cell of the first row as a count; zero when there is none.
    fn count<'a>(&'a mut self, sql: &'a str, binds: &'a [Cell]) -> Answer<'a, u64>;

    /// The columns of these names of a query whose columns differ by version; one that is not there is NULL.
    fn fields<'a>(&'a mut self, sql: &'a str, names: &'a [&'a str]) -> Answer<'a, Vec<Vec<Cell>>>;
}

/// The first value of the first row as text; empty where there is none.
pub(crate) async fn text(session: &mut dyn Statements, sql: &str) -> Result<String, StoreFailure> {
    let rows = session.rows(sql, &[]).await?;
    Ok(rows.first().and_then(|row| row.first()?.as_text()).unwrap_or_default().to_owned())
}
