//! What takes room in a store: its tables, and indexes that nobody reads.

use super::dialect::{IndexUse, not_kept};
use super::metrics::{Vital, makes_no_sense, one};
use crate::store::error::StoreFailure;
use crate::store::sql::session::store::Store;
use crate::store::value::Cell;

impl Store {
    /// The bytes of the largest table of the connection's own schema, indexes included; and the largest few.
    ///
    /// # Errors
    /// The store's own.
    pub async fn largest_table(&self, who: &str, samples: u32) -> Result<Vital, StoreFailure> {
        let mut session = self.reading(who).await?;
        let (before, query) = session.dialect().sizes_query();
        if let Some(before) = before {
            session.raw(before).await?;
        }
        let rows = session.rows(query, &[]).await?;
        let shown = |row: &Vec<Cell>| format!("{}: {}", row[1].shown(), bytes(row[0].as_count()));
        Ok(Vital {
            value: rows.first().map_or(0, |row| row[0].as_count()),
            samples: rows.iter().take(samples as usize).map(shown).collect(),
            query: query.to_owned(),
            notes: vec![format!("{} tables", rows.len())],
            nothing_seen: rows.is_empty(),
            ..Vital::default()
        })
    }

    /// Indexes of the connection's own schema that no query has read since the statistics began, and that keep nothing unique.
    ///
    /// # Errors
    /// The store does not keep such statistics: with the way to have it do so.
    pub async fn unused_indexes(&self, who: &str, samples: u32) -> Result<Vital, StoreFailure> {
        let mut session = self.reading(who).await?;
        let Some(IndexUse { from, unused, name, since, needs }) = session.dialect().index_use() else {
            return Err(makes_no_sense(self, "the use of indexes", "it keeps no statistics of it"));
        };
        if let Some((setting, off, way_out)) = needs
            && !one(&mut session, setting).await?[0].as_flag()
        {
            return Err(not_kept(self.name(), off, way_out));
        }
        let query = format!("SELECT COUNT(CASE WHEN {unused} THEN 1 END), COUNT(*) {from}");
        let row = one(&mut session, &query).await?;
        let names = session.rows(&format!("SELECT {name} {from} AND {unused} ORDER BY 1 LIMIT {samples}"), &[]).await?;
        let since = one(&mut session, &since).await?[0].shown();
        Ok(Vital {
            value: row[0].as_count(),
            of: Some(row[1].as_count()),
            samples: names.iter().map(|row| row[0].shown()).collect(),
            query,
            notes: vec![format!("not read since {since}; a replica may read what this server does not")],
            nothing_seen: false,
        })
    }
}

/// Bytes as people read them.
#[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
fn bytes(bytes: u64) -> String {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    match units.iter().find(|(_, size)| bytes as f64 >= *size) {
        Some((unit, size)) => format!("{:.1} {unit}", bytes as f64 / size),
        None => format!("{bytes} B"),
    }
}
