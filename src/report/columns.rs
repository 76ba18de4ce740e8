//! What a report shows of what an action did: a column for each count, and their sums.

use super::run::{DatasetReport, RunReport};
use crate::counter::Counter;

/// A number, its name and its tone.
pub type Tile = (String, String, &'static str);

/// A count as a report shows it.
#[derive(Debug, Clone, Copy)]
pub struct CountColumn<'r> {
    /// Its name in JSON.
    pub key: &'r str,
    /// The head of its column.
    pub head: &'r str,
    /// Done: `1,204 archived`.
    pub done: &'r str,
    told_by: &'r [&'r str],
}

impl CountColumn<'_> {
    /// How often it was done to a dataset; `None` where it does not apply.
    pub fn count(&self, dataset: &DatasetReport) -> Option<u64> {
        dataset.counts.by_key(self.key)
    }

    /// How often it was done in a run.
    pub fn sum(&self, report: &RunReport) -> u64 {
        report.datasets.iter().filter_map(|dataset| self.count(dataset)).fold(0, u64::saturating_add)
    }
}

impl<'r> From<&'r Counter> for CountColumn<'r> {
    fn from(counter: &'r Counter) -> Self {
        Self { key: counter.key, head: counter.column, done: counter.done, told_by: counter.told_by }
    }
}

/// The columns of a report: what its action is for, and whatever some dataset has a number for. A count that nobody here declared
/// is shown by its own name.
pub fn columns(report: &RunReport) -> Vec<CountColumn<'_>> {
    let (main, datasets) = (report.presentation.main.map(|main| main.key), &report.datasets);
    let mut columns: Vec<CountColumn<'_>> = report.presentation.read().map(CountColumn::from).collect();
    columns.retain(|column| main == Some(column.key) || datasets.iter().any(|dataset| column.count(dataset).is_some()));
    for (key, _) in datasets.iter().flat_map(|dataset| dataset.counts.iter()) {
        if report.presentation.counter(key).is_none() && columns.iter().all(|column| column.key != key) {
            columns.push(CountColumn { key, head: key, done: key, told_by: &[] });
        }
    }
    columns
}

/// What a run did, with its sum, where it did any of it. Rows that were archived are not told again as removed.
pub fn done(report: &RunReport) -> Vec<(CountColumn<'_>, u64)> {
    let sums = columns(report).into_iter().map(|column| (column, column.sum(report)));
    let sums: Vec<_> = sums.filter(|(_, sum)| *sum > 0).collect();
    let is_told = |column: &CountColumn<'_>| sums.iter().any(|(by, _)| column.told_by.contains(&by.key));
    sums.iter().filter(|(column, _)| !is_told(column)).copied().collect()
}
