//! What the job's last run left for this one: the numbers underneath its views.

use crate::ledger::Ledger;
use crate::report::run::RunReport;
use std::collections::BTreeMap;

/// Runs looked back at, at most: dry runs and runs that broke off say nothing.
const LOOKED_AT: u32 = 20;

/// What the last run that ended saw underneath each view that it left fresh, by the view's name. Empty when nothing is known:
/// then every view counts as changed.
pub async fn underneath(ledger: Option<&Ledger>, job: &str) -> BTreeMap<String, String> {
    let Some(ledger) = ledger else { return BTreeMap::new() };
    let runs = ledger.runs(Some(job), LOOKED_AT).await.unwrap_or_default();
    let last = runs.into_iter().filter(|run| !run.dry_run && run.ended.is_some()).find_map(|run| run.report);
    let report = last.and_then(|report| serde_json::from_value::<RunReport>(report).ok()).filter(|report| !report.is_prospect());
    let datasets = report.map(|report| report.datasets).unwrap_or_default();
    datasets.into_iter().filter_map(|dataset| Some((dataset.policy, dataset.underneath?))).collect()
}
