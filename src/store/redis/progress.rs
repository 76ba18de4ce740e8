//! How far the look at a store's keys is: fed by whoever scans, read by whoever waits for it.

use std::sync::atomic::{AtomicU64, Ordering};

/// The whole of a store, in the parts that are told.
const WHOLE: u64 = 1_000_000;

/// How far the look at a store's keys is. Numbers for people who wait: nothing is decided by them.
#[derive(Debug, Default)]
pub struct Sight {
    scans: AtomicU64,
    keys: AtomicU64,
    part: AtomicU64,
}

impl Sight {
    /// A SCAN of server `node` of `nodes` found so many names and goes on at `cursor`; 0 is its end.
    pub(crate) fn scanned(&self, node: usize, nodes: usize, cursor: u64, found: usize) {
        self.scans.fetch_add(1, Ordering::Relaxed);
        self.keys.fetch_add(found as u64, Ordering::Relaxed);
        self.part.store(part(node, nodes, cursor), Ordering::Relaxed);
    }

    /// SCANs answered since the store was opened: more than before, and the share is of the look that goes on.
    pub fn scans(&self) -> u64 {
        self.scans.load(Ordering::Relaxed)
    }

    /// Names found since the store was opened.
    pub fn keys(&self) -> u64 {
        self.keys.load(Ordering::Relaxed)
    }

    /// The share of the store that the last look has behind it, from 0 to 1; none before anything was scanned.
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    pub fn part(&self) -> Option<f64> {
        let part = self.part.load(Ordering::Relaxed);
        (part > 0).then_some(part as f64 / WHOLE as f64)
    }
}

/// SCAN counts in its highest bits first, so a cursor read backwards is the share of the table that lies behind it, whatever its
/// size. A cluster's cursors hold other things too: there whole servers count.
fn part(node: usize, nodes: usize, cursor: u64) -> u64 {
    let servers = |passed: u64| WHOLE * passed / nodes.max(1) as u64;
    match cursor {
        0 => servers(node as u64 + 1),
        _ if nodes > 1 => servers(node as u64),
        cursor => u64::try_from((u128::from(cursor.reverse_bits()) * u128::from(WHOLE)) >> 64).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_tells_its_share_of_the_table() {
        // A table of eight places is passed in the order 0, 4, 2, 6, 1, 5, 3, 7.
        let passed = [4, 2, 6, 1, 5, 3, 7].map(|cursor| part(0, 1, cursor));
        assert_eq!(passed, [125_000, 250_000, 375_000, 500_000, 625_000, 750_000, 875_000]);
        assert_eq!(part(0, 1, 0), WHOLE);
        assert_eq!((part(1, 4, 3), part(2, 3, 0)), (250_000, 1_000_000), "of a cluster whole servers count");
    }

    #[test]
    fn before_anything_was_scanned_no_share_is_known() {
        let sight = Sight::default();
        assert_eq!(sight.part(), None);
        sight.scanned(0, 1, 1 << 3, 500);
        assert_eq!((sight.keys(), sight.part()), (500, Some(0.0625)));
    }
}
