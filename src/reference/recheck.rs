//! Ids that stood alone when they were read: each is asked for once more on both sides before anything is said about it.

use super::diff::Way;
use super::external_sort::Sorter;
use super::order::Key;
use super::side::Side;
use super::stream::{Keyed, no_room};
use crate::store::error::StoreFailure;

/// Ids asked for at once.
const BATCH: usize = 1_000;
/// Bytes of memory for those that wait, of each way.
const HELD: usize = 2 * 1024 * 1024;

/// The suspects of one way.
pub(crate) struct Suspects<'a> {
    way: Way,
    keyed: Keyed,
    /// The side they were seen on, and the one they were not.
    seen_on: &'a Side,
    missing_on: &'a Side,
    /// They can only be told young or old by waiting.
    wait: bool,
    batch: Vec<String>,
    waiting: Sorter,
    /// How many wait.
    pub(crate) kept: u64,
    /// How many are missing indeed.
    pub(crate) found: u64,
    /// The first few of them, bare.
    pub(crate) samples: Vec<String>,
    most: usize,
}

impl<'a> Suspects<'a> {
    /// None yet. `settle`: only what is old enough counts.
    pub(crate) fn new(way: Way, (from, to): (&'a Side, &'a Side), keyed: Keyed, settle: bool, most: usize) -> Self {
        let (seen_on, missing_on) = if way == Way::From { (from, to) } else { (to, from) };
        Self {
            way,
            keyed,
            seen_on,
            missing_on,
            wait: settle && !seen_on.is_dated(),
            batch: vec![],
            waiting: Sorter::holding(HELD),
            kept: 0,
            found: 0,
            samples: vec![],
            most,
        }
    }

    pub(crate) const fn way(&self) -> Way {
        self.way
    }

    /// Takes a suspect.
    pub(crate) async fn take(&mut self, key: Key<'_>) -> Result<(), StoreFailure> {
        if self.wait {
            self.kept += 1;
            return self.waiting.push(key).map_err(|error| no_room(&error));
        }
        match String::from_utf8(key.id()) {
            Ok(id) => self.batch.push(id),
            // No table and no graph holds such an id, and none can be asked for it.
            Err(error) => self.is_missing(String::from_utf8_lossy(error.as_bytes()).into_owned()),
        }
        if self.batch.len() >= BATCH { self.confirm().await } else { Ok(()) }
    }

    /// Asks for those that waited, now that they are old enough.
    pub(crate) async fn look_again(&mut self) -> Result<(), StoreFailure> {
        self.wait = false;
        let mut waiting =
            std::mem::replace(&mut self.waiting, Sorter::holding(HELD)).finish().map_err(|error| no_room(&error))?;
        while let Some(key) = waiting.next().map_err(|error| no_room(&error))? {
            self.take(key).await?;
        }
        self.confirm().await
    }

    /// Asks for the rest. First where they are missed, then where they were seen: what came or went meanwhile is no finding.
    pub(crate) async fn confirm(&mut self) -> Result<(), StoreFailure> {
        let mut ids = std::mem::take(&mut self.batch);
        if ids.is_empty() {
            return Ok(());
        }
        let come = self.missing_on.present(&ids, self.keyed, false).await?;
        ids.retain(|id| !come.contains(id));
        let still = self.seen_on.present(&ids, self.keyed, true).await?;
        for id in ids.into_iter().filter(|id| still.contains(id)) {
            self.is_missing(id);
        }
        Ok(())
    }

    fn is_missing(&mut self, id: String) {
        self.found += 1;
        if self.samples.len() < self.most {
            self.samples.push(id);
        }
    }
}
