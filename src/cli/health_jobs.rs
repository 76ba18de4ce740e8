//! For `steward doctor`: whether the jobs would be refused by the stores as they are. Nothing is counted and nothing is sent.

use super::app::App;
use super::health::{Check, Verdict};
use crate::actions;
use crate::report::format::plural;
use crate::report::run::{Reason, Weight};
use crate::runner::Request;
use std::sync::Arc;

/// Prepares every dataset of every job; none where the ledger gives no answer, which has a check of its own.
pub(super) async fn jobs(app: &App) -> Option<Check> {
    const WHAT: &str = "jobs";
    let planner = app.planner().await.ok()?;
    let mut wrong: Vec<(String, Reason)> = vec![];
    for job in &app.declarations.jobs {
        let Some(action) = actions::named(&job.action) else { continue };
        let request = Request { job: Arc::new(job.clone()), dry_run: true, as_of: None, approval: None };
        // What may pass by itself is told with the store.
        let unfit = action.unfit(&planner, &request).await.into_iter().filter(|(_, reason)| reason.weight != Weight::Temporary);
        wrong.extend(unfit.map(|(dataset, reason)| (format!("job `{}`, `{dataset}`", job.name), reason)));
    }
    let Some((at, reason)) = wrong.first() else {
        return Some(Check::ok(WHAT, "nothing in the stores keeps one from its datasets"));
    };
    let more = if wrong.len() > 1 { format!(", and {} more", plural(wrong.len() as u64 - 1, "dataset")) } else { String::new() };
    let code = reason.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
    let help = reason.help.clone().unwrap_or_else(|| "`steward validate --connect` tells more".to_owned());
    Some(Check::not(WHAT, Verdict::Fail, format!("{at}: {}{code}{more}", reason.text), help))
}
