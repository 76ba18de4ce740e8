//! The last look of a batch, where something may fire that is not ours: what was proved must still be so right before the COMMIT.
//!
//! A trigger may put rows back, or empty the archive after it was read. Where none can fire, not one statement is added.

use super::archive::Archive;
use super::key_table::Keys;
use super::rows::Rows;
use crate::diagnostic::codes;
use crate::store::error::StoreFailure;
use crate::store::sql::session::connection::Session;
use crate::store::value::Cell;
use sha2::{Digest, Sha256};

/// The digest of a batch's copies, in no order. Compared with another of the same batch alone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Copies(Vec<Vec<Cell>>);

impl Rows {
    /// What the archive holds of the batch; none where nothing may fire.
    pub(crate) async fn copies(
        &self,
        session: &mut Session,
        keys: &Keys,
        archive: &Archive,
    ) -> Result<Option<Copies>, StoreFailure> {
        if self.fires().is_empty() {
            return Ok(None);
        }
        let sql = self.copies_sql(keys, archive);
        if !self.dialect.copies_are_rows() {
            return Ok(Some(Copies(session.rows(&sql, &[]).await?)));
        }
        // The store has no digest of its own.
        let mut digests = vec![];
        session.each(&sql, &[], |row| digests.push(vec![Cell::Bytes(Sha256::digest(format!("{row:?}")).to_vec())])).await?;
        digests.sort_by_key(|row| row.first().map(Cell::shown));
        Ok(Some(Copies(digests)))
    }

    pub(crate) fn copies_sql(&self, keys: &Keys, archive: &Archive) -> String {
        let from = keys.joined_to(self.dialect, &archive.path(self.dialect), "steward_a");
        let names: Vec<_> =
            archive.shared.iter().map(|column| format!("steward_a.{}", self.dialect.quote(&column.name))).collect();
        self.dialect.copies_query(&archive.shared, &names, &from)
    }

    /// Refuses to commit when rows that were removed stand there again, or copies are not what was read back.
    ///
    /// Triggers that wait for the COMMIT fire now.
    pub(crate) async fn must_stay_so(
        &self,
        session: &mut Session,
        keys: &Keys,
        copies: Option<(&Archive, Copies)>,
    ) -> Result<(), StoreFailure> {
        if self.fires().is_empty() {
            return Ok(());
        }
        self.fire_what_waits(session).await?;
        let back = session.count(&self.back_sql(keys), &[]).await?;
        if back > 0 {
            return Err(self.undone(&format!("{back} rows of `{}` were there again after their removal", self.table.label())));
        }
        if let Some((archive, before)) = copies
            && self.copies(session, keys, archive).await? != Some(before)
        {
            let path = archive.path(self.dialect);
            return Err(self.undone(&format!("copies in archive {path} changed or went after they were read back")));
        }
        Ok(())
    }

    /// Has deferred triggers and constraints fire before the last look.
    pub(crate) async fn fire_what_waits(&self, session: &mut Session) -> Result<(), StoreFailure> {
        match self.dialect.fire_deferred() {
            Some(fire) if !self.fires().is_empty() => session.raw(fire).await,
            _ => Ok(()),
        }
    }

    /// The statements of the last look, to be shown.
    pub(crate) fn last_look_sql(&self, keys: &Keys, archive: Option<&Archive>) -> Vec<String> {
        if self.fires().is_empty() {
            return vec![];
        }
        let waiting = self.dialect.fire_deferred().map(str::to_owned);
        let copies = archive.map(|archive| self.copies_sql(keys, archive));
        waiting.into_iter().chain([self.back_sql(keys)]).chain(copies).collect()
    }

    fn back_sql(&self, keys: &Keys) -> String {
        format!("SELECT COUNT(*) FROM {}", keys.joined(self))
    }

    pub(crate) fn undone(&self, what: &str) -> StoreFailure {
        StoreFailure::refused(
            codes::UNDONE,
            format!("{what}; the batch was rolled back, and nothing was removed or changed"),
            format!("look at what fires meanwhile: {}", self.fires().join(", ")),
        )
    }

    fn fires(&self) -> &[String] {
        self.effects.as_ref().map(|effects| effects.fires.as_slice()).unwrap_or_default()
    }
}
