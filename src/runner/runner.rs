//! What a run stands on, and what is asked of it.

use crate::job::origin::StartedBy;
use crate::job::spec::{Job, Mode};
use crate::ledger::Ledger;
use crate::policy::policies::Policies;
use crate::report::presentation::Presentation;
use crate::report::run::RunReport;
use crate::runner::approval::PlanFile;
use crate::runner::delivery::Reporting;
use crate::runner::progress::Progress;
use crate::store::registry::Stores;
use chrono::{DateTime, SubsecRound, Utc};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What a run stands on.
#[derive(Clone)]
pub struct Runner {
    /// All stores.
    pub stores: Arc<Stores>,
    /// The effective policies.
    pub policies: Arc<Policies>,
    /// Where evidence goes.
    pub ledger: Ledger,
    /// Ends the run at the edge of a batch.
    pub stop: CancellationToken,
    /// Whoever watches.
    pub progress: Arc<dyn Progress>,
    /// Where reports go.
    pub reporting: Reporting,
    /// How often a batch is tried again while its store is busy.
    pub retries: usize,
    /// Who starts its runs.
    pub started_by: StartedBy,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The job.
    pub job: Arc<Job>,
    /// Look only.
    pub dry_run: bool,
    /// What "older than" is measured from; now when absent.
    pub as_of: Option<DateTime<Utc>>,
    /// A plan that a person has seen.
    pub approval: Option<PlanFile>,
}

impl Request {
    /// True when stores may change.
    pub fn acts(&self) -> bool {
        !self.dry_run && self.job.mode == Mode::Enforce
    }
}

impl Runner {
    /// The time. Asked here and nowhere else in a run.
    pub fn now(&self) -> DateTime<Utc> {
        crate::clock::now().trunc_subsecs(6)
    }
}

/// The report of a run that has done nothing yet.
pub fn blank(
    action: &str,
    presentation: &'static Presentation,
    request: &Request,
    run: Option<String>,
    now: DateTime<Utc>,
) -> RunReport {
    RunReport {
        run,
        job: request.job.name.clone(),
        action: action.to_owned(),
        mode: request.job.mode,
        dry_run: request.dry_run,
        outcome: None,
        exit: None,
        as_of: request.approval.as_ref().map(|file| file.plan.as_of).or(request.as_of).unwrap_or(now),
        started: Some(now),
        started_by: None,
        approval: None,
        ended: None,
        datasets: vec![],
        findings: vec![],
        reasons: vec![],
        settled: vec![],
        report: None,
        ledger_head: None,
        presentation,
    }
}
