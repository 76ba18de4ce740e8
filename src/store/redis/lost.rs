//! Keys that were to be changed and whose answer was lost: what became of them is known once they are asked for again.

use super::change::{Change, Due};
use std::collections::HashMap;

/// Keys whose change was sent and not answered. The server may have carried it out, or may still do so: nothing is claimed of them.
#[derive(Debug, Default)]
pub struct Lost(HashMap<Vec<u8>, Change>);

impl Lost {
    /// The answers to these were lost.
    pub fn note<'d>(&mut self, due: impl IntoIterator<Item = &'d Due>) {
        self.0.extend(due.into_iter().map(|due| (due.key.clone(), due.change)));
    }

    /// True for a key whose answer was lost before; now there is one.
    pub fn answered(&mut self, key: &[u8]) -> bool {
        self.0.remove(key).is_some()
    }

    /// Those of which nothing is known yet, with what was to be done to them.
    pub fn take(&mut self) -> Vec<(Vec<u8>, Change)> {
        self.0.drain().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::redis::change::Still;

    #[test]
    fn a_key_is_lost_until_it_is_answered_for() {
        let due = Due { key: b"a".to_vec(), change: Change::Unlink, still: Still::There, mark: vec![], most_left: None };
        let mut lost = Lost::default();
        assert!(!lost.answered(b"a"));
        lost.note([&due, &due]);
        assert!(lost.answered(b"a") && !lost.answered(b"a"));
        lost.note([&due]);
        assert_eq!((lost.take(), lost.take()), (vec![(b"a".to_vec(), Change::Unlink)], vec![]));
    }
}
