//! The plan under which a run acts: an event of its own before the first batch, and good for one run.

use crate::diagnostic::codes;
use crate::ledger::error::LedgerError;
use crate::ledger::event::Event;
use crate::ledger::lease::Lease;
use crate::report::run::{Approval, Reason, Weight};
use crate::runner::approval::PlanFile;
use crate::runner::runner::Runner;
use std::sync::atomic::{AtomicBool, Ordering};

/// The plan under which a run acts.
#[derive(Debug)]
pub struct Approved<'a> {
    /// The plan.
    pub file: &'a PlanFile,
    by: String,
    recorded: AtomicBool,
}

impl<'a> Approved<'a> {
    /// The plan, approved by whoever starts the run.
    pub fn by(runner: &Runner, file: &'a PlanFile) -> Self {
        let by = format!("{} on {}", runner.started_by.actor, runner.started_by.host);
        Self { file, by, recorded: AtomicBool::new(false) }
    }

    /// Records, once and before the first batch under it, that the plan was approved, and by whom.
    ///
    /// # Errors
    /// The ledger's: nothing may be touched then.
    pub async fn record(&self, runner: &Runner, lease: &Lease) -> Result<(), LedgerError> {
        if self.recorded.load(Ordering::Relaxed) {
            return Ok(());
        }
        let plan = &self.file.plan;
        let event = Event::Approved {
            plan: self.file.sha256.clone(),
            by: Some(self.by.clone()),
            made: Some(plan.made),
            made_by: plan.made_by.clone(),
        };
        runner.ledger.append_under(lease, &event, runner.now()).await?;
        self.recorded.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// For the report: none where nothing was done under it.
    pub fn told(&self) -> Option<Approval> {
        let plan = &self.file.plan;
        let told =
            || Approval { plan: self.file.sha256.clone(), by: self.by.clone(), made: plan.made, made_by: plan.made_by.clone() };
        self.recorded.load(Ordering::Relaxed).then(told)
    }
}

/// Why a plan is good for no run any more, where an earlier run began a batch under it.
///
/// # Errors
/// The ledger cannot be read: nothing may be touched then.
pub async fn refuse_used(runner: &Runner, file: &PlanFile, job: &str) -> Result<Option<Reason>, LedgerError> {
    let used = runner.ledger.run_under_plan(&file.sha256, job).await?;
    Ok(used.map(|run| Reason {
        weight: Weight::Refused,
        code: Some(codes::PLAN_USED.to_string()),
        text: format!("the plan file was used by run `{run}` already, and is good for one run; nothing was touched"),
        help: Some(format!("plan again: `steward plan {job} --out FILE`; `steward runs {run}` tells what was done")),
    }))
}
