//! How counts, instants, durations and foreign text are written in every form of a report.

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use std::borrow::Cow;

/// Text of others is cut after this many characters: a report stays readable, and bounded, whatever a server answers.
const LONGEST_TEXT: usize = 600;

/// `1204` as `1,204`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count that may be unknown: a dash then.
pub fn known(number: Option<u64>) -> String {
    number.map(count).unwrap_or_else(|| "–".into())
}

/// `1 check`, `3 checks`.
pub fn plural(number: u64, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `2026-05-01 00:00 UTC`; seconds only where there are some.
pub fn instant(at: DateTime<Utc>) -> String {
    let form = if at.second() == 0 { "%Y-%m-%d %H:%M UTC" } else { "%Y-%m-%d %H:%M:%S UTC" };
    at.format(form).to_string()
}

/// `0.4 s`, `3 min 20 s`, `1 h 5 min`. A clock set back while the run went on reads as nothing.
pub fn took(time: TimeDelta) -> String {
    let milliseconds = time.num_milliseconds().max(0);
    match milliseconds / 1000 {
        0..60 => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
        seconds @ 60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// How long something went on that people measure in hours and days: `3 days 4 h`, `25 min`.
pub fn lasted(time: TimeDelta) -> String {
    let minutes = time.num_minutes().max(0);
    match (minutes / 1_440, minutes / 60 % 24, minutes % 60) {
        (0, 0, 0) => "less than a minute".to_owned(),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{} {hours} h", plural(days.unsigned_abs(), "day")),
    }
}

/// The end of a run's id. Ids of runs that begin in the same minute share their first digits, never their last.
pub fn short_run(run: &str) -> String {
    let kept: Vec<char> = run.chars().filter(char::is_ascii_alphanumeric).collect();
    kept[kept.len().saturating_sub(8)..].iter().collect()
}

/// The beginning of a hash, as people compare it.
pub fn short_hash(hash: &str) -> String {
    hash.chars().take(12).collect()
}

/// Foreign text on one line, with nothing in it that a terminal, a mail header or a reader's eye would obey:
/// control characters and marks that turn the direction of writing are spelled out, length is bounded.
pub fn plain(text: &str) -> String {
    plain_to(text, LONGEST_TEXT)
}

/// The same with another bound, in characters.
pub fn plain_to(text: &str, longest: usize) -> String {
    let mut plain = String::with_capacity(text.len().min(longest));
    for (at, c) in text.chars().enumerate() {
        if at == longest {
            plain.push('…');
            break;
        }
        match c {
            '\n' | '\r' | '\t' => plain.push(' '),
            c if c.is_control() || turns_direction(c) => plain.extend(c.escape_unicode()),
            c => plain.push(c),
        }
    }
    plain
}

/// A sentence in parts, and whether each is a name in backticks: a form may set names in another face.
pub fn words(sentence: &str) -> Vec<(bool, &str)> {
    let closed = sentence.matches('`').count() / 2 * 2;
    let parts = sentence.splitn(closed + 1, '`').enumerate();
    parts.map(|(at, part)| (at % 2 == 1, part)).filter(|(_, part)| !part.is_empty()).collect()
}

/// A name in the pieces between which it may break: after its dots and underscores.
pub fn pieces(name: &str) -> Vec<String> {
    plain(name).split_inclusive(['.', '_']).map(ToOwned::to_owned).collect()
}

/// Marks that reorder what is shown: a file called `gpj.exe` must not read as `exe.jpg`.
pub fn turns_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text of several lines in which nothing turns the direction of writing: a name must look like what it is.
pub fn straight(text: &str) -> Cow<'_, str> {
    if !text.contains(turns_direction) {
        return Cow::Borrowed(text);
    }
    text.chars()
        .map(|c| if turns_direction(c) { c.escape_unicode().to_string() } else { c.to_string() })
        .collect::<String>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        for (number, written) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_204_112, "1,204,112"), (123_456, "123,456")] {
            assert_eq!(count(number), written);
        }
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn durations_read_as_people_say_them() {
        let said = |ms| took(TimeDelta::milliseconds(ms));
        assert_eq!([said(0), said(430), said(59_999)], ["0.0 s", "0.4 s", "59.9 s"]);
        assert_eq!([said(200_000), said(3_900_000), said(-5)], ["3 min 20 s", "1 h 5 min", "0.0 s"]);
    }

    #[test]
    fn foreign_text_cannot_steer_a_terminal_or_add_a_header() {
        let plain = plain("a\r\nBcc: x@y\u{1b}[31m\u{202e}gpj.exe");
        assert_eq!(plain, "a  Bcc: x@y\\u{1b}[31m\\u{202e}gpj.exe");
    }

    #[test]
    fn names_in_backticks_are_parts_and_an_open_backtick_is_text() {
        assert_eq!(words("hold `case-114` keeps `x"), [(false, "hold "), (true, "case-114"), (false, " keeps `x")]);
        assert_eq!(words(""), []);
        assert_eq!(pieces("core.user_sessions"), ["core.", "user_", "sessions"]);
    }

    #[test]
    fn foreign_text_is_bounded_in_characters() {
        let cut = plain(&"数".repeat(10_000));
        assert_eq!(cut.chars().count(), LONGEST_TEXT + 1);
        assert!(cut.ends_with('…'));
    }

    #[test]
    fn a_short_run_id_tells_runs_of_the_same_minute_apart() {
        assert_eq!(short_run("0198c2a4-1111-7000-8000-00000000beef"), "0000beef");
        assert_eq!(short_run("../x"), "x");
        assert_eq!(short_run(""), "");
    }
}
