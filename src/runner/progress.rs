//! Whoever watches a run: a bar on a terminal, plain lines elsewhere, nobody in a test.

use crate::action::Label;
use crate::report::format;
use std::fmt;
use std::time::Duration;

/// Told what happens while it happens.
pub trait Progress: Send + Sync {
    /// A dataset begins, with so many rows to go.
    fn begin(&self, label: &Label, rows: u64);
    /// So many more rows are done.
    fn advance(&self, rows: u64);
    /// Something worth a line: a retry, a wait.
    fn note(&self, text: &str);
    /// The dataset is over.
    fn end(&self);
    /// A look goes on; told each second after the first, and said as often as fits.
    fn looking(&self, look: &Looking<'_>);
    /// The look that was told is over.
    fn looked(&self);
}

/// A look that goes on. As a sentence: `cache.user:*: 1,200,000 keys, 45,000 a second, 37 % of the store, about 45 s left`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Looking<'a> {
    /// The dataset, or the check.
    pub what: &'a str,
    /// For how long.
    pub took: Duration,
    /// Keys found so far; none in a store that counts by itself, and says nothing until it has.
    pub keys: Option<u64>,
    /// The share of the store that is behind it, where that is known.
    pub part: Option<f64>,
}

impl fmt::Display for Looking<'_> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share and a time, small and read by people")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.took.as_secs().max(1);
        let Some(keys) = self.keys else { return write!(f, "{}: looked at for {seconds} s", self.what) };
        write!(f, "{}: {}, {} a second", self.what, format::plural(keys, "key"), format::count(keys / seconds))?;
        // Of less than a hundredth nobody can say when the rest is done.
        let Some(part) = self.part.filter(|part| (0.01..=1.0).contains(part)) else { return Ok(()) };
        let left = (self.took.as_secs_f64() * (1.0 - part) / part).ceil() as u64;
        write!(f, ", {} % of the store, about {left} s left", (part * 100.0) as u64)
    }
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn begin(&self, _: &Label, _: u64) {}
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn end(&self) {}
    fn looking(&self, _: &Looking<'_>) {}
    fn looked(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_says_what_it_knows_and_no_more() {
        let look = Looking { what: "cache.user:*", took: Duration::from_secs(20), keys: Some(1_200_000), part: Some(0.4) };
        assert_eq!(look.to_string(), "cache.user:*: 1,200,000 keys, 60,000 a second, 40 % of the store, about 30 s left");
        let unknown = Looking { part: None, ..look };
        assert_eq!(unknown.to_string(), "cache.user:*: 1,200,000 keys, 60,000 a second");
        assert_eq!(Looking { part: Some(0.001), ..look }.to_string(), unknown.to_string());
        assert_eq!(Looking { keys: None, part: None, ..look }.to_string(), "cache.user:*: looked at for 20 s");
    }
}
