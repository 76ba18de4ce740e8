//! One execution of a job: lock, holds, settle, every dataset, and how it ended.

use crate::action::{Action, Context};
use crate::diagnostic::catalogue as codes;
use crate::job::outcome::Outcome;
use crate::job::spec::Mode;
use crate::ledger::lease::{Lease, LeaseError};
use crate::ledger::refusal::LedgerError;
use crate::ledger::run::{DryRuns, NewRun};
use crate::report::run::{Reason, RunReport, Weight};
use crate::runner::dataset::{Acting, Dataset};
use crate::runner::engine::{Request, Runner, blank};
use crate::runner::holds::{self, HoldsError};
use crate::runner::memory;
use crate::runner::outcome;
use std::time::Instant;
use uuid::Uuid;

impl Runner {
    /// Runs a job once. Whatever happens comes back as a report, recorded in the ledger unless that is what failed.
    ///
    /// The lease is held to the end, so that nobody begins before this run's last word is written.
    pub async fn run<A: Action>(&self, request: &Request) -> RunReport {
        let run = Uuid::now_v7().to_string();
        let mut report = blank(A::NAME, request, Some(run.clone()), self.now());
        let lease = match self.enter::<A>(request, &run, &report).await {
            Ok(lease) => lease,
            Err(reason) => {
                report.reasons.push(reason);
                self.conclude(request, &mut report, false);
                return report;
            }
        };
        let stopped = match self.work::<A>(request, &run, lease.as_ref(), &mut report).await {
            Ok(stopped) => stopped,
            Err(reason) => {
                report.reasons.push(reason);
                false
            }
        };
        self.conclude(request, &mut report, stopped);
        self.tell(request, &run, &mut report).await;
        // Not given back, its name would stand there until the next holder writes its own, and be told to whoever asks meanwhile.
        if let Some(lease) = lease
            && let Err(error) = lease.release().await
        {
            tracing::warn!("the lock of job `{}` is free, and the ledger does not know it: {error}", request.job.name);
        }
        report
    }

    /// The lock, and the run's first line in the ledger. A dry run takes no lock: it changes nothing.
    async fn enter<A: Action>(&self, request: &Request, run: &str, report: &RunReport) -> Result<Option<Lease>, Reason> {
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
        Ok(lease)
    }

    /// Holds, then every dataset. An error means that the ledger or the holds did not allow it to go on.
    async fn work<A: Action>(
        &self,
        request: &Request,
        run: &str,
        lease: Option<&Lease>,
        report: &mut RunReport,
    ) -> Result<bool, Reason> {
        let in_force = self.holds_in_force(request).await?;
        let cx = Context::new(run.to_owned(), request.job.clone(), self.stores.clone(), self.policies.clone(), in_force);
        let cx = cx.remembering(memory::underneath(Some(&self.ledger), &request.job.name).await);
        self.datasets::<A>(&cx, request, lease, report).await.map_err(no_ledger)
    }

    fn conclude(&self, request: &Request, report: &mut RunReport, stopped: bool) {
        let outcome = outcome::of_run(report, stopped);
        // Observing, a guard that would refuse is what there is to see, not a failure.
        let observed = request.job.mode == Mode::Observe && outcome == Outcome::Refused;
        report.outcome = Some(if observed { Outcome::Done } else { outcome });
        report.exit = report.outcome.map(Outcome::exit);
        report.ended = Some(self.now());
    }

    /// The page, the mail, and the run's last line in the ledger. A dry run is told to whoever asked, and to nobody else.
    async fn tell(&self, request: &Request, run: &str, report: &mut RunReport) {
        let told = async {
            report.ledger_head = self.ledger.head().await?.map(|head| head.hash);
            if !request.dry_run {
                let last = self.ledger.last_ended(&request.job.name, run, DryRuns::Skipped).await?;
                let last = last.and_then(|row| serde_json::from_value(row.report?).ok());
                self.reporting.tell(&request.job.report, report, last.as_ref()).await;
            }
            let outcome = report.outcome.unwrap_or(Outcome::Done);
            let text = serde_json::to_value(&*report).unwrap_or_default();
            self.ledger.end_run(run, report.ended.unwrap_or(report.as_of), outcome, &text).await
        };
        if let Err(error) = told.await {
            report.reasons.push(no_ledger(error));
            report.outcome = Some(report.outcome.unwrap_or(Outcome::Partial).worse(Outcome::Partial));
            report.exit = report.outcome.map(Outcome::exit);
        }
    }

    async fn lease(&self, job: &str, run: &str) -> Result<Lease, Reason> {
        self.ledger.lease(job, run, self.now()).await.map_err(|error| match error {
            LeaseError::Held { .. } => Reason {
                weight: Weight::Temporary,
                code: Some(codes::LEASE_HELD.to_string()),
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
        for target in A::arrange(cx, A::targets(&request.job, &self.policies)).await {
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
        code: Some(codes::NO_EVIDENCE.to_string()),
        text: error.to_string(),
        help: Some("without evidence nothing is done; see `ledger` in steward.yaml".into()),
    }
}
