//! Removes the nodes of a page, all that still may go or none.

use super::nodes::Nodes;
use super::session::{Param, Params, Writing};
use crate::store::error::StoreFailure;
use crate::store::holds::Holds;
use crate::store::page::Page;
use crate::store::value::Cell;

/// What became of a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Nodes removed.
    pub removed: u64,
    /// Nodes that were on the page and no longer may go: changed, held, related or gone since it was read.
    pub changed: u64,
}

impl Nodes {
    /// Removes the nodes of a page for good, those of them that still may go.
    ///
    /// One transaction: the batch's mark, then two statements. The first locks the nodes: Neo4j takes no lock for what it only reads, so a
    /// predicate beside `DELETE` alone could be true when it is read and false when the lock is there. The second repeats the
    /// whole predicate, holds included, and sees what is committed by then. Who relates to such a node meanwhile waits; when
    /// both wait for each other the store ends one of them, and if that is us the batch is tried again.
    ///
    /// Held by `an_orphan_that_gains_a_relation_stays`.
    ///
    /// # Errors
    /// Busy means: rolled back, try again.
    pub async fn remove(&self, page: &Page, batch: &str, holds: &Holds) -> Result<Removed, StoreFailure> {
        self.time.must_have_come()?;
        let mut session = self.store.writing(&self.who).await?;
        let removed = match self.remove_inside(&mut session, page, batch, holds).await {
            Ok(removed) => removed,
            Err(failure) => {
                session.rollback().await;
                return Err(failure);
            }
        };
        session.commit().await?;
        self.batch_committed(batch);
        Ok(Removed { removed, changed: page.rows().saturating_sub(removed) })
    }

    async fn remove_inside(&self, session: &mut Writing, page: &Page, batch: &str, holds: &Holds) -> Result<u64, StoreFailure> {
        self.mark_batch(session, batch).await?;
        let keys: Vec<Cell> = page.keys().into_iter().flatten().collect();
        let params = || -> Params { vec![("keys", Param::List(keys.clone()))] };
        session.rows(&self.lock(), params()).await?;
        session.count(&self.removing(holds), params()).await
    }

    /// The statements of one batch in their order, for whoever wants to read them before they are sent.
    pub fn batch_statements(&self, holds: &Holds) -> Vec<String> {
        let mut statements = self.batch_mark_statements();
        statements.extend([self.lock(), self.removing(holds)]);
        statements
    }

    /// Adding nothing to a node changes nothing and locks it.
    fn lock(&self) -> String {
        format!(
            "UNWIND $keys AS steward_key MATCH {} WHERE {} SET n += {{}} RETURN count(*) AS c0",
            self.label.pattern(),
            self.is_key()
        )
    }

    fn removing(&self, holds: &Holds) -> String {
        let delete = if self.takes_relations { "DETACH DELETE" } else { "DELETE" };
        format!(
            "UNWIND $keys AS steward_key MATCH {} WHERE {} AND {} {delete} n RETURN count(*) AS c0",
            self.label.pattern(),
            self.is_key(),
            self.may_go(holds)
        )
    }

    /// What the store's user must be allowed, for whoever administers the store. Neo4j Community knows no grants.
    pub fn grants(&self) -> Vec<String> {
        let label = super::identifier::quote(&self.label.name);
        vec![
            "// the privileges that these need, where the edition knows any; Community knows none".to_owned(),
            format!("// GRANT MATCH {{*}} ON HOME GRAPH NODES {label} TO role; GRANT WRITE ON HOME GRAPH TO role"),
        ]
    }
}
