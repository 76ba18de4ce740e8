//! Stores that take no writes: asked before a run, so that nobody finds out at night.
//!
//! A setting that makes an account or a server read-only is somebody's word: it is never set aside.

use super::connection::Session;
use crate::store::error::StoreFailure;

/// Refuses a store that takes no writes from this account, or is a copy of another. Reads only.
///
/// # Errors
/// It is read-only, and why.
pub(crate) async fn refuse_read_only(session: &mut Session) -> Result<(), StoreFailure> {
    let why = session.dialect().read_only(session).await?;
    why.map_or(Ok(()), |(why, help)| Err(StoreFailure::read_only(session.store(), &why, &help)))
}
