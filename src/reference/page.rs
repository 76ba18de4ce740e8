//! Some ids in one piece of memory.

use super::order::Key;

/// Keys of ids, one behind the other: no allocation per id. Numbers stand before everything else, as they do in the shared
/// order, so a page that is filled in order is in order, whatever it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdPage {
    numbers: Vec<i64>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// About this many bytes travel at once.
const FULL: usize = 256 * 1024;

impl IdPage {
    /// Adds a key.
    pub fn push(&mut self, key: Key<'_>) {
        match key {
            Key::Number(number) => self.numbers.push(number),
            Key::Other(bytes) => {
                self.bytes.extend_from_slice(bytes);
                self.ends.push(self.bytes.len());
            }
        }
    }

    /// The key at a place.
    pub fn get(&self, at: usize) -> Option<Key<'_>> {
        match self.numbers.get(at) {
            Some(number) => Some(Key::Number(*number)),
            None => self.other(at - self.numbers.len()),
        }
    }

    fn other(&self, at: usize) -> Option<Key<'_>> {
        let end = *self.ends.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.bytes.get(start..end).map(Key::Other)
    }

    /// All keys.
    pub fn iter(&self) -> impl Iterator<Item = Key<'_>> {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// The last key.
    pub fn last(&self) -> Option<Key<'_>> {
        self.get(self.len().checked_sub(1)?)
    }

    /// How many.
    pub const fn len(&self) -> usize {
        self.numbers.len() + self.ends.len()
    }

    /// How many bytes their keys take.
    pub const fn bytes(&self) -> usize {
        self.numbers.len() * size_of::<i64>() + self.bytes.len()
    }

    /// None at all.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Large enough to be sent on.
    pub const fn is_full(&self) -> bool {
        self.bytes() + self.ends.len() * size_of::<usize>() >= FULL
    }
}
