//! Answers that are on their way while something else is done.

use super::node::Node;
use crate::store::error::StoreFailure;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, MaybeDone, maybe_done};
use redis::{Pipeline, Value};
use std::fmt;
use std::pin::Pin;

/// Answers that are on their way. Dropped, nobody waits for them; waited for late, they are there all the same.
pub struct Coming(MaybeDone<BoxFuture<'static, Result<Vec<Value>, StoreFailure>>>);

impl Coming {
    /// Sends the commands at once, and does not wait.
    pub fn of(node: &Node, commands: Pipeline) -> Self {
        let node = node.clone();
        let asked = async move { node.ask(&commands).await };
        let mut coming = Self(maybe_done(asked.boxed()));
        // Nothing is sent before it is waited for once. The connection's own task does the rest.
        let _ = (&mut coming.0).now_or_never();
        coming
    }

    /// Waits for them: as [`Node::ask`]. To be asked for once; given up before it is there, it may be asked for again.
    ///
    /// # Errors
    /// As [`Node::ask`].
    pub async fn answers(&mut self) -> Result<Vec<Value>, StoreFailure> {
        (&mut self.0).await;
        Pin::new(&mut self.0).take_output().unwrap_or_else(|| Ok(vec![]))
    }
}

impl fmt::Debug for Coming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Coming")
    }
}
