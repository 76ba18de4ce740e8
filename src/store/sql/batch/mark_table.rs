//! `steward_batches`: the table in which batches of rows leave their mark ([`crate::store::batch_mark`]), one row for each job, dataset
//! and policy.

use super::mark_grants;
use super::rows::Rows;
use crate::diagnostic::codes;
use crate::store::batch_mark::{BATCH_TABLE, BatchesOf, Found, LastBatch, fence, no_mark, taken_over};
use crate::store::error::StoreFailure;
use crate::store::sql::session::connection::Session;
use crate::store::value::Cell;

/// Its columns, sorted.
const COLUMNS: &str = "batch,dataset,id,job,made,policy";

impl Rows {
    /// The same rows, whose batches leave a mark.
    #[must_use]
    pub fn with_batches(mut self, of: BatchesOf) -> Self {
        self.batches = Some(LastBatch::new(of));
        self
    }

    /// Makes the table where it is missing, and reads the mark. Called once before the first batch of a real run. Gives what a
    /// person should know: without the right to make it the run goes on, and what cannot be settled then is told as unclear.
    ///
    /// # Errors
    /// The cutoff is counted from a time that has not come; a table of that name is not ours; the store is away.
    pub async fn begin_batches(&self) -> Result<Vec<(String, String)>, StoreFailure> {
        let mut session = self.changing().await?;
        let Some(batches) = &self.batches else { return Ok(vec![]) };
        match self.enter(&mut session, batches).await {
            Ok(mark) => batches.set(&mark),
            Err(StoreFailure::Refused { code: codes::DENIED, .. }) => return Ok(vec![no_mark(&self.batch_label())]),
            Err(failure) => return Err(failure),
        }
        Ok(vec![])
    }

    /// Notes that batches cannot leave a mark, before a run finds out. Reads only.
    pub(crate) async fn look_at_the_marks(&mut self, session: &mut Session) -> Result<(), StoreFailure> {
        if self.batches.is_some() && !mark_grants::missing(session, self.table.schema.as_deref()).await?.is_empty() {
            self.notes.push(no_mark(&self.batch_label()));
        }
        Ok(())
    }

    /// The mark that the next batch will replace; none where batches leave no mark.
    pub fn last_batch(&self) -> Option<String> {
        self.batches.as_ref().and_then(LastBatch::get)
    }

    async fn enter(&self, session: &mut Session, batches: &LastBatch) -> Result<String, StoreFailure> {
        if !self.has_batch_table(session).await? {
            let made = session.raw(&self.batch_table_ddl()).await;
            // Two jobs may begin at once, and PostgreSQL tells one of them that the table is there.
            if let Err(failure) = made
                && (matches!(failure, StoreFailure::Refused { .. }) || !self.has_batch_table(session).await?)
            {
                return Err(failure);
            }
        }
        let (path, id, bind) = (self.batch_path(), batches.of().id(), |n| self.dialect.bind(n));
        let find = format!("SELECT batch FROM {path} WHERE id = '{id}'");
        let mark = session.rows(&find, &[]).await?.first().and_then(|row| row.first()).map(Cell::shown);
        if mark.is_none() {
            let insert = format!(
                "INSERT INTO {path} (id, job, dataset, policy, batch, made) VALUES ('{id}', {}, {}, {}, 'none', CURRENT_TIMESTAMP)",
                bind(1),
                bind(2),
                bind(3)
            );
            let BatchesOf { job, dataset, policy } = batches.of().clone();
            session.execute(&insert, &[Cell::Text(job), Cell::Text(dataset), Cell::Text(policy)]).await?;
        }
        if !self.dialect.locks_rows() {
            return Ok(mark.unwrap_or_else(|| "none".to_owned()));
        }
        // Whether we may change it is better known before the first batch than in it.
        session.execute(&format!("UPDATE {path} SET made = CURRENT_TIMESTAMP WHERE id = '{id}'"), &[]).await?;
        Ok(mark.unwrap_or_else(|| "none".to_owned()))
    }

    /// The first statement of a batch's transaction: from here on the row's lock is ours.
    pub(crate) async fn mark_batch(&self, session: &mut Session, batch: &str) -> Result<(), StoreFailure> {
        let Some((batches, before)) = self.batches.as_ref().and_then(|batches| Some((batches, batches.get()?))) else {
            return Ok(());
        };
        let binds = [Cell::Text(batch.to_owned()), Cell::Text(before)];
        match session.execute(&self.mark_batch_sql(batches), &binds).await? {
            1 => Ok(()),
            _ => Err(taken_over(&self.batch_label(), batches.of())),
        }
    }

