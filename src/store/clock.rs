//! What the column that dates a row may hold, and what a cutoff means for it.

use super::value::Cell;
use crate::policy::lifecycle::ClockUnit;
use crate::policy::period::first_instant;
use chrono::{DateTime, Datelike, Days, Duration, LocalResult, NaiveDateTime, NaiveTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

/// What a clock column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClockKind {
    /// An instant; the store converts.
    Zoned,
    /// Date and time on the wall of a zone.
    Naive(Tz),
    /// A day in a zone; it is over when the day ends.
    Day(Tz),
    /// A count since 1970.
    Epoch(ClockUnit),
    /// SQLite text, all of one shape.
    Text(TextShape),
}

/// The one shape that all texts of a SQLite clock share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextShape {
    /// Between date and time: `T` or a space; a bare date has none.
    pub separator: Option<char>,
    /// Digits after the second.
    pub fraction: usize,
    /// What follows: nothing, `Z`, or an offset such as `+08:00`.
    pub suffix: String,
    /// The zone of a text that names none.
    pub zone: Tz,
}

/// Where all dates lie when they cannot be meant so: in 1970 or beyond the year 3000; and the unit under which they would be of
/// our time, where there is one.
pub(crate) fn looks_wrong(unit: ClockUnit, oldest: i64, newest: i64) -> Option<(&'static str, Option<ClockUnit>)> {
    let year = |unit: ClockUnit, count: i64| ClockKind::Epoch(unit).instant(&Cell::Int(count)).map(|instant| instant.year());
    let when = if newest > 0 && year(unit, newest).is_some_and(|year| year <= 1970) {
        "in 1970 or before"
    } else if oldest > 0 && year(unit, oldest).is_none_or(|year| year >= 3000) {
        "beyond the year 3000"
    } else {
        return None;
    };
    let of_our_time = |unit: &ClockUnit| {
        [oldest, newest].iter().all(|count| year(*unit, *count).is_some_and(|year| (1980..2200).contains(&year)))
    };
    let units = [ClockUnit::Seconds, ClockUnit::Milliseconds, ClockUnit::Microseconds];
    Some((when, units.into_iter().find(of_our_time)))
}

