//! When a job is due: a cron line on the calendar of a zone, as pure decisions.
//!
//! croner reads the line and finds matching wall clocks; what a wall clock means on the two DST nights is
//! decided here, because croner 3 gives the repeated hour out of order and the scheduler above it reduces a
//! zone to a fixed offset.

use crate::job::cron_line::{ScheduleError, read};
use crate::policy::period::first_instant;
use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use croner::Cron;
use std::fmt;
use std::str::FromStr;

/// A five-field cron line: minute, hour, day of month, month, day of week.
///
/// Day of month *or* day of week when both are restricted, as in Vixie cron and Kubernetes.
///
/// A line whose hour is `*` is a *rhythm*: it goes on in real time through both DST nights. A line that names its
/// hours means wall clocks, each of which happens exactly once a day: one that the zone skips is due right after the
/// gap, one that it has twice is due at the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    text: String,
    cron: Cron,
    rhythm: bool,
}

/// The longest stretch of wall clock that a zone has ever repeated within living memory, with room to spare.
const LONGEST_REPEAT: Duration = Duration::hours(4);

impl Schedule {
    /// Reads a cron line; `@hourly`, `@daily`, `@weekly`, `@monthly` and `@yearly` stand for theirs.
    ///
    /// # Errors
    /// Anything but five good fields, and a line that never comes (`0 0 30 2 *`).
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        read(text).map(|cron| Self::of(text.trim(), cron))
    }

    /// A line with a sixth field for seconds in front, so that tests need not wait for minutes.
    #[cfg(test)]
    pub(crate) fn in_seconds(text: &str) -> Self {
        Self::of(text, crate::job::cron_line::with_seconds(text))
    }

    fn of(text: &str, cron: Cron) -> Self {
        let rhythm = (0..24).all(|hour| cron.pattern.hour_match(hour).unwrap_or(false));
        Self { text: text.to_owned(), cron, rhythm }
    }

    /// The first tick strictly after `instant`, on the calendar of `zone`; `None` past the calendar's end.
    pub fn next_after(&self, instant: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let local = instant.with_timezone(&zone).naive_local();
        let first = self.walls_after(local).filter_map(|wall| self.first_time(wall, zone)).find(|tick| *tick > instant);
        if !self.rhythm || !is_repeated(local, zone) {
            return first;
        }
        let again =
            self.walls_after(local - LONGEST_REPEAT).filter_map(|wall| last_time(wall, zone)).find(|tick| *tick > instant);
        first.into_iter().chain(again).min()
    }

    /// The latest tick after `last` and not after `now`: however many were missed, they are one run.
    ///
    /// `last` is when the job last ran; a job that never ran has missed nothing.
    pub fn missed_since(&self, last: Option<DateTime<Utc>>, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let last = last.filter(|last| *last < now)?;
        // Looking back a little first: walking a year of a minutely line would find half a million ticks.
        [Duration::hours(1), Duration::days(1), Duration::days(32), Duration::days(400)]
            .into_iter()
            .map(|reach| (now - reach).max(last))
            .chain([last])
            .find_map(|from| self.latest_within(from, now, zone))
    }

    /// The line in English, without a full stop: `At 02:15, on day 1`.
    pub fn describe(&self) -> String {
        self.cron.describe().trim_end_matches('.').to_owned()
    }

    /// The line as people wrote it.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn latest_within(&self, from: DateTime<Utc>, until: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        std::iter::successors(self.next_after(from, zone), |tick| self.next_after(*tick, zone))
            .take_while(|tick| *tick <= until)
            .last()
    }

    /// The matching wall clocks after `wall`, in order, on a calendar without DST.
    fn walls_after(&self, wall: NaiveDateTime) -> impl Iterator<Item = NaiveDateTime> {
        let next = |wall: NaiveDateTime| self.cron.find_next_occurrence(&wall.and_utc(), false).ok().map(|next| next.naive_utc());
        std::iter::successors(next(wall.with_nanosecond(0).unwrap_or(wall)), move |wall| next(*wall))
    }

    /// The first instant that shows this wall clock; in a gap its end, unless a rhythm goes on there anyway.
    fn first_time(&self, wall: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
        let skipped = matches!(zone.from_local_datetime(&wall), LocalResult::None);
        (!(skipped && self.rhythm)).then(|| first_instant(wall, zone))
    }
}

