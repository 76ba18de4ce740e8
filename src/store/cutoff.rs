//! The instant before which rows are due, held against the clocks: a time that has not come removes nothing.

use super::error::StoreFailure;
use super::value::Cell;
use crate::diagnostic::codes;
use crate::policy::period::Period;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// Clocks of two machines differ by less than this; more is a clock that is wrong, or a time that was made up.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(5);

/// What a period means at an instant: rows dated before `at` are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cutoff {
    as_of: DateTime<Utc>,
    at: DateTime<Utc>,
}

impl Cutoff {
    /// A period before an instant, in a zone; the instant itself where there is no period.
    pub fn before(as_of: DateTime<Utc>, period: Option<Period>, zone: Tz) -> Self {
        Self { as_of, at: period.map_or(as_of, |period| period.before(as_of, zone)) }
    }

    /// Rows dated before this are due.
    pub const fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// Holds it against the store's clock, where it has one of its own, and this machine's. What is ahead by no more than
    /// clocks differ is moved back by as much; what is ahead by more can be counted, and nothing can be changed by it.
    pub fn checked(self, store: &str, store_now: Option<DateTime<Utc>>, own_now: DateTime<Utc>) -> CheckedCutoff {
        let ahead = (self.as_of - store_now.map_or(own_now, |now| now.min(own_now))).max(TimeDelta::zero());
        if ahead <= CLOCKS_DIFFER {
            return CheckedCutoff { at: self.at - ahead, not_yet: None };
        }
        let shown = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
        let of_store = store_now.map(|now| format!(", store `{store}` says {}", shown(now))).unwrap_or_default();
        let text = format!(
            "`as of` {} has not come: this machine says {}{of_store}; nothing is removed or changed by it",
            shown(self.as_of),
            shown(own_now)
        );
        CheckedCutoff { at: self.at, not_yet: Some(text) }
    }
}

/// A cutoff that was held against the clocks. Whatever changes rows by it calls [`CheckedCutoff::must_have_come`] first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedCutoff {
    at: DateTime<Utc>,
    not_yet: Option<String>,
}

/// The way out of a time that has not come.
const HELP: &str = "correct the clock that is wrong, or plan again without a future `--as-of`";

impl CheckedCutoff {
    /// Rows dated before this are due.
    pub const fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// # Errors
    /// The instant that it is counted from lies ahead of a clock: the rows may be counted and not changed.
    pub fn must_have_come(&self) -> Result<(), StoreFailure> {
        match &self.not_yet {
            None => Ok(()),
            Some(text) => Err(StoreFailure::refused(codes::NOT_YET, text.clone(), HELP)),
        }
    }
}

/// A time in milliseconds since 1970. A store that does not say what time it is is not believed about any.
pub(crate) fn read_time(store: &str, cell: Option<&Cell>) -> Result<DateTime<Utc>, StoreFailure> {
    let read = match cell {
        Some(Cell::Int(milliseconds)) => DateTime::from_timestamp_millis(*milliseconds),
        _ => None,
    };
    read.ok_or_else(|| StoreFailure::Failed {
        store: store.to_owned(),
        text: "the server's own time cannot be read; nothing was touched".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_ahead_of_either_clock_changes_nothing() {
        let (now, year) = (at("2026-05-21T12:00:00Z"), Some("1 year".parse().unwrap()));
        let cutoff = |as_of: &str, period| Cutoff::before(at(as_of), period, Tz::UTC);
        // Past the period, and still ahead of both clocks, of the store's alone, of this machine's alone.
        let ahead = cutoff("2026-08-21T12:00:00Z", year);
        for (store, own) in [(Some(now), now), (Some(now), ahead.as_of), (Some(ahead.as_of), now), (None, now)] {
            let checked = ahead.checked("core", store, own);
            assert!(checked.must_have_come().is_err(), "{store:?} {own}");
            assert_eq!(checked.at(), ahead.at(), "it can be counted");
        }
        let text = ahead.checked("core", Some(now), at("2026-08-21T12:00:01Z")).must_have_come().unwrap_err().to_string();
        assert!(
            text.contains("this machine says 2026-08-21 12:00:01") && text.contains("`core` says 2026-05-21 12:00:00"),
            "{text}"
        );

        // As far as clocks differ: moved back to the earlier one.
        let little = cutoff("2026-05-21T12:04:00Z", None).checked("core", Some(now), at("2026-05-21T12:04:00Z"));
        assert!(little.must_have_come().is_ok());
        assert_eq!(little.at(), now);
        let past = cutoff("2026-05-21T11:00:00Z", year).checked("core", Some(now), now);
        assert_eq!(past.at(), at("2025-05-21T11:00:00Z"));
        assert!(past.must_have_come().is_ok());
    }
}
