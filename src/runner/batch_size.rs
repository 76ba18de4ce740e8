//! How many rows the next batch takes: as many as fit into the target time, going by the last one.

use std::time::Duration;

/// What a batch should take: short enough that live traffic never waits long for its locks (promise 6).
const TARGET: Duration = Duration::from_millis(200);
const FIRST: u64 = 1_000;
const LEAST: u64 = 50;
const MOST: u64 = 20_000;

/// The size of the next batch.
#[derive(Debug, Clone, Copy)]
pub struct BatchSize {
    rows: u64,
}

impl Default for BatchSize {
    fn default() -> Self {
        Self { rows: FIRST }
    }
}

impl BatchSize {
    /// Rows for the next batch.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Learns from a batch. Grows to at most twice its size, so that one lucky batch does not make the next a long one.
    pub fn learn(&mut self, rows: u64, took: Duration) {
        if rows == 0 {
            return;
        }
        let micros = took.as_micros().max(1);
        let fitting = u64::try_from(u128::from(rows) * TARGET.as_micros() / micros).unwrap_or(MOST);
        self.rows = fitting.clamp(LEAST, (self.rows * 2).min(MOST));
    }

    /// Backs off after a lock wait or a timeout.
    pub fn ease(&mut self) {
        self.rows = (self.rows / 2).max(LEAST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_batch_makes_the_next_one_small() {
        let mut pace = BatchSize::default();
        pace.learn(1_000, Duration::from_secs(2));
        assert_eq!(pace.rows(), 100);
        pace.learn(100, Duration::from_secs(2));
        assert_eq!(pace.rows(), LEAST);
    }

    #[test]
    fn a_fast_batch_at_most_doubles_it() {
        let mut pace = BatchSize::default();
        pace.learn(1_000, Duration::from_millis(1));
        assert_eq!(pace.rows(), 2_000);
        (0..10).for_each(|_| pace.learn(1_000, Duration::from_millis(1)));
        assert_eq!(pace.rows(), MOST);
    }
}
