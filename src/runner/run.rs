//! One execution of a job: lock, holds, settle, every dataset, and how it ended.

use crate::action::{Action, Context};
use crate::job::outcome::Outcome;
use crate::job::spec::{Job, Mode};
use crate::ledger::book::Ledger;
use crate::ledger::lease::{Lease, LeaseError};
use crate::ledger::refusal::LedgerError;
use crate::ledger::run::NewRun;
use crate::policy::set::Policies;
use crate::report::run::{Reason, RunReport, Weight};
use crate::runner::approval::PlanFile;
use crate::runner::dataset::{Acting, Dataset};
use crate::runner::holds::{self, HoldsError};
use crate::runner::outcome;
use crate::runner::progress::Progress;
use crate::store::connect::Stores;
use chrono::{DateTime, SubsecRound, Utc};
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

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
    /// How often a batch is tried again while its store is busy.
    pub retries: usize,
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
    #[expect(clippy::unused_self, reason = "the one place to put another clock")]
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }

    /// Runs a job once. Whatever happens comes back as a report, recorded in the ledger unless that is what failed.
    pub async fn run<A: Action>(&self, request: &Request) -> RunReport {
        let run = Uuid::now_v7().to_string();
        let mut report = blank(A::NAME, request, Some(run.clone()), self.now());
        if let Err(reason) = self.recorded::<A>(request, &run, &mut report).await {
            report.reasons.push(reason);
            report.outcome = Some(outcome::of_run(&report, false));
            report.exit = report.outcome.map(Outcome::exit);
        }
        report.ended = Some(self.now());
        report
    }

    /// The run proper. An error means that the ledger or the lock did not allow it to go on.
    async fn recorded<A: Action>(&self, request: &Request, run: &str, report: &mut RunReport) -> Result<(), Reason> {
        let lease = if request.dry_run { None } else { Some(self.lease(&request.job.name, run).await?) };
        let started = NewRun {
            id: run.to_owned(),
            job: request.job.name.clone(),
            action: A::NAME.to_owned(),
            mode: request.job.mode,
            dry_run: request.dry_run,
            as_of: report.as_of,
            started: report.started.unwrap_or(report.as_of),
        };
        self.ledger.start_run(&started).await.map_err(no_ledger)?;
        let in_force = self.holds_in_force(request).await?;
        let cx = Context::new(run.to_owned(), request.job.clone(), self.stores.clone(), self.policies.clone(), in_force);
        let stopped = self.datasets::<A>(&cx, request, lease.as_ref(), report).await.map_err(no_ledger)?;
        let outcome = outcome::of_run(report, stopped);
        let observed = request.job.mode == Mode::Observe && outcome == Outcome::Refused;
        report.outcome = Some(if observed { Outcome::Done } else { outcome });
        report.exit = report.outcome.map(Outcome::exit);
        report.ledger_head = self.ledger.head().await.map_err(no_ledger)?.map(|head| head.hash);
        Ok(())
    }

    async fn lease(&self, job: &str, run: &str) -> Result<Lease, Reason> {
        self.ledger.lease(job, run, self.now()).await.map_err(|error| match error {
            LeaseError::Held { .. } => Reason {
                weight: Weight::Temporary,
                code: Some("SW5005".into()),
                text: error.to_string(),
                help: Some("wait for it to end; a lock whose process is gone frees itself".into()),
            },
            LeaseError::Ledger(error) => no_ledger(error),
        })
    }

    async fn holds_in_force(&self, request: &Request) -> Result<Vec<crate::policy::hold::Hold>, Reason> {
        let found = if request.dry_run {
            holds::look(Some(&self.ledger), &self.policies.holds).await
        } else {
            holds::learn(&self.ledger, &self.policies.holds, self.now()).await
        };
        found.map_err(|error| match error {
            HoldsError::Ledger(error) => no_ledger(error),
            other => Reason { weight: Weight::Refused, code: None, text: other.to_string(), help: None },
        })
    }

    /// Every dataset in the job's order; one that cannot be done does not stop the others. True when a signal ended it.
    async fn datasets<A: Action>(
        &self,
        cx: &Context,
        request: &Request,
        lease: Option<&Lease>,
        report: &mut RunReport,
    ) -> Result<bool, LedgerError> {
        let acting = lease.filter(|_| request.acts()).map(|lease| Acting {
            runner: self,
            lease,
            approval: request.approval.as_ref(),
            deadline: request.job.budget.and_then(|budget| Some(Instant::now() + budget.duration().to_std().ok()?)),
            as_of_is_given: request.as_of.is_some() || request.approval.is_some(),
        });
        let mut stopped = false;
        for target in A::targets(&request.job, &self.policies) {
            let dataset = Dataset::<A> { cx, target: &target, as_of: report.as_of };
            match &acting {
                None => report.datasets.push(dataset.look(request.approval.as_ref()).await.0),
                Some(acting) => {
                    let end = dataset.carry_out(acting).await?;
                    report.datasets.push(end.report);
                    report.settled.extend(end.settled);
                    stopped |= end.stopped;
                }
            }
        }
        Ok(stopped)
    }
}

/// A ledger that cannot be written refuses everything.
fn no_ledger(error: LedgerError) -> Reason {
    let weight = if error.is_busy() { Weight::Temporary } else { Weight::Failed };
    Reason {
        weight,
        code: Some("SW5006".into()),
        text: error.to_string(),
        help: Some("without evidence nothing is done; see `ledger` in steward.yaml".into()),
    }
}

/// The report of a run that has done nothing yet.
pub fn blank(action: &str, request: &Request, run: Option<String>, now: DateTime<Utc>) -> RunReport {
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
        ended: None,
        datasets: vec![],
        findings: vec![],
        reasons: vec![],
        settled: vec![],
        report: None,
        ledger_head: None,
    }
}
