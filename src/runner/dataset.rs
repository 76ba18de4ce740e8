//! One dataset of a run: prepare, survey, guard, and where the run acts, the batches.

use crate::action::{Action, Context, Facts, Label, reason};
use crate::counter::Counts;
use crate::diagnostic::codes;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::error::LedgerError;
use crate::ledger::event::Event;
use crate::ledger::lease::Lease;
use crate::report::run::{DatasetReport, Reason, Settled, Weight};
use crate::runner::allowance::Allowance;
use crate::runner::approval::{PlanFile, PlannedStep, basis};
use crate::runner::approved::Approved;
use crate::runner::batches::{Batches, Cut, Worked};
use crate::runner::dataset_report::{
    blocked, closed, conflicts, cut_short, debt, guarded, held_by, notes, refresh, said, told, untold, warned,
};
use crate::runner::progress::Progress;
use crate::runner::recovery::SettleError;
use crate::runner::runner::Runner;
use crate::runner::time_ahead::{not_come, pass_ahead, pass_unbound};
use crate::runner::{guard, heartbeat, recovery};
use crate::store::error::StoreFailure;
use crate::store::identity::StoreIdentity;
use crate::store::survey::Survey;
use backon::{ExponentialBuilder, Retryable};
use chrono::{DateTime, Utc};
use std::time::{Duration, Instant};

/// One dataset of a run.
pub struct Dataset<'a, A: Action> {
    /// What the action sees.
    pub cx: &'a Context,
    /// What it works on.
    pub target: &'a A::Target,
    /// Whoever watches.
    pub progress: &'a dyn Progress,
    /// The run's own instant; a pass that goes on has an older one.
    pub as_of: DateTime<Utc>,
}

/// How a run that acts may act.
pub struct Acting<'a> {
    /// The runner.
    pub runner: &'a Runner,
    /// The job's lease.
    pub lease: &'a Lease,
    /// A plan that a person has seen.
    pub approved: Option<&'a Approved<'a>>,
    /// When the budget is used up.
    pub deadline: Option<Instant>,
    /// `--as-of` was given: an open pass with another instant is not gone on with.
    pub as_of_is_given: bool,
}

/// What one dataset came to.
pub struct DatasetEnd {
    /// For the report.
    pub report: DatasetReport,
    /// Batches of an earlier run that were settled.
    pub settled: Vec<Settled>,
    /// A signal ended it.
    pub stopped: bool,
}

/// What a survey found.
pub struct Surveyed<A> {
    /// The action, prepared.
    pub action: A,
    /// What is known of it.
    pub facts: Facts,
    /// What there is.
    pub counts: Survey,
    /// The report so far.
    pub report: DatasetReport,
    /// What a plan file would say.
    pub step: PlannedStep,
}

impl<A> Surveyed<A> {
    /// What must stay the same for a stopped pass to go on.
    fn continues(&self) -> String {
        basis(&format!("{}|{:?}", self.facts.fingerprint, self.step.stores))
    }
}