impl ClockKind {
    /// A clock's value as people and programs read it: RFC 3339 in UTC, or the store's own text where it is no date we know.
    pub fn shown(&self, cell: &Cell) -> String {
        self.instant(cell).map_or_else(|| cell.shown(), |instant| instant.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }

    /// The instant that a value says; none where it is no date we know.
    pub fn instant(&self, cell: &Cell) -> Option<DateTime<Utc>> {
        let text = cell.shown();
        let wall = |text: &str| NaiveDateTime::parse_from_str(&text.replace('T', " "), "%Y-%m-%d %H:%M:%S%.f").ok();
        match self {
            Self::Zoned => Some(wall(text.trim_end_matches("+00"))?.and_utc()),
            Self::Naive(zone) => Some(first_instant(wall(&text)?, *zone)),
            Self::Day(zone) => {
                Some(first_instant(text.parse::<chrono::NaiveDate>().ok()?.succ_opt()?.and_time(NaiveTime::MIN), *zone))
            }
            Self::Epoch(unit) => {
                let count: i64 = text.parse().ok()?;
                match unit {
                    ClockUnit::Seconds => DateTime::from_timestamp(count, 0),
                    ClockUnit::Milliseconds => DateTime::from_timestamp_millis(count),
                    ClockUnit::Microseconds => DateTime::from_timestamp_micros(count),
                }
            }
            Self::Text(shape) if shape.separator.is_none() => Self::Day(shape.zone).instant(cell),
            Self::Text(shape) => {
                let bare = text.strip_suffix(shape.suffix.as_str())?;
                match offset(&shape.suffix) {
                    Some(east) => Some((wall(bare)? - east).and_utc()),
                    None => Some(first_instant(wall(bare)?, shape.zone)),
                }
            }
        }
    }
}

impl TextShape {
    /// The cutoff in this shape: text of one shape compares as its instants do.
    pub fn cutoff(&self, cutoff: DateTime<Utc>) -> String {
        let wall = match offset(&self.suffix) {
            Some(east) => cutoff.naive_utc() + east,
            None => wall_before(cutoff, self.zone),
        };
        let Some(separator) = self.separator else {
            return end_of_day(wall).format("%Y-%m-%d").to_string();
        };
        // Rounded up to the shape's precision, so that a row on the last tick before the cutoff is still before it.
        let unit = 10_i64.pow(9 - u32::try_from(self.fraction.min(9)).unwrap_or(9));
        let over = i64::from(wall.nanosecond()) % unit;
        let wall = if over == 0 { wall } else { wall + Duration::nanoseconds(unit - over) };
        let digits = format!("{:09}", wall.nanosecond() % 1_000_000_000);
        let fraction = if self.fraction == 0 { String::new() } else { format!(".{}", &digits[..self.fraction.min(9)]) };
        format!("{}{separator}{}{fraction}{}", wall.format("%Y-%m-%d"), wall.format("%H:%M:%S"), self.suffix)
    }
}

/// How far east a suffix lies; none when it names no offset.
fn offset(suffix: &str) -> Option<Duration> {
    if matches!(suffix, "Z" | "z") {
        return Some(Duration::zero());
    }
    let sign = match suffix.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let (hours, minutes) = suffix[1..].split_once(':').unwrap_or((&suffix[1..], "0"));
    Some(Duration::minutes(sign * (hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?)))
}

/// The wall clock of the cutoff in a zone, such that every wall clock before it is surely an instant before the cutoff.
///
/// In the hour that a zone has twice a wall clock names two instants. A row is due only when both are past,
/// so a cutoff in the first pass of that hour moves back to where the hour begins.
pub(crate) fn wall_before(cutoff: DateTime<Utc>, zone: Tz) -> NaiveDateTime {
    let wall = cutoff.with_timezone(&zone).naive_local();
    match zone.from_local_datetime(&wall) {
        LocalResult::Ambiguous(first, _) if first.with_timezone(&Utc) == cutoff => {
            let mut begin =
                wall - Duration::nanoseconds(i64::from(wall.nanosecond())) - Duration::seconds(i64::from(wall.second()));
            while matches!(zone.from_local_datetime(&(begin - Duration::minutes(1))), LocalResult::Ambiguous(..)) {
                begin -= Duration::minutes(1);
            }
            begin
        }
        _ => wall,
    }
}

/// The day before which every day has ended, strictly, when the cutoff comes.
pub(crate) fn day_before(cutoff: DateTime<Utc>, zone: Tz) -> chrono::NaiveDate {
    end_of_day(cutoff.with_timezone(&zone).naive_local())
}

/// A day ends at the next midnight; at midnight sharp the day just over is not strictly before it.
fn end_of_day(wall: NaiveDateTime) -> chrono::NaiveDate {
    if wall.time() == NaiveTime::MIN { wall.date().checked_sub_days(Days::new(1)).unwrap_or(wall.date()) } else { wall.date() }
}

/// The smallest count that is not before the cutoff.
pub(crate) fn units_before(cutoff: DateTime<Utc>, unit: ClockUnit) -> i64 {
    let micros = cutoff.timestamp_micros();
    let step = match unit {
        ClockUnit::Seconds => 1_000_000,
        ClockUnit::Milliseconds => 1_000,
        ClockUnit::Microseconds => 1,
    };
    micros.div_euclid(step) + i64::from(micros.rem_euclid(step) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_is_due_only_once_it_has_ended() {
        assert_eq!(day_before(at("2026-05-21T00:00:00Z"), Tz::UTC).to_string(), "2026-05-20");
        assert_eq!(day_before(at("2026-05-21T00:00:00.000001Z"), Tz::UTC).to_string(), "2026-05-21");
        assert_eq!(day_before(at("2026-05-20T16:00:01Z"), Tz::Asia__Shanghai).to_string(), "2026-05-21");
    }

    #[test]
    fn in_the_hour_that_comes_twice_only_what_is_surely_past_is_due() {
        // Amsterdam has 02:00–03:00 twice on 25 October 2026: 00:00Z–01:00Z and 01:00Z–02:00Z.
        let zone = Tz::Europe__Amsterdam;
        assert_eq!(wall_before(at("2026-10-25T00:30:00Z"), zone).to_string(), "2026-10-25 02:00:00");
        assert_eq!(wall_before(at("2026-10-25T01:30:00Z"), zone).to_string(), "2026-10-25 02:30:00");
        assert_eq!(wall_before(at("2026-10-24T23:30:00Z"), zone).to_string(), "2026-10-25 01:30:00");
    }

    #[test]
    fn counts_round_up_to_the_first_that_is_not_before() {
        assert_eq!(units_before(at("1970-01-01T00:00:01.000001Z"), ClockUnit::Seconds), 2);
        assert_eq!(units_before(at("1970-01-01T00:00:01Z"), ClockUnit::Seconds), 1);
        assert_eq!(units_before(at("1969-12-31T23:59:59.5Z"), ClockUnit::Seconds), 0);
    }

    #[test]
    fn text_is_cut_in_its_own_shape() {
        let shape = |separator, fraction, suffix: &str| TextShape { separator, fraction, suffix: suffix.into(), zone: Tz::UTC };
        let cutoff = at("2026-05-21T01:02:03.25Z");
        assert_eq!(shape(Some('T'), 3, "Z").cutoff(cutoff), "2026-05-21T01:02:03.250Z");
        assert_eq!(shape(Some(' '), 0, "").cutoff(cutoff), "2026-05-21 01:02:04");
        assert_eq!(shape(Some('T'), 0, "+08:00").cutoff(cutoff), "2026-05-21T09:02:04+08:00");
        assert_eq!(shape(None, 0, "").cutoff(cutoff), "2026-05-21");
        assert_eq!(shape(None, 0, "").cutoff(at("2026-05-21T00:00:00Z")), "2026-05-20");
    }
}
