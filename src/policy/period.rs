//! Periods as people say them, and the calendar they are subtracted on.

use chrono::{DateTime, Days, Duration, LocalResult, Months, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use std::fmt;
use std::str::FromStr;

/// `30 days`, `6 months`, `7 years`, `40 minutes`, `5 s`: a count and a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    count: u32,
    unit: PeriodUnit,
}

/// The units people use for periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum PeriodUnit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// A period that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a period: write a whole number and a unit, such as `30 days`, `6 months`, `7 years`, `40 minutes`")]
pub struct PeriodError(String);

impl Period {
    /// A period of days, as the policy tables give it.
    pub const fn days(count: u32) -> Self {
        Self { count, unit: PeriodUnit::Day }
    }

    /// True for `0 days` and the like.
    pub const fn is_zero(&self) -> bool {
        self.count == 0
    }

    /// The instant this period before `instant`, on the calendar of `zone`.
    ///
    /// Months and years clamp to the month's end (31 August minus 6 months is the last of February);
    /// days, weeks, months and years keep the wall clock of `zone` over a DST change, hours and below are exact.
    /// A wall clock that the zone skips is moved forward to the first that exists; of one that it has twice, the first.
    /// Before the calendar's beginning: the beginning.
    pub fn before(&self, instant: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
        let local = instant.with_timezone(&zone).naive_local();
        let count = u64::from(self.count);
        let earlier = match self.unit {
            PeriodUnit::Day => local.checked_sub_days(Days::new(count)),
            PeriodUnit::Week => local.checked_sub_days(Days::new(count * 7)),
            PeriodUnit::Month => local.checked_sub_months(Months::new(self.count)),
            PeriodUnit::Year => self.count.checked_mul(12).and_then(|months| local.checked_sub_months(Months::new(months))),
            PeriodUnit::Second | PeriodUnit::Minute | PeriodUnit::Hour => {
                return instant.checked_sub_signed(self.duration()).unwrap_or(DateTime::<Utc>::MIN_UTC);
            }
        };
        earlier.map_or(DateTime::<Utc>::MIN_UTC, |wall| first_instant(wall, zone))
    }

    /// The length as a duration; a month counts 30 days and a year 365 here: for budgets and comparisons, never for cutoffs.
    pub fn duration(&self) -> Duration {
        let seconds: i64 = match self.unit {
            PeriodUnit::Second => 1,
            PeriodUnit::Minute => 60,
            PeriodUnit::Hour => 3_600,
            PeriodUnit::Day => 86_400,
            PeriodUnit::Week => 7 * 86_400,
            PeriodUnit::Month => 30 * 86_400,
            PeriodUnit::Year => 365 * 86_400,
        };
        Duration::seconds(seconds * i64::from(self.count))
    }

    /// True when this period is surely the shorter one on every calendar date in a span of four centuries.
    ///
    /// Calendar periods have no fixed order (`30 days` against `1 month`), so both are laid on the same dates
    /// and the shorter on any of them counts: a minimum must hold on every day, not on most.
    pub fn is_ever_shorter_than(&self, other: &Period) -> bool {
        let start = Utc.with_ymd_and_hms(2001, 1, 1, 0, 0, 0).single().unwrap_or(DateTime::<Utc>::MIN_UTC);
        (0..366 * 4).any(|day| {
            let date = start + Duration::days(day);
            self.before(date, Tz::UTC) > other.before(date, Tz::UTC)
        })
    }
}

