//! Whether every row is where it should be: held against a copy in memory, taken before anything ran.

use super::company::{FILLED, written};
use crate::policy::dataset::DatasetName;
use crate::policy::expiry::Expiring;
use crate::policy::policies::Policies;
use crate::store::error::StoreFailure;
use crate::store::sql::session::store::Store;
use crate::store::value::Cell;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// What a policy that removes rows says, as far as the accounts need it.
#[derive(Debug, Clone)]
pub(super) struct Removing {
    /// The policy.
    pub(super) policy: String,
    /// The table it removes from.
    pub(super) dataset: DatasetName,
    /// Where its rows may be instead.
    archive: Option<DatasetName>,
    clock: String,
}

/// A governed table as it was before the first run.
pub(super) struct Before {
    removing: Removing,
    columns: &'static str,
    rows: Vec<Vec<Cell>>,
    /// Keys of the rows under a hold.
    held: BTreeSet<i64>,
}

/// What became of a table's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accounted {
    /// The table.
    pub(super) table: String,
    /// Rows at the start.
    pub(super) began: usize,
    /// Rows in the table now.
    pub(super) live: usize,
    /// Rows in its archive now, where there is one.
    pub(super) archived: Option<usize>,
    /// Rows past the period for final removal, which no hold keeps: gone by right.
    pub(super) gone: usize,
    /// Rows under a hold, all of them still there.
    pub(super) held: usize,
    /// Rows that should be there and are not, or not as they were.
    pub(super) missing: usize,
    /// Rows that should be gone, or were never there.
    pub(super) surplus: usize,
}

/// Every policy that removes rows for good: lifecycle policies with `delete`, and sessions that expire.
fn removing(policies: &Policies) -> Vec<Removing> {
    let lifecycle = policies.lifecycle.iter().filter(|policy| policy.delete.is_some()).map(|policy| Removing {
        policy: policy.name.clone(),
        dataset: policy.dataset.clone(),
        archive: policy.archive.as_ref().map(|step| step.to.clone()),
        clock: policy.clock.column.clone(),
    });
    let sessions = policies.sessions.iter().filter_map(|expiry| match &expiry.of {
        Expiring::Rows(rows) => Some(Removing {
            policy: expiry.name.clone(),
            dataset: rows.dataset.clone(),
            archive: None,
            clock: rows.expires.column.clone(),
        }),
        Expiring::Keys(_) | Expiring::Permanent(_) => None,
    });
    lifecycle.chain(sessions).collect()
}

/// Copies every table that a policy removes rows from.
pub(super) async fn look(store: &Store, policies: &Policies) -> Result<Vec<Before>, StoreFailure> {
    let mut before = vec![];
    for removing in removing(policies) {
        let Some(table) = FILLED.iter().find(|table| table.name == removing.dataset.table) else { continue };
        let rows = rows(store, table.columns, table.name).await?;
        let mut held = BTreeSet::new();
        for hold in policies.holds.iter().filter(|hold| hold.dataset == removing.dataset) {
            let condition = hold.r#where.as_deref().unwrap_or("true");
            let sql = format!("SELECT id FROM {} WHERE {condition}", table.name);
            held.extend(store.reading("demo").await?.rows(&sql, &[]).await?.iter().filter_map(|row| id(row)));
        }
        before.push(Before { removing, columns: table.columns, rows, held });
    }
    Ok(before)
}

impl Before {
    /// The policy that governs the table.
    pub(super) const fn removing(&self) -> &Removing {
        &self.removing
    }

    /// Rows under a hold.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Rows without a date.
    pub(super) fn undated(&self) -> usize {
        self.rows.iter().filter(|row| row[self.clock()] == Cell::Null).count()
    }

    /// Reads table and archive again, and holds them against the copy. `cutoff` is that of final removal.
    pub(super) async fn account(&self, store: &Store, cutoff: DateTime<Utc>) -> Result<Accounted, StoreFailure> {
        let table = &self.removing.dataset.table;
        let live = rows(store, self.columns, table).await?;
        let archived = match &self.removing.archive {
            Some(archive) => Some(rows(store, self.columns, &archive.table).await?),
            None => None,
        };
        Ok(self.compare(&live, archived.as_deref(), cutoff))
    }

