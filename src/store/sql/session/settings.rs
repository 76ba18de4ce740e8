//! What every session of a SQL store is set to: whatever changes what a statement does or means is ours, not the account's.
//!
//! Set at each opening, so a connection that comes back from the pool is set anew; on PostgreSQL for each transaction, and gone
//! with it, since behind a pooler the connection is the application's a moment later. What a condition is written for stays the
//! server's: `ANSI_QUOTES` and its kin, the search path, the language of dates in text.

use super::connection::Session;
use super::read_only::refuse_read_only;
use crate::diagnostic::codes;
use crate::store::error::StoreFailure;
use crate::store::value::Cell;

/// Settings that are not a session's own to change, and with which a removal would do something else or fail half-way.
///
/// # Errors
/// There is such a setting; the store is read-only.
pub(crate) async fn refuse_unfit_settings(session: &mut Session) -> Result<(), StoreFailure> {
    refuse_read_only(session).await?;
    let Some((sql, unfit, help)) = session.dialect().unfit_setting() else { return Ok(()) };
    let Some(row) = session.rows(sql, &[]).await?.into_iter().next() else { return Ok(()) };
    Err(StoreFailure::refused(
        codes::SETTING,
        format!(
            "`{unfit}` is `{}` for this account of store `{}`; nothing was touched",
            row.first().map(Cell::shown).unwrap_or_default(),
            session.store()
        ),
        help,
    ))
}
