//! What may stand under `lifecycle`, `classification` and `holds`.

use super::classification::{Protection, Sensitivity};
use super::dataset::DatasetName;
use super::lifecycle::{Cascade, Clock};
use super::period::Period;
use crate::yaml::node::{At, Named};
use schemars::JsonSchema;
use serde::Deserialize;

/// How long the rows of one dataset live.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "a lifecycle policy", deny_unknown_fields)]
#[schemars(rename = "LifecycleEntry")]
pub struct LifecycleEntry {
    /// Unique among lifecycle policies; left out, it is the dataset.
    pub name: Option<At<String>>,
    /// The rows it governs.
    pub dataset: At<DatasetName>,
    /// The column that dates a row.
    pub clock: Option<At<Clock>>,
    /// A further condition in the store's own language; a row for which it is not true stays.
    pub r#where: Option<At<String>>,
    /// Moves rows out of the live table.
    pub archive: Option<At<ArchiveEntry>>,
    /// Removes rows for good; from the archive alone where the policy archives.
    pub delete: Option<At<DeleteEntry>>,
    /// No row is removed for good before this.
    pub keep_at_least: Option<At<KeepEntry>>,
    /// How much may go in one run without a person; by default 100000 rows and 20 percent.
    pub guard: Option<At<GuardEntry>>,
    /// What happens when other rows would go along through a foreign key; `refuse` by default.
    pub cascade: Option<At<Cascade>>,
}

/// Moves rows out of the live table.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename = "an `archive` step", deny_unknown_fields)]
#[schemars(rename = "ArchiveEntry")]
pub struct ArchiveEntry {
    /// The age at which a row is due.
    pub after: Option<At<Period>>,
    /// Where it goes; a dataset in the same store.
    pub to: Option<At<DatasetName>>,
    /// Makes the archive table when it is missing; `false` by default.
    pub create: Option<At<bool>>,
}

/// Removes rows for good.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "a `delete` step", deny_unknown_fields)]
#[schemars(rename = "DeleteEntry")]
pub struct DeleteEntry {
    /// The age at which a row is due.
    pub after: At<Period>,
}

/// A minimum before final removal.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "`keep_at_least`", deny_unknown_fields)]
#[schemars(rename = "KeepEntry")]
pub struct KeepEntry {
    /// How long.
    #[serde(rename = "for")]
    pub period: At<Period>,
    /// The law or promise behind it.
    pub because: String,
}

/// How much may go in one run without a person.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "a guard", deny_unknown_fields)]
#[schemars(rename = "GuardEntry")]
pub struct GuardEntry {
    /// Rows; at least 1.
    pub max_rows: Option<At<u64>>,
    /// Percent of the dataset's rows; more than 0, at most 100.
    pub max_percent: Option<At<f64>>,
}

/// What the fields of one dataset are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "a classification", deny_unknown_fields)]
#[schemars(rename = "ClassificationEntry")]
pub struct ClassificationEntry {
    /// Left out, it is the dataset.
    pub name: Option<At<String>>,
    /// The dataset the fields belong to.
    pub dataset: At<DatasetName>,
    /// Each field by its name.
    pub fields: Named<FieldEntry>,
}

/// What one field is, and how it must be protected.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "a classified field", deny_unknown_fields)]
#[schemars(rename = "FieldEntry")]
pub struct FieldEntry {
    /// What kind of data it is, in the owner's words.
    pub r#type: Option<At<String>>,
    /// How much harm a leak does.
    pub sensitivity: Option<At<Sensitivity>>,
    /// How it is protected.
    pub protect: Option<At<Protection>>,
    /// The column that holds the sealed value.
    pub sealed_in: Option<At<String>>,
    /// A minimum before final removal of the row; 0 means none.
    pub retention: Option<At<Period>>,
    /// The field must be sealed.
    pub encrypt: Option<At<bool>>,
    /// Reading it needs a right of its own.
    pub restrict: Option<At<bool>>,
    /// Reading it is logged.
    pub audit: Option<At<bool>>,
}

/// Rows that nothing may remove or alter.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "a hold", deny_unknown_fields)]
#[schemars(rename = "HoldEntry")]
pub struct HoldEntry {
    /// Unique among holds.
    pub name: At<String>,
    /// The rows' dataset; every archive fed by it is covered too.
    pub dataset: At<DatasetName>,
    /// Which rows, in the store's own language; all of them when left out.
    pub r#where: Option<At<String>>,
    /// Why.
    pub because: At<String>,
    /// Who asked for it.
    pub owner: Option<String>,
}
