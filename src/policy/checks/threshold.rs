//! The bounds of a check: `> 0`, `>= 5 %`, `< 100`, `> 10 s`, `> 2 GB`.

use super::spec::Counts;
use std::fmt;
use std::str::FromStr;

/// When a check warns or fails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// How the value is compared.
    pub than: Than,
    /// With what, in the base of its unit: percent, milliseconds, bytes.
    pub amount: f64,
    /// What the number is of.
    pub unit: Unit,
    /// The amount as written: `10 s`.
    written: f64,
    suffix: &'static str,
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Than {
    /// `>`.
    More,
    /// `>=`.
    AtLeast,
    /// `<`.
    Less,
    /// `<=`.
    AtMost,
    /// `=`.
    Exactly,
}

/// What a bound's number is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A plain count.
    Count,
    /// A share in percent.
    Percent,
    /// Milliseconds.
    Time,
    /// Bytes.
    Bytes,
}

/// A bound that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a bound")]
pub struct ThresholdError(pub String);

const SIGNS: &[(&str, Than)] =
    &[(">=", Than::AtLeast), ("<=", Than::AtMost), (">", Than::More), ("<", Than::Less), ("=", Than::Exactly)];

const UNITS: &[(&str, Unit, f64)] = &[
    ("", Unit::Count, 1.0),
    ("%", Unit::Percent, 1.0),
    ("ms", Unit::Time, 1.0),
    ("s", Unit::Time, 1_000.0),
    ("min", Unit::Time, 60_000.0),
    ("h", Unit::Time, 3_600_000.0),
    ("B", Unit::Bytes, 1.0),
    ("kB", Unit::Bytes, 1e3),
    ("MB", Unit::Bytes, 1e6),
    ("GB", Unit::Bytes, 1e9),
    ("TB", Unit::Bytes, 1e12),
];

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ThresholdError(text.to_owned());
        let (rest, than) =
            SIGNS.iter().find_map(|(sign, than)| Some((text.trim().strip_prefix(sign)?, *than))).ok_or_else(wrong)?;
        let rest = rest.trim();
        let at = rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '_'))).unwrap_or(rest.len());
        let written: f64 = rest[..at].replace('_', "").parse().map_err(|_| wrong())?;
        let unit = rest[at..].trim();
        let (suffix, unit, factor) = UNITS.iter().find(|(suffix, ..)| *suffix == unit).ok_or_else(wrong)?;
        Ok(Self { than, amount: written * factor, unit: *unit, written, suffix })
    }
}

impl Threshold {
    /// True when the bound can be held against what a check counts.
    pub const fn fits(&self, counts: Counts) -> bool {
        matches!(
            (counts, self.unit),
            (Counts::Things, Unit::Count | Unit::Percent)
                | (Counts::Percent, Unit::Percent)
                | (Counts::Time, Unit::Time)
                | (Counts::Bytes, Unit::Bytes)
        )
    }

    /// Whether the value is beyond the bound; none where the bound is a share and nobody knows of how many.
    ///
    /// A share of nothing is beyond no bound from above: zero of zero rows is no percentage.
    #[expect(clippy::cast_precision_loss, reason = "a bound is a round number; a part in 2^53 changes nothing")]
    pub fn is_passed(&self, value: u64, of: Option<u64>, counts: Counts) -> Option<bool> {
        let value = match (self.unit, counts) {
            (Unit::Percent, Counts::Things) => match of? {
                0 => 0.0,
                of => value as f64 * 100.0 / of as f64,
            },
            _ => value as f64,
        };
        Some(match self.than {
            Than::More => value > self.amount,
            Than::AtLeast => value >= self.amount,
            Than::Less => value < self.amount,
            Than::AtMost => value <= self.amount,
            Than::Exactly => (value - self.amount).abs() < f64::EPSILON,
        })
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = SIGNS.iter().find(|(_, than)| *than == self.than).map_or("", |(sign, _)| sign);
        let space = if self.suffix.is_empty() { "" } else { " " };
        write!(f, "{sign} {}{space}{}", self.written, self.suffix)
    }
}

impl serde::Serialize for Threshold {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_read_and_shown() {
        for (text, shown) in [
            ("> 0", "> 0"),
            (">1%", "> 1 %"),
            (">= 5 %", ">= 5 %"),
            ("<100", "< 100"),
            ("> 10 s", "> 10 s"),
            ("> 1.5 GB", "> 1.5 GB"),
        ] {
            assert_eq!(text.parse::<Threshold>().unwrap().to_string(), shown);
        }
        for text in ["", "0", "> ", "> x", "> 1 parsec", "== 1", "> -1"] {
            assert!(text.parse::<Threshold>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_is_held_against_a_bound() {
        let passed = |text: &str, value, of| text.parse::<Threshold>().unwrap().is_passed(value, of, Counts::Things);
        assert_eq!(passed("> 0", 0, None), Some(false));
        assert_eq!(passed("> 0", 1, None), Some(true));
        assert_eq!(passed("> 1 %", 1, Some(100)), Some(false));
        assert_eq!(passed("> 1 %", 2, Some(100)), Some(true));
        assert_eq!(passed("> 1 %", 0, Some(0)), Some(false));
        assert_eq!(passed("> 1 %", 1, None), None);
        assert_eq!(passed("< 100", 99, None), Some(true));
        assert_eq!("> 85 %".parse::<Threshold>().unwrap().is_passed(86, None, Counts::Percent), Some(true));
        assert_eq!("> 1 s".parse::<Threshold>().unwrap().is_passed(1_500, None, Counts::Time), Some(true));
    }
}
