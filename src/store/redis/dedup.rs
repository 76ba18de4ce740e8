//! Tells what was seen before, in bounded memory.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

/// So many names are told apart; some 40 MB.
const MOST: usize = 2_000_000;

/// Tells what was seen before: SCAN gives a key twice when its table grows or shrinks under the walk.
///
/// It keeps 64 bits of each name, keyed anew each time: that two of two million names share theirs is one chance in ten million,
/// and then one of them waits for the next run.
#[derive(Debug, Default)]
pub struct Once {
    hash: RandomState,
    seen: HashSet<u64, BuildHasherDefault<AsIs>>,
    is_full: bool,
}

impl Once {
    /// True when the name was not seen before, or nobody knows any more.
    pub fn is_first(&mut self, name: &[u8]) -> bool {
        let hash = self.hash.hash_one(name);
        if self.seen.len() >= MOST {
            self.is_full = true;
            return !self.seen.contains(&hash);
        }
        self.seen.insert(hash)
    }

    /// True when the name was seen before.
    pub fn has(&self, name: &[u8]) -> bool {
        self.seen.contains(&self.hash.hash_one(name))
    }

    /// True when there were more names than can be told apart: what is counted since may be counted twice.
    pub const fn is_full(&self) -> bool {
        self.is_full
    }
}

/// A hash is its own hash.
#[derive(Debug, Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| (hash << 8) | u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_first_once() {
        let mut once = Once::default();
        assert!(once.is_first(b"a") && once.is_first(b"b") && !once.is_first(b"a") && !once.is_full());
    }
}
