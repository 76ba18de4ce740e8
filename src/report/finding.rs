//! What a check saw, and how that compares with what it saw before.

use super::format::count;
use super::reason::Reason;
use crate::policy::checks::spec::Counts;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What a check saw. A field that is not known is absent: unknown is never zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The check.
    pub check: String,
    /// Its kind: the key that makes it one.
    #[serde(default)]
    pub kind: String,
    /// What it looked at.
    #[serde(default)]
    pub dataset: String,
    /// Who answers for the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// `pass`, `warn`, `fail`, `error` or `skipped`.
    pub outcome: FindingOutcome,
    /// What was counted; absent when nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<u64>,
    /// Out of how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// What `value` is a number of.
    #[serde(default)]
    pub unit: Unit,
    /// The value as people read it: `3 of 5,000 (0.06 %)`, `1.5 s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
    /// The bound that it went beyond, as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<String>,
    /// A few, masked by tag.
    #[serde(default)]
    pub samples: Vec<String>,
    /// What a person should know to read the number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The query that gives `value` again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Why it could not be evaluated, or was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The stores that it asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stores: Vec<String>,
    /// The store that gave no answer, where one did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent: Option<String>,
    /// What it saw the time before; absent when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
    /// Since when its outcome is what it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    /// How long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<u64>,
    /// The values of the last runs, oldest first, this one included; for the page's line alone.
    #[serde(skip)]
    pub history: Vec<Option<u64>>,
}

/// What a check saw in the job's run before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// How it ended.
    pub outcome: FindingOutcome,
    /// What was counted; absent when nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<u64>,
    /// When that run began.
    pub at: DateTime<Utc>,
}

/// Since when an outcome stands, without another in between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// When the first run of them began.
    pub at: DateTime<Utc>,
    /// How many runs that is, this one included.
    pub runs: u64,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingOutcome {
    /// Within bounds.
    Pass,
    /// Past the warning bound.
    Warn,
    /// Past the failing bound.
    Fail,
    /// Could not be evaluated.
    Error,
    /// Not evaluated, with a reason.
    Skipped,
}

impl FindingOutcome {
    /// True when the check saw what it was to see.
    pub const fn is_measured(self) -> bool {
        matches!(self, Self::Pass | Self::Warn | Self::Fail)
    }

    /// The word in JSON and in the ledger.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Error => "error",
            Self::Skipped => "skipped",
        }
    }

    /// The outcome of that word.
    pub fn named(word: &str) -> Option<Self> {
        [Self::Pass, Self::Warn, Self::Fail, Self::Error, Self::Skipped].into_iter().find(|outcome| outcome.word() == word)
    }
}

/// What a value is a number of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Rows, keys, nodes.
    #[default]
    Count,
    /// A share in percent.
    Percent,
    /// Milliseconds.
    Ms,
    /// Bytes.
    Bytes,
}

impl From<Counts> for Unit {
    fn from(counts: Counts) -> Self {
        match counts {
            Counts::Things => Self::Count,
            Counts::Percent => Self::Percent,
            Counts::Time => Self::Ms,
            Counts::Bytes => Self::Bytes,
        }
    }
}

impl Unit {
    /// A number with its unit: `1,204`, `86 %`, `1.5 s`, `2.1 GB`.
    pub fn say(self, value: u64) -> String {
        match self {
            Self::Count => count(value),
            Self::Percent => format!("{} %", count(value)),
            Self::Ms => scaled(value, &[(3_600_000, "h"), (60_000, "min"), (1_000, "s")], "ms"),
            Self::Bytes => {
                scaled(value, &[(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")], "bytes")
            }
        }
    }

    /// A value out of how many: `3 of 5,000 (0.06 %)`.
    pub fn say_of(self, value: u64, of: Option<u64>) -> String {
        match (self, of) {
            (Self::Count, Some(of)) => {
                let share = share(value, of).map(|share| format!(" ({share})")).unwrap_or_default();
                format!("{} of {}{share}", count(value), count(of))
            }
            (Self::Percent, Some(of)) => format!("{} of {}", self.say(value), count(of)),
            _ => self.say(value),
        }
    }

    /// True where every run measures another number though nothing is the matter: times and sizes.
    pub const fn drifts(self) -> bool {
        matches!(self, Self::Ms | Self::Bytes)
    }
}

/// `0.06 %`; never `0 %` for what is there, never `100 %` for what is not all.
pub fn share(value: u64, of: u64) -> Option<String> {
    let hundredths = u128::from(value) * 10_000 / u128::from(of).max(1);
    Some(match (of, hundredths) {
        (0, _) => return None,
        (_, 0) if value > 0 => "under 0.01 %".to_owned(),
        (_, whole) if whole % 100 == 0 => format!("{} %", whole / 100),
        (_, parts) => format!("{}.{:02} %", parts / 100, parts % 100),
    })
}

fn scaled(value: u64, units: &[(u64, &str)], base: &str) -> String {
    match units.iter().find(|(size, _)| value >= *size) {
        None => format!("{} {base}", count(value)),
        Some((size, unit)) => match value % size * 10 / size {
            0 => format!("{} {unit}", count(value / size)),
            tenth => format!("{}.{tenth} {unit}", count(value / size)),
        },
    }
}

impl Finding {
    /// How the value moved since the run before; none where either is unknown, or it did not.
    pub fn moved(&self) -> Option<Move> {
        let (now, before) = (self.value?, self.before.as_ref()?.value?);
        (now != before).then(|| Move { up: now > before, by: now.abs_diff(before) })
    }
}

/// How a value moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// It is more than before.
    pub up: bool,
    /// By how much.
    pub by: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_said_in_its_unit() {
        assert_eq!(Unit::Count.say_of(3, Some(5_000)), "3 of 5,000 (0.06 %)");
        assert_eq!(Unit::Count.say_of(3, None), "3");
        assert_eq!(Unit::Percent.say_of(86, None), "86 %");
        assert_eq!([Unit::Ms.say(430), Unit::Ms.say(1_500), Unit::Ms.say(7_200_000)], ["430 ms", "1.5 s", "2 h"]);
        assert_eq!([Unit::Bytes.say(999), Unit::Bytes.say(2_140_000_000)], ["999 bytes", "2.1 GB"]);
    }

    #[test]
    fn a_share_claims_neither_nothing_nor_all() {
        assert_eq!(share(1, 1_000_000).as_deref(), Some("under 0.01 %"));
        assert_eq!(share(999_999, 1_000_000).as_deref(), Some("99.99 %"));
        assert_eq!((share(0, 9).as_deref(), share(9, 9).as_deref(), share(0, 0)), (Some("0 %"), Some("100 %"), None));
    }

    #[test]
    fn what_was_written_before_is_still_read() {
        let old = r#"{"check":"a","outcome":"warn","value":3,"of":5000,"samples":["li***.com"]}"#;
        let read: Finding = serde_json::from_str(old).unwrap();
        assert_eq!((read.value, read.of, read.unit, read.outcome), (Some(3), Some(5_000), Unit::Count, FindingOutcome::Warn));
    }
}
