//! Reading a cron line: five fields, and a word about the one at fault.

use chrono::{Datelike, NaiveDate};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use std::fmt;

/// A cron line that is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Not five fields.
    #[error("schedule `{text}` has {count} fields where a cron line has five")]
    Fields {
        /// The line as written.
        text: String,
        /// How many fields it has.
        count: usize,
    },
    /// A word such as `@reboot` or `@every`.
    #[error("schedule `{text}` is not a cron line")]
    Word {
        /// The line as written.
        text: String,
    },
    /// One field is at fault.
    #[error("schedule `{text}`: `{part}` does not fit the {field}")]
    Field {
        /// The line as written.
        text: String,
        /// The field as written.
        part: String,
        /// Which of the five.
        field: Field,
    },
    /// Every field is right, and no day has them all.
    #[error("schedule `{text}` never comes: no month it names has such a day")]
    Never {
        /// The line as written.
        text: String,
    },
}

/// The fields of a cron line, in the order they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// 0-59.
    Minute,
    /// 0-23.
    Hour,
    /// 1-31.
    DayOfMonth,
    /// 1-12 or JAN-DEC.
    Month,
    /// 0-7 or SUN-SAT; 0 and 7 are Sunday.
    DayOfWeek,
}

/// Reads five fields, or one of `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
///
/// # Errors
/// Anything else, and a line that never comes (`0 0 30 2 *`).
pub fn read(text: &str) -> Result<Cron, ScheduleError> {
    let text = text.trim();
    let line = if text.starts_with('@') { spelled_out(text)? } else { text };
    let parts: Vec<&str> = line.split_whitespace().collect();
    if parts.len() != Field::ALL.len() {
        return Err(ScheduleError::Fields { text: text.to_owned(), count: parts.len() });
    }
    for (field, part) in Field::ALL.into_iter().zip(&parts) {
        if !field.takes(part) {
            return Err(ScheduleError::Field { text: text.to_owned(), part: (*part).to_owned(), field });
        }
    }
    parse(line, Seconds::Disallowed).filter(comes).ok_or_else(|| ScheduleError::Never { text: text.to_owned() })
}

/// A line with a sixth field for seconds in front, so that tests need not wait for minutes.
#[cfg(test)]
pub(crate) fn with_seconds(text: &str) -> Cron {
    parse(text, Seconds::Required).expect("a line of six fields")
}

fn parse(line: &str, seconds: Seconds) -> Option<Cron> {
    CronParser::builder().seconds(seconds).year(Year::Disallowed).build().parse(line).ok()
}

/// Whether any day has all its fields. Forty years hold every combination of date and weekday.
fn comes(cron: &Cron) -> bool {
    let pattern = &cron.pattern;
    let first = NaiveDate::from_ymd_opt(2000, 1, 1);
    let days = first.into_iter().flat_map(|day| day.iter_days()).take_while(|day| day.year() < 2040);
    days.filter(|day| pattern.month_match(day.month()).unwrap_or(false))
        .any(|day| pattern.day_match(day.year(), day.month(), day.day()).unwrap_or(false))
}

/// The five fields that a word such as `@daily` stands for.
fn spelled_out(text: &str) -> Result<&'static str, ScheduleError> {
    match text.to_ascii_lowercase().as_str() {
        "@yearly" | "@annually" => Ok("0 0 1 1 *"),
        "@monthly" => Ok("0 0 1 * *"),
        "@weekly" => Ok("0 0 * * 0"),
        "@daily" | "@midnight" => Ok("0 0 * * *"),
        "@hourly" => Ok("0 * * * *"),
        _ => Err(ScheduleError::Word { text: text.to_owned() }),
    }
}

impl Field {
    const ALL: [Self; 5] = [Self::Minute, Self::Hour, Self::DayOfMonth, Self::Month, Self::DayOfWeek];

