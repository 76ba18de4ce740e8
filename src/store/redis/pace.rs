//! How much of a server's time one SCAN may take.

use std::time::Duration;

/// Keys that one SCAN looks at: at first, at least, at most.
const FIRST: usize = 500;
const LEAST: usize = 200;
const MOST: usize = 1_000;
/// What one SCAN should take of the server's time: a quarter of what no call may exceed.
const TARGET: Duration = Duration::from_micros(500);
/// Every so many SCANs one travels alone, so that what it takes is known.
const ALONE: usize = 64;

/// How much one SCAN looks at, going by what the last one took that travelled alone.
#[derive(Debug)]
pub struct Pace {
    count: usize,
    /// SCANs since one travelled alone.
    along: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { count: FIRST, along: 0 }
    }
}

impl Pace {
    /// Keys that the next SCAN looks at.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// True when one more SCAN may travel along with other questions.
    pub const fn along(&mut self) -> bool {
        self.along += 1;
        self.along < ALONE
    }

    /// Fits the next SCAN into its time: one that travelled alone took so long.
    pub fn took(&mut self, took: Duration) {
        self.along = 0;
        if took > TARGET {
            self.count = (self.count / 2).max(LEAST);
        } else if took < TARGET / 4 {
            self.count = (self.count * 2).min(MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_that_takes_long_looks_at_less_and_one_that_takes_little_at_more() {
        let mut pace = Pace::default();
        pace.took(TARGET / 8);
        assert_eq!(pace.count(), MOST);
        (0..5).for_each(|_| pace.took(TARGET * 2));
        assert_eq!(pace.count(), LEAST);
        pace.took(TARGET / 2);
        assert_eq!(pace.count(), LEAST);
    }

    #[test]
    fn every_so_often_one_travels_alone() {
        let mut pace = Pace::default();
        let along = (0..ALONE).filter(|_| pace.along()).count();
        assert_eq!(along, ALONE - 1);
        pace.took(TARGET);
        assert!(pace.along());
    }
}
