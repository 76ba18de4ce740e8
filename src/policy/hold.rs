//! Legal holds: rows that nothing may remove or alter, whatever a policy says.

use super::dataset::DatasetName;
use crate::place::Place;
use serde::Serialize;

/// A legal hold. It covers its dataset and every archive fed by it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hold {
    /// Unique among holds.
    pub name: String,
    /// The rows' dataset.
    pub dataset: DatasetName,
    /// Which rows, in the store's own language; all of them when absent. A row for which it is unknown (NULL) is held.
    pub r#where: Option<String>,
    /// Why.
    pub because: String,
    /// Who asked for it.
    pub owner: Option<String>,
    /// Where it was declared.
    pub origin: HoldOrigin,
}

/// Where a hold comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldOrigin {
    /// A policy file that is there now.
    File(Place),
    /// `hold add`.
    Command,
    /// Once seen in a file and gone from it since: in force until `hold release`.
    Remembered,
}
