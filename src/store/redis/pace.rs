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

/// How often a SCAN is measured before it is believed to take long: the machine may let the server itself wait.
const TIMES: usize = 3;

/// How much one SCAN looks at, going by what those took that travelled alone.
#[derive(Debug)]
pub struct Pace {
    count: usize,
    /// SCANs since one travelled alone.
    along: usize,
    /// What those took that were measured last, and are not believed yet.
    measured: Vec<Duration>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { count: FIRST, along: 0, measured: Vec::with_capacity(TIMES) }
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
        self.along < ALONE && self.measured.is_empty()
    }

    /// Fits the next SCAN into its time: one that travelled alone took so long. Of several the shortest counts, since whatever
    /// else goes on makes them longer.
    pub fn took(&mut self, took: Duration) {
        self.measured.push(took);
        let is_good = took < TARGET / 4 || (took <= TARGET && self.count == MOST);
        if !is_good && self.measured.len() < TIMES {
            return;
        }
        let shortest = self.measured.drain(..).min().unwrap_or(took);
        self.along = 0;
        if shortest > TARGET {
            self.count = (self.count / 2).max(LEAST);
        } else if shortest < TARGET / 4 {
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
        (0..5 * TIMES).for_each(|_| pace.took(TARGET * 2));
        assert_eq!(pace.count(), LEAST);
        (0..TIMES).for_each(|_| pace.took(TARGET / 2));
        assert_eq!(pace.count(), LEAST);
    }

    #[test]
    fn one_that_had_to_wait_is_measured_again_before_it_counts() {
        let mut pace = Pace::default();
        pace.took(TARGET * 9);
        assert!(!pace.along(), "the next one travels alone too");
        pace.took(TARGET / 8);
        assert_eq!(pace.count(), MOST);
        assert!(pace.along());
    }

    #[test]
    fn every_so_often_one_travels_alone() {
        let mut pace = Pace::default();
        let along = (0..ALONE).filter(|_| pace.along()).count();
        assert_eq!(along, ALONE - 1);
        pace.took(TARGET / 8);
        assert!(pace.along());
    }
}
