//! One execution of a job that acts: holds, and every dataset in the job's order.

use crate::action::{Action, Context};
use crate::ledger::error::LedgerError;
use crate::ledger::lease::Lease;
use crate::policy::hold::Hold;
use crate::report::format;
use crate::report::presentation::Presentation;
use crate::report::run::{Reason, RunReport, Weight};
use crate::runner::approved::{self, Approved};
use crate::runner::dataset::{Acting, Dataset};
use crate::runner::dataset_report::said;
use crate::runner::holds::{self, HoldsError};
use crate::runner::lifecycle::{Begun, Work, no_ledger};
use crate::runner::previous_run;
use crate::runner::runner::{Request, Runner};
use crate::runner::time_ahead::time_ahead;
use std::marker::PhantomData;
use std::time::Instant;

/// What a run of an action does.
struct Acts<A>(PhantomData<A>);

impl<A: Action> Work for Acts<A> {
    const ACTION: &'static str = A::NAME;
    const PRESENTATION: &'static Presentation = A::PRESENTATION;

    /// Holds, then every dataset. An error means that the ledger or the holds did not allow it to go on.
    async fn work(&self, begun: Begun<'_>, report: &mut RunReport) -> Result<bool, Reason> {
        let Begun { runner, request, run, lease } = begun;
        if let Some(file) = &request.approval
            && let Some(reason) = approved::refuse_used(runner, file, &request.job.name).await.map_err(no_ledger)?
        {
            return Err(reason);
        }
        if request.acts() && report.as_of > runner.now() {
            return Err(time_ahead(&format!("this run would measure from {}", format::instant(report.as_of))));
        }
        let in_force = runner.holds_in_force(request).await?;
        let cx = Context::new(run.to_owned(), request.job.clone(), runner.stores.clone(), runner.policies.clone(), in_force);
        let cx = cx.remembering(previous_run::underneath(Some(&runner.ledger), &request.job.name).await);
        runner.datasets::<A>(&cx, request, lease, report).await.map_err(no_ledger)
    }
}

impl Runner {
    /// Runs a job of an action once.
    pub async fn run<A: Action>(&self, request: &Request) -> RunReport {
        self.lifecycle(request, &Acts::<A>(PhantomData)).await
    }

    async fn holds_in_force(&self, request: &Request) -> Result<Vec<Hold>, Reason> {
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
        let approved = request.approval.as_ref().map(|file| Approved::by(self, file));
        let acting = lease.filter(|_| request.acts()).map(|lease| Acting {
            runner: self,
            lease,
            approved: approved.as_ref(),
            deadline: request.job.budget.and_then(|budget| Some(Instant::now() + budget.duration().to_std().ok()?)),
            as_of_is_given: request.as_of.is_some() || request.approval.is_some(),
        });
        let mut stopped = false;
        let arranged = A::arrange(cx, A::targets(&request.job, &self.policies)).await;
        report.reasons.extend(said(&arranged.notes));
        for target in arranged.targets {
            let dataset = Dataset::<A> { cx, target: &target, progress: &*self.progress, as_of: report.as_of };
            match &acting {
                None => report.datasets.push(Box::pin(dataset.look(request.approval.as_ref())).await.0),
                Some(acting) => {
                    let end = Box::pin(dataset.carry_out(acting)).await?;
                    report.datasets.push(end.report);
                    report.settled.extend(end.settled);
                    stopped |= end.stopped;
                }
            }
        }
        report.approval = approved.and_then(|approved| approved.told());
        Ok(stopped)
    }
}