    /// Whether `part` alone is good in this place.
    ///
    /// croner puts names and lists right anywhere (`JAN` as a minute is 1, `1,,2` is `1,2`), so both are held here.
    fn takes(self, part: &str) -> bool {
        let full = part.split(',').all(|item| !item.is_empty());
        let plain = !part.contains(['+', '?']);
        let known = part.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).all(|word| self.knows(word));
        let alone = Self::ALL.map(|field| if field == self { part } else { "*" }).join(" ");
        full && plain && known && parse(&alone, Seconds::Disallowed).is_some()
    }

    fn knows(self, word: &str) -> bool {
        let word = word.to_ascii_uppercase();
        let months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
        let days = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
        match self {
            Self::Minute | Self::Hour => false,
            Self::DayOfMonth => word == "L" || word == "W",
            Self::Month => months.contains(&word.as_str()),
            Self::DayOfWeek => word == "L" || days.contains(&word.strip_suffix('L').unwrap_or(&word)),
        }
    }

    /// What may stand in this place.
    const fn range(self) -> &'static str {
        match self {
            Self::Minute => "0-59",
            Self::Hour => "0-23",
            Self::DayOfMonth => "1-31, or `L` for the last day",
            Self::Month => "1-12 or JAN-DEC",
            Self::DayOfWeek => "0-7 or SUN-SAT (0 and 7 are Sunday)",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day of the month",
            Self::Month => "month",
            Self::DayOfWeek => "day of the week",
        })
    }
}

impl ScheduleError {
    /// The way out.
    pub fn help(&self) -> String {
        match self {
            Self::Fields { count: 6 | 7, .. } => {
                "leave out seconds and years: minute, hour, day of month, month, day of week".to_owned()
            }
            Self::Fields { text, .. } if text.contains('=') => "name the zone under `timezone`, not in the line".to_owned(),
            Self::Fields { .. } => "minute, hour, day of month, month, day of week, such as `15 2 * * *`".to_owned(),
            Self::Word { .. } => {
                "write five fields such as `15 2 * * *`, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`".to_owned()
            }
            Self::Field { field, .. } => {
                format!("a {field} is {}; also `*`, lists `1,3`, ranges `1-5` from low to high, steps `*/2`", field.range())
            }
            Self::Never { .. } => "for the last day of a month write `L`, such as `0 0 L 2 *`".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_that_never_comes_is_refused_at_once() {
        let begun = std::time::Instant::now();
        for line in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 FEB *"] {
            assert!(matches!(read(line), Err(ScheduleError::Never { .. })), "{line}");
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(2), "{:?}", begun.elapsed());
        for line in ["0 0 29 2 *", "0 0 * 2 MON#5", "0 0 L 2 *", "0 0 30 2 MON"] {
            assert!(read(line).is_ok(), "{line}");
        }
    }

    #[test]
    fn the_field_at_fault_is_named() {
        for (line, part, field) in [
            ("60 2 * * *", "60", "minute"),
            ("JAN 2 * * *", "JAN", "minute"),
            ("1,,2 2 * * *", "1,,2", "minute"),
            ("*/0 2 * * *", "*/0", "minute"),
            ("0 24 * * *", "24", "hour"),
            ("0 0 0 * *", "0", "day of the month"),
            ("0 0 * 13 *", "13", "month"),
            ("0 0 * MON *", "MON", "month"),
            ("0 0 * * 8", "8", "day of the week"),
            ("0 0 * * FRI-MON", "FRI-MON", "day of the week"),
            ("0 0 * * +5", "+5", "day of the week"),
            ("0 0 13 * ?", "?", "day of the week"),
            ("0 0 * * JAN", "JAN", "day of the week"),
            ("0 0 é * *", "é", "day of the month"),
        ] {
            let error = read(line).unwrap_err();
            assert_eq!(error.to_string(), format!("schedule `{line}`: `{part}` does not fit the {field}"));
            assert!(error.help().contains(field), "{}", error.help());
        }
    }

    #[test]
    fn only_five_fields_are_a_cron_line() {
        for (line, count) in [("", 0), ("* * * *", 4), ("0 15 2 * * *", 6), ("0 15 2 * * * 2027", 7), ("TZ=UTC 15 2 * * *", 6)] {
            assert_eq!(read(line).unwrap_err(), ScheduleError::Fields { text: line.to_owned(), count });
        }
        assert!(matches!(read("@reboot"), Err(ScheduleError::Word { .. })));
        assert!(matches!(read("@every 5m"), Err(ScheduleError::Word { .. })));
        assert_eq!(read(" @Daily ").unwrap(), read("0 0 * * *").unwrap());
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange_to_be_refused(text in "\\PC{0,40}") {
            let _ = read(&text);
        }
    }
}