    fn compare(&self, live: &[Vec<Cell>], archived: Option<&[Vec<Cell>]>, cutoff: DateTime<Utc>) -> Accounted {
        let (gone, stays): (Vec<_>, Vec<_>) = self.rows.iter().partition(|row| self.is_gone(row, cutoff));
        // A row in both places is one too many: the second takes nothing off the list of those that should be there.
        let mut expected: Vec<&Vec<Cell>> = stays;
        expected.sort_by_key(|row| id(row));
        let mut surplus = 0;
        let mut found = BTreeSet::new();
        for row in live.iter().chain(archived.unwrap_or_default()) {
            let at = expected.binary_search_by_key(&id(row), |expected| id(expected));
            let right = at.is_ok_and(|at| expected[at] == row && found.insert(at));
            surplus += usize::from(!right);
        }
        Accounted {
            table: self.removing.dataset.table.clone(),
            began: self.rows.len(),
            live: live.len(),
            archived: archived.map(<[_]>::len),
            gone: gone.len(),
            held: self.held.len(),
            missing: expected.len() - found.len(),
            surplus,
        }
    }

    fn is_gone(&self, row: &[Cell], cutoff: DateTime<Utc>) -> bool {
        let past = row[self.clock()].as_text().is_some_and(|clock| clock < written(cutoff).as_str());
        past && !id(row).is_some_and(|id| self.held.contains(&id))
    }

    /// Which column is the clock. The demo's own policies and tables agree on it.
    fn clock(&self) -> usize {
        self.columns.split(", ").position(|column| column == self.removing.clock).unwrap_or(0)
    }
}

impl Accounted {
    /// True when every row is where it should be, and as it was.
    pub(super) const fn is_right(&self) -> bool {
        self.missing == 0 && self.surplus == 0
    }
}

async fn rows(store: &Store, columns: &str, table: &str) -> Result<Vec<Vec<Cell>>, StoreFailure> {
    store.reading("demo").await?.rows(&format!("SELECT {columns} FROM {table} ORDER BY id"), &[]).await
}

fn id(row: &[Cell]) -> Option<i64> {
    match row.first() {
        Some(Cell::Int(id)) => Some(*id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Row 1 is overdue, row 2 overdue and held, row 3 young, row 4 without a date.
    fn before() -> Before {
        let row = |id, clock: Option<&str>| vec![Cell::Int(id), Cell::text_or_null(clock)];
        let removing = Removing { policy: "p".into(), dataset: "s.t".parse().unwrap(), archive: None, clock: "at".into() };
        let old = Some("2020-01-01 00:00:00");
        let rows = vec![row(1, old), row(2, old), row(3, Some("2026-01-01 00:00:00")), row(4, None)];
        Before { removing, columns: "id, at", rows, held: BTreeSet::from([2]) }
    }

    fn compared(live: &[Vec<Cell>], archived: &[Vec<Cell>]) -> (usize, usize) {
        let cutoff = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let found = before().compare(live, Some(archived), cutoff);
        assert_eq!(found.is_right(), (found.missing, found.surplus) == (0, 0));
        (found.missing, found.surplus)
    }

    #[test]
    fn a_row_lost_kept_too_long_altered_or_doubled_is_seen() {
        let rows = before().rows;
        assert_eq!(compared(&rows[1..], &[]), (0, 0));
        assert_eq!(compared(&rows[1..3], &rows[3..]), (0, 0), "live or archived");
        assert_eq!(compared(&rows[2..], &[]), (1, 0), "the held row is lost");
        assert_eq!(compared(&rows, &[]), (0, 1), "the overdue row is still there");
        assert_eq!(compared(&rows[1..], &rows[3..]), (0, 1), "a row is in both places");
        let mut altered = rows[1..].to_vec();
        altered[0][1] = Cell::Text("2020-01-02 00:00:00".into());
        assert_eq!(compared(&altered, &[]), (1, 1), "a row is altered");
    }
}
