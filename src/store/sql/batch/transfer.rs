//! Carries out one page: copies its rows to the archive, proves the copy, and removes them; or only removes them.
//!
//! Everything about a page happens in one transaction on one connection, so a crash leaves either all of it or nothing.
//! The rows never travel: only their keys do, into a temporary table that every statement joins.

use super::archive::Archive;
use super::key_table::{Keys, keys_first};
use super::rows::Rows;
use crate::store::error::StoreFailure;
use crate::store::holds::Holds;
use crate::store::page::Page;
use crate::store::sql::session::connection::Session;
use crate::store::value::Cell;
use std::collections::HashSet;

/// What became of a page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Carried {
    /// Rows copied to the archive and read back.
    pub archived: u64,
    /// Rows that the archive held already, with the same content.
    pub already_archived: u64,
    /// Rows removed: always `archived + already_archived` when there is an archive.
    pub removed: u64,
    /// Rows marked in place.
    pub marked: u64,
    /// Rows that were on the page and no longer may go: changed, held or gone since it was read.
    pub changed: u64,
    /// Rows that another transaction holds: they stay for now.
    pub locked: Option<Page>,
    /// Keys under which the archive holds other content; their rows stay.
    pub conflicts: Vec<Vec<String>>,
    /// The digest that both sides agreed on, where the engine can give one; order does not matter to it.
    pub digest: Option<String>,
}

/// What of a page is locked now.
pub(crate) struct Frozen {
    /// The keys of the rows that may go.
    pub(crate) keys: Vec<Vec<Cell>>,
    /// Rows that another transaction holds.
    pub(crate) locked: Option<Page>,
    /// Rows that no longer may go.
    pub(crate) changed: u64,
}

impl Rows {
    /// Removes the rows of a page for good, those of them that still may go.
    ///
    /// The whole predicate, holds included, is repeated in the removing statement. Busy means: rolled back, try again.
    pub async fn remove(&self, page: &Page, batch: &str, holds: &Holds) -> Result<Carried, StoreFailure> {
        let mut session = self.changing().await?;
        let keys = self.begin_batch(&mut session, batch).await?;
        let done = self.remove_inside(&mut session, &keys, page, holds).await;
        self.finish(session, batch, done).await
    }

    async fn remove_inside(
        &self,
        session: &mut Session,
        keys: &Keys,
        page: &Page,
        holds: &Holds,
    ) -> Result<Carried, StoreFailure> {
        let frozen = self.freeze(session, keys, page, holds).await?;
        let mut carried = Carried { changed: frozen.changed, locked: frozen.locked, ..Carried::default() };
        carried.removed = self.remove_frozen(session, keys, frozen.keys.len(), holds).await?;
        self.must_stay_so(session, keys, None).await?;
        Ok(carried)
    }

    /// Moves the rows of a page to the archive: freeze, copy, read back, remove, and all of it or nothing.
    ///
    /// Held by `nothing_is_removed_that_is_not_provably_copied`.
    pub async fn archive(&self, page: &Page, archive: &Archive, batch: &str, holds: &Holds) -> Result<Carried, StoreFailure> {
        let mut session = self.changing().await?;
        let keys = self.begin_batch(&mut session, batch).await?;
        let done = self.archive_inside(&mut session, &keys, page, archive, batch, holds).await;
        self.finish(session, batch, done).await
    }

    /// The statements of one batch in their order, for whoever wants to read them before they are sent. The keys of a
    /// batch are filled into a temporary table of the connection's own in between.
    pub fn batch_sql(&self, archive: Option<&Archive>, holds: &Holds) -> Vec<String> {
        let (keys, create) = Keys::of(self);
        let mut statements = vec![create];
        statements.extend(self.batch_mark_statements());
        statements.push(self.freeze_sql(&keys, holds));
        if let Some(archive) = archive {
            statements.push(self.copy_sql(&keys, archive, "BATCH", false));
            match self.digest_sql(&keys, archive) {
                Some(digests) => statements.extend(digests),
                None => statements.push(self.same_sql(&keys, archive, false)),
            }
        }
        statements.push(self.remove_sql(&keys, holds));
        statements.extend(self.last_look_sql(&keys, archive));
        statements
    }

    async fn archive_inside(
        &self,
        session: &mut Session,
        keys: &Keys,
        page: &Page,
        archive: &Archive,
        batch: &str,
        holds: &Holds,
    ) -> Result<Carried, StoreFailure> {
        let frozen = self.freeze(session, keys, page, holds).await?;
        let mut going = frozen.keys;
        let mut carried = Carried { changed: frozen.changed, locked: frozen.locked, ..Carried::default() };
        let there = self.already_there(session, keys, archive).await?;
        if !there.is_empty() {
            let same = self.the_same(session, keys, archive, true).await?;
            // By their text: a cell may hold a real, and reals have no hash.
            let by_text = |keys: &[Vec<Cell>]| keys.iter().map(|key| format!("{key:?}")).collect::<HashSet<_>>();
            let (there, alike) = (by_text(&there), by_text(&same));
            let conflicts = |key: &Vec<Cell>| {
                let text = format!("{key:?}");
                there.contains(&text) && !alike.contains(&text)
            };
            let (conflicting, rest): (Vec<_>, Vec<_>) = going.into_iter().partition(conflicts);
            carried.already_archived = same.len() as u64;
            carried.conflicts = conflicting.iter().map(|key| key.iter().map(Cell::shown).collect()).collect();
            going = rest;
            keys.fill(session, &going).await?;
        }
        carried.archived = self.copy(session, keys, archive, batch, !there.is_empty()).await?;
        self.must_hold(carried.archived + carried.already_archived, going.len(), "copied")?;
        carried.digest = self.read_back(session, keys, archive, going.len()).await?;
        let copies = self.copies(session, keys, archive).await?.map(|copies| (archive, copies));
        carried.removed = self.remove_frozen(session, keys, going.len(), holds).await?;
        self.must_stay_so(session, keys, copies).await?;
        Ok(carried)
    }

