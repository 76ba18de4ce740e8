//! What a run would find, and what stands in its way. Writes nothing, not even to the ledger.

use crate::action::{Action, Context, reason};
use crate::ledger::Ledger;
use crate::policy::policies::Policies;
use crate::report::run::{Reason, RunReport, Weight};
use crate::runner::approval::PlannedStep;
use crate::runner::dataset::Dataset;
use crate::runner::dataset_report::said;
use crate::runner::holds;
use crate::runner::previous_run;
use crate::runner::progress::Progress;
use crate::runner::runner::{Request, blank};
use crate::store::registry::Stores;
use chrono::SubsecRound;
use std::sync::Arc;

/// What a plan found, and the steps it would approve.
#[derive(Debug, Clone)]
pub struct Planned {
    /// For people and `--json`.
    pub report: RunReport,
    /// For the plan file; a dataset that could not be surveyed has none.
    pub steps: Vec<PlannedStep>,
    /// The statements that would be sent, for `--sql`.
    pub statements: Vec<String>,
}

/// What planning stands on.
#[derive(Clone)]
pub struct Planner {
    /// All stores.
    pub stores: Arc<Stores>,
    /// The effective policies.
    pub policies: Arc<Policies>,
    /// The ledger, once there is one: it may know holds that the files do not.
    pub ledger: Option<Ledger>,
    /// Whoever watches.
    pub progress: Arc<dyn Progress>,
}

/// A dataset, and why a run would leave it alone.
pub type Unfit = (String, Reason);

impl Planner {
    /// Prepares every dataset of a job, counts nothing, and gives what would be refused or fail, by dataset. Reads only.
    pub async fn unfit<A: Action>(&self, request: &Request) -> Vec<Unfit> {
        let in_force = match holds::look(self.ledger.as_ref(), &self.policies.holds).await {
            Ok(in_force) => in_force,
            // The ledger has a check of its own.
            Err(_) => self.policies.holds.clone(),
        };
        let cx = Context::new("doctor".into(), request.job.clone(), self.stores.clone(), self.policies.clone(), in_force);
        let mut unfit = vec![];
        for target in A::arrange(&cx, A::targets(&request.job, &self.policies)).await.targets {
            if let Err(failure) = Box::pin(A::prepare(&cx, &target, crate::clock::now())).await {
                unfit.push((A::label(&target).dataset, reason(&failure)));
            }
        }
        unfit
    }

    /// Surveys every dataset of a job.
    pub async fn plan<A: Action>(&self, request: &Request) -> Planned {
        let report =
            RunReport { started: None, ..blank(A::NAME, A::PRESENTATION, request, None, crate::clock::now().trunc_subsecs(6)) };
        let mut planned = Planned { report, steps: vec![], statements: vec![] };
        let in_force = match holds::look(self.ledger.as_ref(), &self.policies.holds).await {
            Ok(in_force) => in_force,
            Err(error) => {
                planned.report.reasons.push(Reason { weight: Weight::Failed, code: None, text: error.to_string(), help: None });
                return planned;
            }
        };
        let cx = Context::new("plan".into(), request.job.clone(), self.stores.clone(), self.policies.clone(), in_force);
        let cx = cx.remembering(previous_run::underneath(self.ledger.as_ref(), &request.job.name).await);
        let arranged = A::arrange(&cx, A::targets(&request.job, &self.policies)).await;
        planned.report.reasons.extend(said(&arranged.notes));
        for target in arranged.targets {
            let dataset = Dataset::<A> { cx: &cx, target: &target, progress: &*self.progress, as_of: planned.report.as_of };
            let (report, found) = Box::pin(dataset.look(None)).await;
            planned.report.datasets.push(report);
            if let Some((step, statements)) = found {
                planned.steps.push(step);
                planned.statements.extend(statements);
            }
        }
        if let Some(ledger) = &self.ledger {
            planned.report.ledger_head = ledger.head().await.ok().flatten().map(|head| head.hash);
        }
        planned
    }
}
