//! Views that are refreshed: the rules that refresh-views carries out.

use super::dataset::DatasetName;
use super::period::Period;
use crate::place::Place;
use serde::Serialize;

/// One entry of `views`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct View {
    /// Unique among views; the dataset when none was written.
    pub name: String,
    /// Who answers for the data.
    pub owner: Option<String>,
    /// The materialized view, or the summary table that `statements` fill.
    pub dataset: DatasetName,
    /// True: refreshed while others read it, or not at all. False: the readers may be made to wait where it cannot be helped.
    pub concurrently: bool,
    /// Left alone when the store's statistics show no change underneath. Statistics are no proof, so it is opt-in.
    pub skip_unchanged: bool,
    /// What fills a summary table, in one transaction; empty for a materialized view.
    pub statements: Vec<String>,
    /// Waiting for a lock ends after this; the store's own limit when absent.
    pub lock_timeout: Option<Period>,
    /// The refresh may take so long; 30 minutes when absent.
    pub statement_timeout: Option<Period>,
    /// Where it was declared.
    #[serde(skip)]
    pub place: Place,
}