    /// Locks those rows of the page that still may go, and keeps only their keys. A row that another transaction holds is not waited
    /// for: the others go.
    pub(crate) async fn freeze(
        &self,
        session: &mut Session,
        keys: &Keys,
        page: &Page,
        holds: &Holds,
    ) -> Result<Frozen, StoreFailure> {
        let wanted = page.keys();
        keys.fill(session, &wanted).await?;
        let frozen = session.rows(&self.freeze_sql(keys, holds), &[]).await?;
        let mut locked = None;
        if frozen.len() != wanted.len() {
            locked = self.held_by_others(session, keys, page, &frozen, holds).await?;
            keys.fill(session, &frozen).await?;
        }
        let frozen = self.without_blocked(session, keys, frozen).await?;
        let others = frozen.len() as u64 + locked.as_ref().map_or(0, Page::rows);
        Ok(Frozen { changed: page.rows().saturating_sub(others), keys: frozen, locked })
    }

    /// Rows of the page that may go and could not be locked. The keys of the whole page are in their table.
    async fn held_by_others(
        &self,
        session: &mut Session,
        keys: &Keys,
        page: &Page,
        frozen: &[Vec<Cell>],
        holds: &Holds,
    ) -> Result<Option<Page>, StoreFailure> {
        if !self.dialect.locks_rows() {
            return Ok(None);
        }
        let frozen: HashSet<String> = frozen.iter().map(|key| format!("{key:?}")).collect();
        let mut there = session.rows(&self.may_go_sql(keys, holds), &[]).await?;
        there.retain(|key| !frozen.contains(&format!("{key:?}")));
        Ok(if there.is_empty() { None } else { page.only(&there) })
    }

    pub(crate) fn freeze_sql(&self, keys: &Keys, holds: &Holds) -> String {
        self.may_go_sql(keys, holds) + &self.dialect.lock_free_rows(&self.table.name)
    }

    fn may_go_sql(&self, keys: &Keys, holds: &Holds) -> String {
        let (keys, from) = (keys.outgoing(), keys.joined(self));
        format!("SELECT {keys} FROM {from} WHERE {}{}", self.may_go(holds), self.unblocked())
    }

    async fn already_there(&self, session: &mut Session, keys: &Keys, archive: &Archive) -> Result<Vec<Vec<Cell>>, StoreFailure> {
        let sql = format!(
            "SELECT {} FROM {} ",
            keys.outgoing(),
            keys.joined_to(self.dialect, &archive.path(self.dialect), "steward_a")
        );
        session.rows(&sql, &[]).await
    }

    /// Keys whose row and copy are the same, byte for byte.
    async fn the_same(
        &self,
        session: &mut Session,
        keys: &Keys,
        archive: &Archive,
        list: bool,
    ) -> Result<Vec<Vec<Cell>>, StoreFailure> {
        session.rows(&self.same_sql(keys, archive, list), &[]).await
    }

    fn same_sql(&self, keys: &Keys, archive: &Archive, list: bool) -> String {
        let path = self.dialect.table(&self.table);
        let alike = archive.shared.iter().map(|column| {
            let name = self.dialect.quote(&column.name);
            self.dialect.same(&format!("{path}.{name}"), &format!("steward_a.{name}"), column)
        });
        let wanted = if list { keys.outgoing() } else { "COUNT(*)".to_owned() };
        format!(
            "SELECT {wanted} FROM {} {} WHERE {}",
            keys.joined(self),
            keys.join(self.dialect, &archive.path(self.dialect), "steward_a"),
            alike.collect::<Vec<_>>().join(" AND ")
        )
    }

    async fn copy(
        &self,
        session: &mut Session,
        keys: &Keys,
        archive: &Archive,
        batch: &str,
        some_are_there: bool,
    ) -> Result<u64, StoreFailure> {
        session.execute(&self.copy_sql(keys, archive, batch, some_are_there), &[]).await
    }

