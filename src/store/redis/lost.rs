//! Keys that were to be changed and whose answer was lost: what became of them is known once they are asked for again.

use std::collections::HashMap;

/// Keys whose change was sent and not answered. The server may have carried it out, or may still do so: nothing is claimed of them.
#[derive(Debug, Default)]
pub struct Lost(HashMap<Vec<u8>, bool>);

impl Lost {
    /// The answers about these were lost: the name of each, and whether it was to be removed.
    pub fn note<'k>(&mut self, keys: impl IntoIterator<Item = (&'k [u8], bool)>) {
        self.0.extend(keys.into_iter().map(|(key, is_removal)| (key.to_vec(), is_removal)));
    }

    /// True for a key whose answer was lost before; now there is one.
    pub fn answered(&mut self, key: &[u8]) -> bool {
        self.0.remove(key).is_some()
    }

    /// Those of which nothing is known yet, and whether each was to be removed.
    pub fn take(&mut self) -> Vec<(Vec<u8>, bool)> {
        self.0.drain().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_lost_until_it_is_answered_for() {
        let mut lost = Lost::default();
        assert!(!lost.answered(b"a"));
        lost.note([(&b"a"[..], true), (&b"a"[..], true)]);
        assert!(lost.answered(b"a") && !lost.answered(b"a"));
        lost.note([(&b"a"[..], true)]);
        assert_eq!((lost.take(), lost.take()), (vec![(b"a".to_vec(), true)], vec![]));
    }
}