impl<A: Action> Dataset<'_, A> {
    /// Prepares and counts; reads only. A refusal comes back as the report that tells it.
    pub async fn survey(&self, as_of: DateTime<Utc>) -> Result<Surveyed<A>, Box<DatasetReport>> {
        let label = A::label(self.target);
        let fail = |failure| Box::new(closed(untold(&label, vec![reason(&failure)])));
        // Boxed: what is looked at before a removal is many calls deep, and a thread's stack is not.
        let action = Box::pin(A::prepare(self.cx, self.target, as_of)).await.map_err(fail)?;
        let facts = action.facts(self.cx);
        let stores = self.stores(&facts).await.map_err(fail)?;
        let counts = self.counted(&action, &facts).await.map_err(fail)?;
        let mut report = told(&label, &facts, &counts);
        report.reasons.extend(notes(&facts, &counts));
        let step = PlannedStep {
            job: self.cx.job.name.clone(),
            dataset: label.dataset,
            policy: label.policy,
            cutoff: facts.cutoff,
            basis: basis(&format!("{}|{:?}", facts.fingerprint, facts.guard)),
            due: counts.due,
            held: counts.held,
            blocked: counts.blocked,
            stores,
        };
        Ok(Surveyed { action, facts, counts, report, step })
    }

    /// The databases that it works on and goes by: a plan is approved for them, and a pass is continued in no other.
    async fn stores(&self, facts: &Facts) -> Result<Vec<StoreIdentity>, StoreFailure> {
        let mut stores = vec![];
        for name in std::iter::once(&facts.store).chain(&facts.owners) {
            stores.push(self.cx.stores.identity(name, &self.cx.application_name()).await?);
        }
        Ok(stores)
    }

    /// What there is; where it takes long, whoever watches is told how far it is.
    async fn counted(&self, action: &A, facts: &Facts) -> Result<Survey, StoreFailure> {
        let what = A::label(self.target).dataset;
        heartbeat::with_heartbeat(action.survey(self.cx), self.progress, self.cx, &what, &[&facts.store]).await
    }

    /// Surveys, and says what the real run would do or refuse. Touches nothing.
    pub async fn look(&self, approval: Option<&PlanFile>) -> (DatasetReport, Option<(PlannedStep, Vec<String>)>) {
        match Box::pin(self.survey(self.as_of)).await {
            Err(report) => (*report, None),
            Ok(mut surveyed) => {
                let refusals = self.refusals(&surveyed, approval);
                surveyed.report.reasons.extend(blocked(&surveyed.counts, Weight::Warning, &A::label(self.target)));
                guarded(&mut surveyed.report, &surveyed.counts, refusals);
                surveyed.report.debt = Some(debt(&surveyed.counts));
                (closed(surveyed.report), Some((surveyed.step, surveyed.facts.statements)))
            }
        }
    }

    /// Does it. Errors are the ledger's: the run ends there.
    pub async fn carry_out(&self, acting: &Acting<'_>) -> Result<DatasetEnd, LedgerError> {
        let label = A::label(self.target);
        let mut pass = acting.runner.ledger.checkpoint(&self.cx.job.name, &label.dataset, &label.policy).await?;
        let mut unbound = None;
        if let Some(open) = &pass
            && !acting.runner.ledger.left_by_a_batch(open).await?
        {
            // An older steward left it, or somebody edited it: a new one costs a walk, and takes no row that is not due.
            unbound = pass.take().map(|_| pass_unbound());
        }
        let (mut surveyed, pass) = match Box::pin(self.survey_pass(pass, acting)).await {
            Ok(found) => found,
            Err(report) => {
                note_refusal(acting, &report).await?;
                return Ok(DatasetEnd { report: *report, settled: vec![], stopped: false });
            }
        };
        surveyed.report.reasons.extend(unbound);
        let settled = match recovery::open_batches(acting.runner, self.cx, acting.lease, &surveyed.action, &label).await {
            Ok(settled) => settled,
            Err(SettleError::Ledger(error)) => return Err(error),
            Err(SettleError::Store(failure)) => {
                surveyed.report.reasons.push(reason(&failure));
                return Ok(DatasetEnd { report: closed(surveyed.report), settled: vec![], stopped: false });
            }
        };
        let mut refusals = self.refusals(&surveyed, acting.approved.map(|approved| approved.file));
        refusals.extend(not_come(&surveyed.facts, acting.runner.now()));
        if !refusals.is_empty() {
            guarded(&mut surveyed.report, &surveyed.counts, refusals);
            surveyed.report.debt = Some(debt(&surveyed.counts));
            let report = closed(surveyed.report);
            note_refusal(acting, &report).await?;
            return Ok(DatasetEnd { report, settled, stopped: false });
        }
        let worked = Box::pin(self.work(&surveyed, &label, pass, acting)).await?;
        let stopped = worked.cut == Some(Cut::Stopped);
        let report = self.finish(surveyed, worked).await;
        Ok(DatasetEnd { report, settled, stopped })
    }

    /// A pass that was stopped goes on with its own cutoff, unless policy, schema or holds changed since.
    async fn survey_pass(
        &self,
        pass: Option<Checkpoint>,
        acting: &Acting<'_>,
    ) -> Result<(Surveyed<A>, Checkpoint), Box<DatasetReport>> {
        let label = A::label(self.target);
        let mut fresh = Checkpoint {
            job: self.cx.job.name.clone(),
            dataset: label.dataset,
            policy: label.policy,
            fingerprint: String::new(),
            as_of: self.as_of,
            cursor: None,
        };
        let ahead = pass.as_ref().map(|open| open.as_of).filter(|as_of| *as_of > acting.runner.now());
        let open = pass.filter(|open| ahead.is_none() && (!acting.as_of_is_given || open.as_of == self.as_of));
        if let Some(open) = open {
            let mut surveyed = self.survey(open.as_of).await?;
            if surveyed.continues() == open.fingerprint {
                surveyed.report.reasons.push(Reason {
                    weight: Weight::Note,
                    code: None,
                    text: format!("goes on with the pass that was stopped, as of {}", open.as_of.format("%Y-%m-%d %H:%M:%S UTC")),
                    help: None,
                });
                return Ok((surveyed, open));
            }
        }
        let mut surveyed = self.survey(self.as_of).await?;
        fresh.fingerprint = surveyed.continues();
        surveyed.report.reasons.extend(ahead.map(pass_ahead));
        Ok((surveyed, fresh))
    }

    fn refusals(&self, surveyed: &Surveyed<A>, approval: Option<&PlanFile>) -> Vec<Reason> {
        let mut refusals = guard::refusals(&surveyed.facts, &surveyed.counts, approval.is_some());
        if let Some(Err(why)) = approval.map(|plan| plan.approves(&surveyed.step)) {
            refusals.push(Reason {
                weight: Weight::Refused,
                code: Some(codes::PLAN_STALE.to_string()),
                text: format!("the plan file does not approve this: {why}; nothing was touched"),
                help: Some(format!("plan again: `steward plan {} --out FILE`", self.cx.job.name)),
            });
        }
        refusals
    }

    async fn work(
        &self,
        surveyed: &Surveyed<A>,
        label: &Label,
        pass: Checkpoint,
        acting: &Acting<'_>,
    ) -> Result<Worked, LedgerError> {
        if surveyed.counts.going() == 0 {
            return Ok(Worked::default());
        }
        if let Some(approved) = acting.approved {
            approved.record(acting.runner, acting.lease).await?;
        }
        let pauses =
            ExponentialBuilder::default().with_min_delay(Duration::from_millis(100)).with_max_times(acting.runner.retries);
        let begun = (|| surveyed.action.begin(self.cx)).retry(pauses).when(StoreFailure::is_busy).await;
        let remarks = match begun {
            Ok(remarks) => remarks,
            Err(failure) => {
                let mut worked = Worked::default();
                worked.give_up(reason(&failure));
                return Ok(worked);
            }
        };
        acting.runner.progress.begin(label, surveyed.counts.going());
        let batches = Batches {
            runner: acting.runner,
            cx: self.cx,
            lease: acting.lease,
            action: &surveyed.action,
            target: self.target,
            label,
            facts: &surveyed.facts,
            pass,
            deadline: acting.deadline,
            allowance: Allowance::of(
                &surveyed.facts.guard,
                &surveyed.counts,
                acting.approved.and_then(|approved| approved.file.planned(&surveyed.step)),
            ),
        };
        let worked = Box::pin(batches.work()).await;
        acting.runner.progress.end();
        let mut worked = worked?;
        // What was said before the run began is not said again.
        worked.reasons.extend(warned(&remarks).filter(|remark| !surveyed.report.reasons.contains(remark)));
        Ok(worked)
    }

    /// Counts again what is left, leaves the store's own audit row, and adds it all up.
    async fn finish(&self, surveyed: Surveyed<A>, worked: Worked) -> DatasetReport {
        let mut report = surveyed.report;
        let changed_anything = worked.tally.counts.done() > 0;
        if changed_anything && let Err(failure) = surveyed.action.finish(self.cx, &worked.tally).await {
            let mut reason = reason(&failure);
            // A table of another shape was never meant: that is worth a word, and no failure.
            let is_unfit = matches!(failure, StoreFailure::Refused { code: codes::AUDIT_UNFIT, .. });
            reason.weight = if is_unfit { Weight::Note } else { Weight::Failed };
            reason.text = format!("no row was left in the store's own audit: {}", reason.text);
            report.reasons.push(reason);
        }
        if changed_anything {
            report.reasons.extend(said(&surveyed.action.after_run(self.cx, &worked.tally).await));
        }
        let left = if worked.batches == 0 && worked.cut.is_none() {
            Ok(surveyed.counts)
        } else {
            self.counted(&surveyed.action, &surveyed.facts).await
        };
        for counter in &surveyed.facts.counts {
            report.counts.add(&Counts::of([(*counter, 0)]));
        }
        report.counts.add(&worked.tally.counts);
        if report.due.is_some_and(|due| due > 0) && !changed_anything {
            // It is not fresh: the next run must not take these numbers for those of its last refresh.
            report.underneath = None;
        }
        report.batches = worked.batches;
        report.left.changed = worked.tally.changed;
        report.left.conflict = worked.tally.conflicts.len() as u64;
        report.left.failed = worked.failed;
        let known = report.reasons.clone();
        report.reasons.extend(conflicts(&worked.tally.conflicts));
        report.reasons.extend(worked.reasons);
        match left {
            Ok(counts) => {
                report.refresh = refresh(&counts);
                report.debt = Some(debt(&counts));
                report.left.held = counts.held;
                report.reasons.extend(said(&counts.remarks).filter(|remark| !known.contains(remark)));
                report.left.undated = counts.undated;
                report.left.locked = worked.locked;
                report.left.blocked = counts.blocked;
                report.reasons.extend(blocked(&counts, Weight::Failed, &A::label(self.target)));
                report.holds = held_by(&counts);
                if let Some(cut) = worked.cut {
                    let stay = counts.going().saturating_sub(report.left.failed + report.left.conflict + report.left.locked);
                    cut_short(&mut report, cut, stay);
                }
            }
            Err(failure) => report.reasons.push(reason(&failure)),
        }
        closed(report)
    }
}

async fn note_refusal(acting: &Acting<'_>, report: &DatasetReport) -> Result<(), LedgerError> {
    let why = report.reasons.iter().filter(|reason| !matches!(reason.weight, Weight::Note | Weight::Warning));
    let event = Event::Refused {
        dataset: report.dataset.clone(),
        policy: report.policy.clone(),
        reason: why.map(|reason| reason.text.clone()).collect::<Vec<_>>().join("; "),
    };
    acting.runner.ledger.append_under(acting.lease, &event, acting.runner.now()).await.map(drop)
}
