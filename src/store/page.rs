//! The next few rows, keys or nodes, frozen by their places in the walk.

use super::value::{Cell, Cursor};
use std::collections::HashSet;

/// The next few due rows, frozen by their places in the walk: the clock, where the walk follows it, and the key.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    places: Vec<Cursor>,
    key_at: usize,
}

impl Page {
    /// A page of places; the key of each begins at `key_at`. None of nothing.
    pub fn of(places: Vec<Cursor>, key_at: usize) -> Option<Self> {
        (!places.is_empty()).then_some(Self { places, key_at })
    }

    /// Rows on the page; never none.
    pub fn rows(&self) -> u64 {
        self.places.len() as u64
    }

    /// Each row's key.
    pub fn keys(&self) -> Vec<Vec<Cell>> {
        self.places.iter().map(|place| place[self.key_at..].to_vec()).collect()
    }

    /// Where the first row stands.
    pub fn first(&self) -> &[Cell] {
        self.places.first().map_or(&[], Vec::as_slice)
    }

    /// Where the last row stands: the next page begins behind it.
    pub fn last(&self) -> &[Cell] {
        self.places.last().map_or(&[], Vec::as_slice)
    }

    /// Those of its rows that bear these keys; none of none.
    pub fn only(&self, keys: &[Vec<Cell>]) -> Option<Self> {
        // By their text: a cell may hold a real, and reals have no hash.
        let wanted: HashSet<String> = keys.iter().map(|key| format!("{key:?}")).collect();
        let bears = |place: &&Cursor| place.get(self.key_at..).is_some_and(|key| wanted.contains(&format!("{key:?}")));
        let places: Vec<Cursor> = self.places.iter().filter(bears).cloned().collect();
        // A store may write a key in another way where it wrote it down.
        if places.len() == keys.len() { Self::of(places, self.key_at) } else { Self::of(keys.to_vec(), 0) }
    }

    /// The first rows, at least one, and the rest if there is any.
    pub fn split(mut self, rows: u64) -> (Self, Option<Self>) {
        let at = usize::try_from(rows).unwrap_or(usize::MAX).max(1);
        if at >= self.places.len() {
            return (self, None);
        }
        let rest = Self { places: self.places.split_off(at), key_at: self.key_at };
        (self, Some(rest))
    }
}

/// Which places of a walk may be written to the ledger, where no personal data belongs (promise 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// Types that hold numbers and dates only.
    Everything,
    /// SQLite's columns have no type to go by: those values that are a number or a date.
    PlainValues,
    /// So many cells at the beginning of a place; what stands behind them names a key.
    First(usize),
    /// A field is secret, or text of unknown content.
    Nothing,
}

impl Keeps {
    /// The place, when it may be written down.
    pub fn place<'a>(&self, place: &'a [Cell]) -> Option<&'a [Cell]> {
        match self {
            Self::Everything => Some(place),
            Self::PlainValues => place.iter().all(Cell::is_plain).then_some(place),
            Self::First(cells) => place.get(..*cells),
            Self::Nothing => None,
        }
    }
}
