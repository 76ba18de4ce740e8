//! How long rows live: the rule that archive and delete carry out.

use super::dataset::DatasetName;
use super::parse::Zone;
use super::period::Period;
use crate::place::Place;
use crate::yaml::json_schema::or_text;
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One lifecycle policy, effective: files and policy tables merged, defaults filled in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lifecycle {
    /// Unique among lifecycle policies; the dataset itself when none was written.
    pub name: String,
    /// Who answers for the data, from the file's head.
    pub owner: Option<String>,
    /// The rows it governs.
    pub dataset: DatasetName,
    /// What dates a row; without a column for a policy that is a minimum alone.
    pub clock: Clock,
    /// A further condition in the store's own language; a row for which it is not true stays.
    pub r#where: Option<String>,
    /// Moves rows out of the live table.
    pub archive: Option<ArchiveStep>,
    /// Removes rows for good.
    pub delete: Option<DeleteStep>,
    /// No row is removed for good before this.
    pub keep_at_least: Option<KeepAtLeast>,
    /// How much may go in one run without a person.
    pub guard: Guard,
    /// What happens when other rows would go along.
    pub cascade: Cascade,
    /// False only for a row of a policy table that is switched off: listed, never applied.
    pub active: bool,
    /// Why the row of a policy table that declares it cannot be applied: nothing is done by this policy until the row is corrected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unusable: Option<String>,
    /// Where it was declared; a policy table's row comes first, a file that adds to it second.
    #[serde(skip)]
    pub places: Vec<Place>,
}

impl Lifecycle {
    /// Refuses a policy whose row of a policy table cannot be applied.
    ///
    /// # Errors
    /// What is wrong with the row, in a sentence.
    pub fn usable(&self) -> Result<(), String> {
        match (&self.unusable, self.places.first()) {
            (None, _) => Ok(()),
            (Some(why), Some(place)) => Err(format!("{why} ({place}); nothing was touched")),
            (Some(why), None) => Err(format!("{why}; nothing was touched")),
        }
    }
}

/// The column that dates a row, and how to read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename = "short:a clock", deny_unknown_fields)]
#[schemars(rename = "Clock", transform = or_text)]
pub struct Clock {
    /// The column.
    pub column: String,
    /// The zone of a time that carries none; UTC by default.
    #[serde(default, serialize_with = "zone_name", deserialize_with = "zone")]
    #[schemars(with = "Option<Zone>")]
    pub zone: Option<Tz>,
    /// The unit of an integer, counted from 1970-01-01T00:00:00Z.
    pub unit: Option<ClockUnit>,
}

fn zone_name<S: Serializer>(zone: &Option<Tz>, serializer: S) -> Result<S::Ok, S::Error> {
    zone.map(Tz::name).serialize(serializer)
}

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Tz>, D::Error> {
    Zone::deserialize(deserializer).map(|zone| Some(zone.0))
}

/// The unit of an integer clock, counted from 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ClockUnit {
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Microseconds.
    #[serde(rename = "us")]
    Microseconds,
}

impl ClockUnit {
    /// As it is written in a declaration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "us",
        }
    }

    /// In a sentence.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Microseconds => "microseconds",
        }
    }
}

/// Moves rows to an archive once they are old enough.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArchiveStep {
    /// The age at which a row is due.
    pub after: Period,
    /// Where it goes.
    pub to: DatasetName,
    /// Makes the archive table when it is missing.
    pub create: bool,
}

/// Removes rows for good once they are old enough; from the archive alone where the policy archives.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeleteStep {
    /// The age at which a row is due.
    pub after: Period,
}

/// A minimum that no removal may undercut.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KeepAtLeast {
    /// How long.
    pub period: Period,
    /// The law or promise behind it.
    pub because: String,
}

/// How much one run may take from one dataset; beyond it a person approves a plan file.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Guard {
    /// Rows.
    pub max_rows: u64,
    /// Percent of the dataset's rows.
    pub max_percent: f64,
}

impl Guard {
    /// How many rows a dataset must have for `going` of them to be within the share.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a bound in whole rows, rounded up: a part in 2^53 changes nothing"
    )]
    pub fn rows_for(&self, going: u64) -> u64 {
        (going as f64 * 100.0 / self.max_percent).ceil() as u64
    }
}

impl Default for Guard {
    fn default() -> Self {
        Self { max_rows: 100_000, max_percent: 20.0 }
    }
}

/// What to do when removing a row would remove or blank others through a foreign key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Cascade {
    /// Leave the dataset alone and say why.
    #[default]
    Refuse,
    /// Let the store cascade; the plan counts the children.
    Allow,
}