/// The first instant that bears this wall clock in `zone`; if the zone skips it, the first instant after the gap.
pub fn first_instant(wall: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    match zone.from_local_datetime(&wall) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => instant.with_timezone(&Utc),
        LocalResult::None => {
            // A gap is at most a day (Samoa, 2011); its end is where the wall clock exists again.
            let mut after = wall;
            for _ in 0..=24 * 60 {
                after += Duration::minutes(1);
                if let Some(instant) = zone.from_local_datetime(&after).earliest() {
                    return instant.with_timezone(&Utc);
                }
            }
            wall.and_utc()
        }
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || PeriodError(text.to_owned());
        let trimmed = text.trim();
        let digits = trimmed.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let count = trimmed[..digits].parse().map_err(|_| wrong())?;
        let unit = match trimmed[digits..].trim_start() {
            "s" | "second" | "seconds" => PeriodUnit::Second,
            "min" | "minute" | "minutes" => PeriodUnit::Minute,
            "h" | "hour" | "hours" => PeriodUnit::Hour,
            "d" | "day" | "days" => PeriodUnit::Day,
            "week" | "weeks" => PeriodUnit::Week,
            "month" | "months" => PeriodUnit::Month,
            "year" | "years" => PeriodUnit::Year,
            _ => return Err(wrong()),
        };
        Ok(Self { count, unit })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            PeriodUnit::Second => "second",
            PeriodUnit::Minute => "minute",
            PeriodUnit::Hour => "hour",
            PeriodUnit::Day => "day",
            PeriodUnit::Week => "week",
            PeriodUnit::Month => "month",
            PeriodUnit::Year => "year",
        };
        write!(f, "{} {unit}{}", self.count, if self.count == 1 { "" } else { "s" })
    }
}

impl serde::Serialize for Period {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before(period: &str, instant: &str, zone: Tz) -> String {
        let instant = instant.parse::<DateTime<Utc>>().unwrap();
        period.parse::<Period>().unwrap().before(instant, zone).to_rfc3339()
    }

    #[test]
    fn months_clamp_to_the_month_end() {
        assert_eq!(before("6 months", "2026-08-31T00:00:00Z", Tz::UTC), "2026-02-28T00:00:00+00:00");
        assert_eq!(before("1 year", "2024-02-29T12:00:00Z", Tz::UTC), "2023-02-28T12:00:00+00:00");
        assert_eq!(before("4 years", "2024-02-29T12:00:00Z", Tz::UTC), "2020-02-29T12:00:00+00:00");
    }

    #[test]
    fn days_keep_the_wall_clock_over_both_dst_nights() {
        // Amsterdam went to winter time on 25 October 2026 and to summer time on 29 March 2026.
        assert_eq!(before("1 day", "2026-10-26T08:30:00Z", Tz::Europe__Amsterdam), "2026-10-25T08:30:00+00:00");
        assert_eq!(before("1 day", "2026-10-25T08:30:00Z", Tz::Europe__Amsterdam), "2026-10-24T07:30:00+00:00");
        assert_eq!(before("1 day", "2026-03-29T07:30:00Z", Tz::Europe__Amsterdam), "2026-03-28T08:30:00+00:00");
        assert_eq!(before("24 hours", "2026-03-29T07:30:00Z", Tz::Europe__Amsterdam), "2026-03-28T07:30:00+00:00");
    }

    #[test]
    fn a_skipped_wall_clock_moves_to_the_end_of_the_gap() {
        // 02:30 does not exist on 29 March 2026 in Amsterdam; the clock goes from 02:00 to 03:00 (01:00 UTC).
        assert_eq!(before("1 day", "2026-03-30T00:30:00Z", Tz::Europe__Amsterdam), "2026-03-29T01:00:00+00:00");
    }

    #[test]
    fn periods_are_read_as_people_write_them() {
        for text in ["30 days", "1 day", "6 months", "7 years", "40 minutes", "5 seconds", "2 weeks", "3 hours"] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), text);
        }
        for text in ["", "days", "-3 days", "1.5 days", "3 fortnights", "10", "99999999999 days"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_shorter_period_is_found_on_every_calendar_date() {
        let period = |text: &str| text.parse::<Period>().unwrap();
        assert!(period("30 days").is_ever_shorter_than(&period("1 month")));
        assert!(period("1 month").is_ever_shorter_than(&period("30 days")));
        assert!(!period("31 days").is_ever_shorter_than(&period("1 month")));
        assert!(!period("7 years").is_ever_shorter_than(&period("2555 days")));
        assert!(period("2554 days").is_ever_shorter_than(&period("7 years")));
    }
}