    fn copy_sql(&self, keys: &Keys, archive: &Archive, batch: &str, some_are_there: bool) -> String {
        let path = self.dialect.table(&self.table);
        let names: Vec<_> = archive.written.iter().map(|column| self.dialect.quote(&column.name)).collect();
        let mut values: Vec<_> = names.iter().map(|name| format!("{path}.{name}")).collect();
        let mut columns = names;
        if archive.keeps_batch {
            columns.push(self.dialect.quote(super::archive_ddl::BATCH_COLUMN));
            // A batch's id is ours: hexadecimal digits and dashes.
            values.push(format!("'{batch}'"));
        }
        let overriding = self.dialect.overriding_identity();
        let only_new = if some_are_there {
            format!(
                " WHERE NOT EXISTS (SELECT 1 FROM {} steward_b WHERE {})",
                archive.path(self.dialect),
                keys.matches(self.dialect, "steward_b")
            )
        } else {
            String::new()
        };
        format!(
            "INSERT INTO {} ({}){overriding} SELECT {} FROM {}{only_new}",
            archive.path(self.dialect),
            columns.join(", "),
            values.join(", "),
            keys.joined(self)
        )
    }

    /// Reads the copy back: every row must be there and be the same.
    ///
    /// By counts and a digest of the rows on both sides where the store has one that is faster; else value by value.
    async fn read_back(
        &self,
        session: &mut Session,
        keys: &Keys,
        archive: &Archive,
        rows: usize,
    ) -> Result<Option<String>, StoreFailure> {
        let Some([of_source, of_copy]) = self.digest_sql(keys, archive) else {
            let same = self.the_same(session, keys, archive, false).await?;
            let same = same.first().and_then(|row| row.first()).map_or(0, Cell::as_count);
            self.must_hold(same, rows, "read back the same")?;
            return Ok(None);
        };
        let source = session.rows(&of_source, &[]).await?;
        let copy = session.rows(&of_copy, &[]).await?;
        let count = copy.first().and_then(|row| row.first()).map_or(0, Cell::as_count);
        self.must_hold(if source == copy { count } else { 0 }, rows, "read back the same")?;
        Ok(copy.first().and_then(|row| row.get(1)).map(Cell::shown))
    }

    /// The same digest of the frozen rows and of their copies, where the store has one.
    pub(crate) fn digest_sql(&self, keys: &Keys, archive: &Archive) -> Option<[String; 2]> {
        let names = |from: &str| {
            let columns = archive.shared.iter().map(|column| format!("{from}.{}", self.dialect.quote(&column.name)));
            columns.collect::<Vec<_>>()
        };
        let copies = keys.joined_to(self.dialect, &archive.path(self.dialect), "steward_a");
        let of_source = self.dialect.row_digest(&names(&self.dialect.table(&self.table)), &keys.joined(self))?;
        Some([of_source, self.dialect.row_digest(&names("steward_a"), &copies)?])
    }

    async fn remove_frozen(&self, session: &mut Session, keys: &Keys, rows: usize, holds: &Holds) -> Result<u64, StoreFailure> {
        if rows == 0 {
            return Ok(0);
        }
        if self.effects.is_none() {
            let text = format!("rows of `{}` were not made ready to be removed; nothing was removed", self.table.label());
            return Err(StoreFailure::Failed { store: self.table.store.clone(), text });
        }
        let removed = session.execute(&self.remove_sql(keys, holds), &[]).await?;
        self.must_hold(removed, rows, "removed")?;
        Ok(removed)
    }

    pub(crate) fn remove_sql(&self, keys: &Keys, holds: &Holds) -> String {
        self.dialect.delete(&keys.rows(self), &self.may_go(holds))
    }

    /// Begins a batch's transaction: its mark first, so that whoever settles it waits for all of it. With the table for its keys:
    /// before the transaction where it stays with the connection, as MySQL wants it under GTIDs; inside it where it goes with it.
    pub(crate) async fn begin_batch(&self, session: &mut Session, batch: &str) -> Result<Keys, StoreFailure> {
        let (keys, create) = Keys::of(self);
        if !self.dialect.drops_keys_at_commit() {
            session.raw(&create).await?;
        }
        session.begin().await?;
        self.mark_batch(session, batch).await?;
        if self.dialect.drops_keys_at_commit() {
            session.raw(&create).await?;
        }
        keys_first(session).await?;
        Ok(keys)
    }

    /// Commits what was done, or rolls all of it back.
    pub(crate) async fn finish(
        &self,
        session: Session,
        batch: &str,
        done: Result<Carried, StoreFailure>,
    ) -> Result<Carried, StoreFailure> {
        match done {
            Ok(carried) => {
                session.commit().await?;
                self.batch_committed(batch);
                Ok(carried)
            }
            Err(failure) => {
                session.rollback().await;
                Err(failure)
            }
        }
    }

    /// What is not so ends the batch: the transaction is rolled back and the rows stay.
    pub(crate) fn must_hold(&self, found: u64, wanted: usize, what: &str) -> Result<(), StoreFailure> {
        if found == wanted as u64 {
            return Ok(());
        }
        Err(StoreFailure::Failed {
            store: self.table.store.clone(),
            text: format!(
                "{found} of {wanted} rows of `{}` were {what}; the batch was rolled back and nothing was {}",
                self.table.label(),
                if self.marks.is_empty() { "removed" } else { "changed" }
            ),
        })
    }
}
