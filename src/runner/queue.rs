//! The rows that come next: read ahead in one go, handed out in batches, halved where a batch fails.

use crate::action::{Action, Context};
use crate::store::error::StoreFailure;
use crate::store::page::Page;
use crate::store::value::Cursor;

/// Rows read at once. Many rows can bear one date, and sorting that day's rows anew for every batch would take longer than
/// moving them. Keys only, so a few megabytes; what changes before its batch comes is seen when the batch locks it.
const AHEAD: u64 = 20_000;

/// The rows that come next.
#[derive(Debug)]
pub struct Queue {
    /// Where the last row that was handed out stands.
    cursor: Option<Cursor>,
    /// The same before that row's batch; none when it was a part of another.
    before: Option<Option<Cursor>>,
    ahead: Option<Page>,
    /// Parts of batches that failed, the next one last.
    parts: Vec<Page>,
    /// The walk is over: what comes now was put aside on it.
    late: bool,
}

impl Queue {
    /// Begins behind a place of the walk; at its beginning when there is none.
    pub const fn behind(cursor: Option<Cursor>) -> Self {
        Self { cursor, before: None, ahead: None, parts: vec![], late: false }
    }

    /// The next batch, at most `rows`; `None` when there are no more. Reads from the store when nothing is left of what it read.
    pub async fn next<A: Action>(&mut self, action: &A, cx: &Context, rows: u64) -> Result<Option<Page>, StoreFailure> {
        self.before = None;
        if let Some(part) = self.parts.pop() {
            return Ok(Some(part));
        }
        let page = match self.ahead.take() {
            Some(page) => Some(page),
            None => action.next(cx, self.cursor.as_ref(), AHEAD.max(rows)).await?,
        };
        Ok(page.map(|page| {
            let (batch, rest) = page.split(rows);
            self.ahead = rest;
            self.before = Some(self.cursor.replace(batch.last().to_vec()));
            batch
        }))
    }

    /// True when the batch that was handed out last is the furthest in the walk: a pass may note its place.
    pub const fn in_order(&self) -> bool {
        self.parts.is_empty() && !self.late
    }

    /// Takes back what was put aside, once the walk is over.
    pub fn take_again(&mut self, pages: Vec<Page>) {
        self.parts.extend(pages.into_iter().rev());
        self.late = true;
    }

    /// Takes a batch back in two halves, to find the row that fails.
    ///
    /// # Errors
    /// It has one row only: here it is.
    pub fn halve(&mut self, batch: Page) -> Result<(), Page> {
        let half = batch.rows().div_ceil(2);
        match batch.split(half) {
            (first, Some(rest)) => {
                self.parts.extend([rest, first]);
                Ok(())
            }
            (row, None) => Err(row),
        }
    }

    /// Takes back a batch that was not begun, since the holds in force are others now: its rows are read again. Those of a part
    /// are looked at again when they are locked.
    pub fn give_back(&mut self, batch: Page) {
        self.ahead = None;
        match self.before.take() {
            Some(before) => self.cursor = before,
            None => self.parts.push(batch),
        }
    }

    /// Forgets what was read and not handed out: the holds in force are others now.
    pub fn read_again(&mut self) {
        self.ahead = None;
    }
}