    fn mark_batch_sql(&self, batches: &LastBatch) -> String {
        let (path, id) = (self.batch_path(), batches.of().id());
        let (new, old) = (self.dialect.bind(1), self.dialect.bind(2));
        format!("UPDATE {path} SET batch = {new}, made = CURRENT_TIMESTAMP WHERE id = '{id}' AND batch = {old}")
    }

    /// The batch is committed: the next one replaces its mark.
    pub(crate) fn batch_committed(&self, batch: &str) {
        if let Some(batches) = self.batches.as_ref().filter(|batches| batches.get().is_some()) {
            batches.set(batch);
        }
    }

    /// What became of a batch that was begun where the mark was `before`. Waits for a transaction that is still under way.
    ///
    /// A batch that was rolled back can no longer be committed afterwards: the mark is changed with the answer.
    ///
    /// # Errors
    /// Busy when waiting takes longer than a lock may: nothing is known then.
    pub async fn settle(&self, batch: &str, before: Option<&str>) -> Result<Found, StoreFailure> {
        let (Some(batches), Some(before)) = (&self.batches, before) else { return Ok(Found::Unknown) };
        let mut session = self.store.session(&self.who).await?;
        if !self.has_batch_table(&mut session).await? {
            return Ok(Found::Unknown);
        }
        session.begin().await?;
        let found = self.settle_inside(&mut session, &batches.of().id(), batch, before).await;
        match found {
            Ok(Found::RolledBack) => session.commit().await.map(|()| Found::RolledBack),
            other => {
                session.rollback().await;
                other
            }
        }
    }

    async fn settle_inside(&self, session: &mut Session, id: &str, batch: &str, before: &str) -> Result<Found, StoreFailure> {
        let path = self.batch_path();
        // Where rows are not locked the transaction has the whole file's write lock.
        let lock = if self.dialect.locks_rows() { " FOR UPDATE" } else { "" };
        let marks = session.rows(&format!("SELECT batch FROM {path} WHERE id = '{id}'{lock}"), &[]).await?;
        let Some(mark) = marks.first().and_then(|row| row.first()).map(Cell::shown) else { return Ok(Found::Unknown) };
        let found = Found::of(&mark, batch, before);
        if found == Found::RolledBack {
            let sql = format!("UPDATE {path} SET batch = {} WHERE id = '{id}'", self.dialect.bind(1));
            session.execute(&sql, &[Cell::Text(fence(batch))]).await?;
        }
        Ok(found)
    }

    /// Whether the table is there.
    ///
    /// # Errors
    /// One of that name is there that is not ours.
    async fn has_batch_table(&self, session: &mut Session) -> Result<bool, StoreFailure> {
        let schema: Vec<_> = self.table.schema.iter().cloned().map(Cell::Text).collect();
        let row = session.rows(&self.dialect.mark_table_query(), &schema).await?.into_iter().next().unwrap_or_default();
        let text = |at: usize| row.get(at).filter(|cell| **cell != Cell::Null).map(Cell::shown).unwrap_or_default();
        match (text(0).as_str(), text(1).as_str()) {
            ("", _) => Ok(false),
            (COLUMNS, "id") => Ok(true),
            _ => Err(StoreFailure::refused(
                codes::BATCH_MARK,
                format!("table `{}` has other columns than the one that batches leave their mark in", self.batch_label()),
                "rename that table: the name is steward's, which makes its own and leaves this one alone",
            )),
        }
    }

    /// The statement that makes the table.
    pub(crate) fn batch_table_ddl(&self) -> String {
        let path = self.batch_path();
        let (ascii, text, time, tail) = self.dialect.mark_table_types();
        format!(
            "CREATE TABLE IF NOT EXISTS {path} (id {ascii} NOT NULL PRIMARY KEY, job {text} NOT NULL, dataset {text} NOT NULL, \
             policy {text} NOT NULL, batch {ascii} NOT NULL, made {time} NOT NULL){tail}"
        )
    }

    /// The table, and the first statement of each batch, for whoever wants to read them before they are sent.
    pub(crate) fn batch_mark_statements(&self) -> Vec<String> {
        self.batches.iter().flat_map(|batches| [self.batch_table_ddl(), self.mark_batch_sql(batches)]).collect()
    }

    /// The grants for it, and on PostgreSQL the table itself: making it needs a right on the whole schema there.
    pub(crate) fn batch_table_grants(&self, user: &str) -> Vec<String> {
        if self.batches.is_none() {
            return vec![];
        }
        self.dialect.grant_mark_table(&self.batch_path(), self.batch_table_ddl(), user)
    }

    fn batch_path(&self) -> String {
        self.dialect.path(self.table.schema.as_deref(), BATCH_TABLE)
    }

    fn batch_label(&self) -> String {
        let schema = self.table.schema.as_ref().map(|schema| format!("{schema}.")).unwrap_or_default();
        format!("{}.{schema}{BATCH_TABLE}", self.table.store)
    }
}
