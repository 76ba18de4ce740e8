//! Some ids in one piece of memory.

/// Keys of ids (see `reference::order`), one behind the other: no allocation per id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdPage {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// About this many bytes travel at once.
const FULL: usize = 256 * 1024;

impl IdPage {
    /// Adds a key.
    pub fn push(&mut self, key: &[u8]) {
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
    }

    /// The key at a place.
    pub fn get(&self, at: usize) -> Option<&[u8]> {
        let end = *self.ends.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.bytes.get(start..end)
    }

    /// All keys, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).filter_map(|at| self.get(at))
    }

    /// How many.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// How many bytes their keys take.
    pub const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// None at all.
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Large enough to be sent on.
    pub const fn is_full(&self) -> bool {
        self.bytes.len() + self.ends.len() * size_of::<usize>() >= FULL
    }
}
