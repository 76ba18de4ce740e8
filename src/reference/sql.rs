//! A column of a table as one side of a reference.

use super::id_walk::Walk;
use super::stream::{self, IdStream, Keyed};
use crate::policy::checks::field::ReferenceEnd;
use crate::policy::lifecycle::Clock;
use crate::store::error::StoreFailure;
use crate::store::sql::query::id_lookup::Presence;
use crate::store::sql::query::table_query::Looked;
use crate::store::sql::schema::catalog;
use crate::store::sql::schema::id_column::IdKind;
use crate::store::sql::schema::table::Table;
use crate::store::sql::session::connection::Session;
use crate::store::sql::session::store::Store;
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use tokio::task::JoinSet;

/// What dates a row or a node when a check names none.
pub(crate) const USUAL_CLOCK: &str = "created_at";

/// A column of a table.
#[derive(Debug, Clone)]
pub struct TableSide {
    presence: Presence,
    walk: Walk,
    /// True for rows old enough to count; none where nothing dates them, or nobody asked.
    settled: Option<String>,
    notes: Vec<String>,
}

impl TableSide {
    /// Finds the column, tries the condition out and, where only what is older than `settled_before` counts, finds what dates
    /// a row: the clock that is named, else `created_at` where there is such a column.
    pub(crate) async fn at(
        store: &Store,
        who: &str,
        end: &ReferenceEnd,
        column: &str,
        settled_before: Option<DateTime<Utc>>,
    ) -> Result<Self, StoreFailure> {
        let (dataset, condition) = (&end.field.dataset, end.r#where.as_deref());
        let mut looked = Looked::at(store, who, dataset, condition).await?;
        let presence = Presence::of(store, who, &mut looked, column, condition).await?;
        let (dialect, table) = (looked.dialect(), looked.table().clone());
        // Its session goes back before another one is asked for: a store may lend one connection only.
        drop(looked);
        let walk = Walk::of(store, who, dialect, &table, table.column(column)?, condition);
        let mut side = Self { presence, notes: walk.note().into_iter().collect(), walk, settled: None };
        if let Some(before) = settled_before {
            side.date(&mut store.reading(who).await?, &table, end.clock.as_ref(), before).await?;
        }
        Ok(side)
    }

    async fn date(
        &mut self,
        session: &mut Session,
        table: &Table,
        named: Option<&Clock>,
        before: DateTime<Utc>,
    ) -> Result<(), StoreFailure> {
        let usual = Clock { column: USUAL_CLOCK.into(), zone: None, unit: None };
        if named.is_none() && table.column(USUAL_CLOCK).is_err() {
            return Ok(());
        }
        let clock = named.unwrap_or(&usual);
        let kind = match catalog::clock_kind(session, table, clock).await {
            // Nobody said that it dates the rows.
            Err(StoreFailure::Refused { .. }) if named.is_none() => return Ok(()),
            kind => kind?,
        };
        let column = table.column(&clock.column)?;
        let dialect = session.dialect();
        let name = format!("{}.{}", dialect.table(table), dialect.quote(&column.name));
        let old = format!("NOT {} OR {name} < {}", kind.dated(dialect, &name), kind.cutoff(dialect, column, before));
        self.notes.push(format!("rows of `{}` are dated by `{}`", table.label(), clock.column));
        self.settled = Some(old);
        Ok(())
    }

    /// All rows that count.
    pub(crate) async fn things(&self) -> Result<u64, StoreFailure> {
        self.presence.rows().await
    }

    pub(crate) const fn id(&self) -> IdKind {
        self.presence.id()
    }

    pub(crate) const fn is_dated(&self) -> bool {
        self.settled.is_some()
    }

    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(crate) fn stream(&self, keyed: Keyed, tasks: &mut JoinSet<()>) -> IdStream {
        let (sink, stream) = stream::pair();
        tasks.spawn(self.walk.clone().run(keyed, sink));
        stream
    }

    pub(crate) const fn is_in_order(&self) -> bool {
        self.walk.is_in_order()
    }

    /// Those of the ids that are there; of those, when `settled`, the ones that are old enough to count.
    pub(crate) async fn present(&self, ids: &[String], keyed: Keyed, settled: bool) -> Result<HashSet<String>, StoreFailure> {
        let also = self.settled.as_deref().filter(|_| settled);
        let mut found = self.presence.among(ids, also, false).await?;
        if !keyed.folds() || self.id().folds() || found.len() == ids.len() {
            return Ok(found);
        }
        // Text against a type without letter case: first as an index finds it, and only then by reading the table.
        let missing = |found: &HashSet<String>| ids.iter().filter(|id| !found.contains(*id)).cloned().collect::<Vec<_>>();
        let upper: Vec<String> = missing(&found).iter().map(|id| id.to_ascii_uppercase()).collect();
        found.extend(self.presence.among(&upper, also, false).await?.iter().map(|id| id.to_ascii_lowercase()));
        let rest = missing(&found);
        if !rest.is_empty() {
            found.extend(self.presence.among(&rest, also, true).await?);
        }
        Ok(found)
    }
}