/// The last instant that shows this wall clock, `None` in a gap.
fn last_time(wall: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    zone.from_local_datetime(&wall).latest().map(|instant| instant.with_timezone(&Utc))
}

fn is_repeated(wall: NaiveDateTime, zone: Tz) -> bool {
    matches!(zone.from_local_datetime(&wall), LocalResult::Ambiguous(..))
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::{Africa, America, Antarctica, Asia, Australia, Europe, Pacific};
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
    }

    /// The next ticks after `from`, as wall clocks with their offset.
    fn ticks(line: &str, zone: Tz, from: &str, count: usize) -> Vec<String> {
        let schedule = Schedule::parse(line).unwrap();
        std::iter::successors(schedule.next_after(at(from), zone), |tick| schedule.next_after(*tick, zone))
            .take(count)
            .map(|tick| tick.with_timezone(&zone).format("%m-%d %H:%M %:z").to_string())
            .collect()
    }

    #[test]
    fn a_time_in_the_spring_gap_comes_once_right_after_it() {
        assert_eq!(
            ticks("30 2 * * *", Europe::Amsterdam, "2026-03-27T12:00:00Z", 3),
            ["03-28 02:30 +01:00", "03-29 03:00 +02:00", "03-30 02:30 +02:00"]
        );
        assert_eq!(
            ticks("*/10 2 * * *", Europe::Amsterdam, "2026-03-28T12:00:00Z", 2),
            ["03-29 03:00 +02:00", "03-30 02:00 +02:00"]
        );
        assert_eq!(ticks("0 2,3 29 3 *", Europe::Amsterdam, "2026-03-28T12:00:00Z", 1), ["03-29 03:00 +02:00"]);
    }

    #[test]
    fn a_time_in_the_repeated_hour_comes_once_at_the_first() {
        assert_eq!(
            ticks("30 2 * * *", Europe::Amsterdam, "2026-10-24T12:00:00Z", 2),
            ["10-25 02:30 +02:00", "10-26 02:30 +01:00"]
        );
        assert_eq!(
            ticks("0 */2 * * *", Europe::Amsterdam, "2026-10-24T21:00:00Z", 4),
            ["10-25 00:00 +02:00", "10-25 02:00 +02:00", "10-25 04:00 +01:00", "10-25 06:00 +01:00"]
        );
    }

    #[test]
    fn a_time_beside_the_dst_nights_keeps_its_wall_clock() {
        assert_eq!(
            ticks("30 9 * * *", Europe::Amsterdam, "2026-10-24T00:00:00Z", 2),
            ["10-24 09:30 +02:00", "10-25 09:30 +01:00"]
        );
    }

    #[test]
    fn a_rhythm_goes_on_in_real_time_through_both_nights() {
        assert_eq!(
            ticks("*/30 * * * *", Europe::Amsterdam, "2026-03-29T00:00:00Z", 4),
            ["03-29 01:30 +01:00", "03-29 03:00 +02:00", "03-29 03:30 +02:00", "03-29 04:00 +02:00"]
        );
        assert_eq!(
            ticks("*/30 * * * *", Europe::Amsterdam, "2026-10-24T23:31:00Z", 6),
            [
                "10-25 02:00 +02:00",
                "10-25 02:30 +02:00",
                "10-25 02:00 +01:00",
                "10-25 02:30 +01:00",
                "10-25 03:00 +01:00",
                "10-25 03:30 +01:00"
            ]
        );
    }

    #[test]
    fn the_night_of_half_an_hour_is_right_too() {
        // Lord Howe, 5 April 2026: 02:00 +11:00 becomes 01:30 +10:30; 4 October: 02:00 becomes 02:30.
        assert_eq!(
            ticks("45 1 * * *", Australia::Lord_Howe, "2026-04-04T10:00:00Z", 2),
            ["04-05 01:45 +11:00", "04-06 01:45 +10:30"]
        );
        assert_eq!(
            ticks("15 2 * * *", Australia::Lord_Howe, "2026-10-03T10:00:00Z", 2),
            ["10-04 02:30 +11:00", "10-05 02:15 +11:00"]
        );
    }

    #[test]
    fn a_day_that_the_calendar_skipped_is_due_at_the_next() {
        // Samoa went from 29 to 31 December 2011.
        assert_eq!(
            ticks("0 3 * * *", Pacific::Apia, "2011-12-29T00:00:00Z", 3),
            ["12-29 03:00 -10:00", "12-31 00:00 +14:00", "12-31 03:00 +14:00"]
        );
    }

    #[test]
    fn a_midnight_that_is_skipped_is_due_at_one() {
        // Cairo, 24 April 2026: 00:00 becomes 01:00.
        assert_eq!(ticks("0 0 * * *", Africa::Cairo, "2026-04-23T12:00:00Z", 1), ["04-24 01:00 +03:00"]);
    }

    #[test]
    fn day_of_month_or_day_of_week() {
        let friday_or_13th = ticks("0 9 13 * FRI", Tz::UTC, "2026-01-08T12:00:00Z", 4);
        assert_eq!(friday_or_13th, ["01-09 09:00 +00:00", "01-13 09:00 +00:00", "01-16 09:00 +00:00", "01-23 09:00 +00:00"]);
    }

    #[test]
    fn a_tick_is_strictly_after() {
        let schedule = Schedule::parse("0 * * * *").unwrap();
        assert_eq!(schedule.next_after(at("2026-01-01T00:00:00Z"), Tz::UTC), Some(at("2026-01-01T01:00:00Z")));
        assert_eq!(schedule.next_after(at("2026-01-01T00:59:59.9Z"), Tz::UTC), Some(at("2026-01-01T01:00:00Z")));
        assert_eq!(schedule.next_after(at("2026-01-01T01:00:00.5Z"), Tz::UTC), Some(at("2026-01-01T02:00:00Z")));
    }

    #[test]
    fn a_line_reads_as_english() {
        for (line, english) in [
            ("15 2 * * *", "At 02:15"),
            ("*/30 * * * *", "At every 30 minutes"),
            ("0 9 13 * FRI", "At 09:00, on day 13 or Friday"),
            ("0 3 * * 0", "At 03:00, on Sunday"),
        ] {
            assert_eq!(Schedule::parse(line).unwrap().describe(), english);
        }
    }

    #[test]
    fn missed_ticks_are_one_run_the_latest() {
        let nightly = Schedule::parse("15 2 * * *").unwrap();
        let missed = |last: Option<&str>, now: &str| nightly.missed_since(last.map(at), at(now), Tz::UTC);
        assert_eq!(missed(None, "2026-01-10T00:00:00Z"), None);
        assert_eq!(missed(Some("2026-01-09T02:15:01Z"), "2026-01-10T00:00:00Z"), None);
        assert_eq!(missed(Some("2026-01-05T02:15:01Z"), "2026-01-10T00:00:00Z"), Some(at("2026-01-09T02:15:00Z")));
        assert_eq!(missed(Some("2026-01-05T02:15:01Z"), "2026-01-09T02:15:00Z"), Some(at("2026-01-09T02:15:00Z")));
        assert_eq!(missed(Some("2026-01-11T00:00:00Z"), "2026-01-10T00:00:00Z"), None);
        assert_eq!(missed(Some("1999-01-11T00:00:00Z"), "2026-01-10T00:00:00Z"), Some(at("2026-01-09T02:15:00Z")));
        let leap = Schedule::parse("0 0 29 2 *").unwrap();
        assert_eq!(
            leap.missed_since(Some(at("2019-01-01T00:00:00Z")), at("2026-01-01T00:00:00Z"), Tz::UTC),
            Some(at("2024-02-29T00:00:00Z"))
        );
    }

    #[test]
    fn a_minutely_line_missed_for_years_is_found_at_once() {
        let begun = std::time::Instant::now();
        let minutely = Schedule::parse("* * * * *").unwrap();
        let missed = minutely.missed_since(Some(at("2001-01-01T00:00:00Z")), at("2026-01-01T00:00:30Z"), Europe::Amsterdam);
        assert_eq!(missed, Some(at("2026-01-01T00:00:00Z")));
        assert!(begun.elapsed() < std::time::Duration::from_secs(2), "{:?}", begun.elapsed());
    }

    fn zones() -> impl Strategy<Value = Tz> {
        prop::sample::select(vec![
            Europe::Amsterdam,
            Asia::Shanghai,
            America::New_York,
            Australia::Lord_Howe,
            Pacific::Apia,
            Antarctica::Troll,
            Africa::Cairo,
            Tz::UTC,
        ])
    }

    fn lines() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "* * * * *",
            "*/30 * * * *",
            "15,45 * * * *",
            "30 2 * * *",
            "*/20 1-3 * * *",
            "0 */2 * * *",
            "0 0 * * *",
            "45 1 * * SUN",
            "30 2 28-31 3,10 *",
            "*/15 * 25-31 10 SUN",
            "0 0 L * *",
        ])
    }

    /// Every instant in `(from, until]` that is a tick, by looking at each minute's wall clock: slow, and free of the code above.
    fn by_looking(schedule: &Schedule, zone: Tz, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let minute = |n: i64| DateTime::from_timestamp(n * 60, 0).unwrap();
        let matches = |wall: NaiveDateTime| schedule.cron.is_time_matching(&wall.and_utc()).unwrap();
        (from.timestamp() / 60 + 1..=until.timestamp() / 60)
            .map(minute)
            .filter(|now| {
                let wall = now.with_timezone(&zone).naive_local();
                let before = (*now - Duration::minutes(1)).with_timezone(&zone).naive_local();
                let again = is_repeated(wall, zone) && zone.from_local_datetime(&wall).earliest().unwrap() != *now;
                let skipped = (wall - before).num_minutes() - 1;
                let in_gap = (1..=skipped).any(|n| matches(before + Duration::minutes(n)));
                if schedule.rhythm { matches(wall) } else { (matches(wall) && !again) || in_gap }
            })
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn ticks_are_strictly_later_each_over_years(line in lines(), zone in zones(), start in 1_293_840_000i64..1_893_456_000) {
            let schedule = Schedule::parse(line).unwrap();
            let mut last = DateTime::from_timestamp(start, 0).unwrap();
            let until = last + Duration::days(if line.starts_with("* *") { 3 } else { 800 });
            for _ in 0..2_000 {
                let next = schedule.next_after(last, zone).unwrap();
                prop_assert!(next > last, "{next} after {last}");
                if next > until { break }
                last = next;
            }
        }

        #[test]
        fn ticks_are_those_that_the_wall_clock_shows(line in lines(), zone in zones(), night in 0usize..8, early in 0i64..2_880) {
            let nights = [
                "2026-03-29T12:00:00Z", "2026-10-25T12:00:00Z", "2026-03-08T12:00:00Z", "2026-11-01T12:00:00Z",
                "2026-04-04T18:00:00Z", "2026-10-03T18:00:00Z", "2026-04-24T12:00:00Z", "2011-12-30T16:00:00Z",
            ];
            let from = at(nights[night]) - Duration::minutes(early);
            let until = from + Duration::days(3);
            let schedule = Schedule::parse(line).unwrap();
            let ours: Vec<_> = std::iter::successors(schedule.next_after(from, zone), |tick| schedule.next_after(*tick, zone))
                .take_while(|tick| *tick <= until)
                .collect();
            prop_assert_eq!(ours, by_looking(&schedule, zone, from, until));
        }

        #[test]
        fn no_line_of_cron_letters_panics(text in "[0-9*/,#LWA-F?+ -]{0,24}") {
            if let Ok(schedule) = Schedule::parse(&text) {
                prop_assert!(schedule.next_after(at("2026-01-01T00:00:00Z"), Europe::Amsterdam).is_some());
                prop_assert!(!schedule.describe().is_empty());
            }
        }

        #[test]
        fn a_missed_tick_is_the_last_one_before_now(line in lines(), zone in zones(), start in 1_293_840_000i64..1_893_456_000, away in 1i64..400_000) {
            let schedule = Schedule::parse(line).unwrap();
            let last = DateTime::from_timestamp(start, 0).unwrap();
            let now = last + Duration::seconds(away);
            match schedule.missed_since(Some(last), now, zone) {
                None => prop_assert!(schedule.next_after(last, zone).unwrap() > now),
                Some(tick) => {
                    prop_assert!(last < tick && tick <= now);
                    prop_assert!(schedule.next_after(tick, zone).unwrap() > now);
                }
            }
        }
    }
}
