//! How much of a server's time one SCAN may take.

use std::time::Duration;

/// Keys that one SCAN looks at: at first, at least, at most.
const FIRST: usize = 500;
const LEAST: usize = 50;
const MOST: usize = 1_000;
/// What one SCAN may take of the server's time: half of what no call may exceed.
const TARGET: Duration = Duration::from_millis(1);
/// Where SCANs travel along with other questions, one in so many travels alone, so that what it takes is known.
const ALONE: usize = 64;

/// How many keys one SCAN looks at, going by what those took that were measured.
#[derive(Debug)]
pub struct Pace {
    count: usize,
    /// SCANs since one was measured.
    along: usize,
    /// What the last few took for each key. The least of them counts: where others keep the machine busy, some look long.
    recent: [Duration; 4],
}

impl Default for Pace {
    fn default() -> Self {
        Self { count: FIRST, along: 0, recent: [Duration::MAX; 4] }
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

    /// Fits the next SCAN into its time: one that travelled alone took so long. It grows to at most twice its size.
    pub fn took(&mut self, took: Duration) {
        self.along = 0;
        self.recent.rotate_right(1);
        self.recent[0] = took / u32::try_from(self.count).unwrap_or(u32::MAX);
        let each = self.recent.iter().min().map_or(1, Duration::as_nanos).max(1);
        let fitting = usize::try_from(TARGET.as_nanos() / each).unwrap_or(MOST);
        self.count = fitting.min(self.count * 2).clamp(LEAST, MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_long_answer_among_short_ones_is_the_machines_and_several_are_the_servers() {
        let mut pace = Pace::default();
        pace.took(TARGET / 8);
        assert_eq!(pace.count(), MOST);
        pace.took(TARGET * 9);
        assert_eq!(pace.count(), MOST);
        (0..4).for_each(|_| pace.took(TARGET * 4));
        assert_eq!(pace.count(), MOST / 4);
        (0..9).for_each(|_| pace.took(TARGET * 99));
        assert_eq!(pace.count(), LEAST);
        (0..9).for_each(|_| pace.took(Duration::ZERO));
        assert_eq!(pace.count(), MOST);
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
