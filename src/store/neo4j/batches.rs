//! The mark that a batch of nodes leaves with its own transaction: one node `StewardBatch` for each job, dataset and policy, as
//! `steward_batches` has a row ([`crate::store::batch_mark`]).

use super::nodes::Nodes;
use super::session::{Param, Params, Writing};
use crate::diagnostic::codes;
use crate::store::batch_mark::BatchesOf;
use crate::store::batch_mark::Found;
use crate::store::batch_mark::LastBatch;
use crate::store::batch_mark::fence;
use crate::store::batch_mark::no_mark;
use crate::store::batch_mark::taken_over;
use crate::store::error::StoreFailure;
use crate::store::value::Cell;

/// Adding nothing to a node changes nothing and locks it: what is read after that is what was committed last.
const LOCK: &str = "MATCH (m:StewardBatch {id: $id}) SET m += {} RETURN count(*) AS c0";
/// From the batch before to this one.
const MARK: &str =
    "MATCH (m:StewardBatch {id: $id}) WHERE m.batch = $before SET m.batch = $batch, m.made = datetime() RETURN count(*) AS c0";
/// Makes the node where it is missing.
const ENTER: &str = "MERGE (m:StewardBatch {id: $id}) \
     ON CREATE SET m.job = $job, m.dataset = $dataset, m.policy = $policy, m.batch = 'none', m.made = datetime()";

fn text(name: &'static str, value: &str) -> (&'static str, Param) {
    (name, Param::One(Cell::Text(value.to_owned())))
}

impl Nodes {
    /// The same nodes, whose batches leave a mark.
    #[must_use]
    pub fn with_batches(mut self, of: BatchesOf) -> Self {
        self.batches = Some(LastBatch::new(of));
        self
    }

    /// Makes the node where it is missing, and reads the mark. Called once before the first batch of a real run.
    ///
    /// # Errors
    /// The cutoff is counted from a time that has not come; the store is away.
    pub async fn begin_batches(&self) -> Result<Vec<(String, String)>, StoreFailure> {
        self.must_have_come()?;
        let Some(batches) = &self.batches else { return Ok(vec![]) };
        match self.enter(batches.of()).await {
            Ok(mark) => batches.set(&mark),
            Err(StoreFailure::Refused { code: codes::DENIED, .. }) => {
                return Ok(vec![no_mark("StewardBatch")]);
            }
            Err(failure) => return Err(failure),
        }
        Ok(vec![])
    }

    async fn enter(&self, of: &BatchesOf) -> Result<String, StoreFailure> {
        let mut session = self.store.writing(&self.who).await?;
        let id = of.id();
        let params = vec![text("id", &id), text("job", &of.job), text("dataset", &of.dataset), text("policy", &of.policy)];
        session.rows(ENTER, params).await?;
        let mark = self.mark(&mut session, &id).await?;
        session.commit().await?;
        mark.ok_or_else(|| taken_over("StewardBatch", of))
    }

    /// The mark that the next batch will replace; none where batches leave no mark.
    pub fn last_batch(&self) -> Option<String> {
        self.batches.as_ref().and_then(LastBatch::get)
    }

    /// The first statements of a batch's transaction: from here on the mark's lock is ours.
    pub(crate) async fn mark_batch(&self, session: &mut Writing, batch: &str) -> Result<(), StoreFailure> {
        let Some((batches, before)) = self.batches.as_ref().and_then(|batches| Some((batches, batches.get()?))) else {
            return Ok(());
        };
        let id = batches.of().id();
        session.rows(LOCK, vec![text("id", &id)]).await?;
        let params: Params = vec![text("id", &id), text("before", &before), text("batch", batch)];
        match session.count(MARK, params).await? {
            1 => Ok(()),
            _ => Err(taken_over("StewardBatch", batches.of())),
        }
    }

    /// The same statements, for whoever wants to read them before they are sent.
    pub(crate) fn batch_mark_statements(&self) -> Vec<String> {
        self.batches.iter().flat_map(|_| [LOCK.to_owned(), MARK.to_owned()]).collect()
    }

    /// The batch is committed.
    pub(crate) fn batch_committed(&self, batch: &str) {
        if let Some(batches) = self.batches.as_ref().filter(|batches| batches.get().is_some()) {
            batches.set(batch);
        }
    }

    /// What became of a batch that was begun where the mark was `before`. Waits for a transaction that is still under way; one
    /// that was rolled back can no longer be committed afterwards.
    ///
    /// # Errors
    /// Busy when waiting takes longer than a statement may: nothing is known then.
    pub async fn settle(&self, batch: &str, before: Option<&str>) -> Result<Found, StoreFailure> {
        let (Some(batches), Some(before)) = (&self.batches, before) else { return Ok(Found::Unknown) };
        let id = batches.of().id();
        let mut session = self.store.writing(&self.who).await?;
        let found = match self.mark(&mut session, &id).await {
            Ok(mark) => mark.map_or(Found::Unknown, |mark| Found::of(&mark, batch, before)),
            Err(failure) => {
                session.rollback().await;
                return Err(failure);
            }
        };
        if found != Found::RolledBack {
            session.rollback().await;
            return Ok(found);
        }
        let settled = "MATCH (m:StewardBatch {id: $id}) SET m.batch = $batch";
        session.rows(settled, vec![text("id", &id), text("batch", &fence(batch))]).await?;
        session.commit().await.map(|()| found)
    }

    /// Locks the mark, and reads it; none where it is not there.
    async fn mark(&self, session: &mut Writing, id: &str) -> Result<Option<String>, StoreFailure> {
        session.rows(LOCK, vec![text("id", id)]).await?;
        let marks = session.rows("MATCH (m:StewardBatch {id: $id}) RETURN m.batch AS c0", vec![text("id", id)]).await?;
        Ok(marks.first().and_then(|row| row.first()).map(Cell::shown))
    }
}
