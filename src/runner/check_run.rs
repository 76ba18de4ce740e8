//! One execution of a job that looks: every check, its life so far, and the evidence of both.

use crate::action::{CheckAction, Context};
use crate::ledger::finding::FindingRow;
use crate::policy::checks::check::Check;
use crate::policy::policies::Policies;
use crate::policy::section;
use crate::report::finding::{Finding, FindingOutcome};
use crate::report::presentation::Presentation;
use crate::report::run::{Reason, RunReport, Weight};
use crate::runner::check_runner::CheckRunner;
use crate::runner::history;
use crate::runner::lifecycle::{Begun, Work, no_ledger};
use crate::runner::plan::{Planned, Planner};
use crate::runner::runner::{Request, Runner, blank};
use chrono::SubsecRound;
use std::marker::PhantomData;
use tokio_util::sync::CancellationToken;

/// What a run of an inspection does.
struct Checks<I>(PhantomData<fn() -> I>);

impl<I: CheckAction> Work for Checks<I> {
    const ACTION: &'static str = I::NAME;
    const PRESENTATION: &'static Presentation = &Presentation::CHECKS;

    /// Evaluates every check, and records what they saw. A dry run evaluates just the same, and records nothing.
    async fn work(&self, begun: Begun<'_>, report: &mut RunReport) -> Result<bool, Reason> {
        let Begun { runner, request, run, .. } = begun;
        // Holds keep what is there; they hide nothing from whoever only looks.
        let cx = Context::new(run.to_owned(), request.job.clone(), runner.stores.clone(), runner.policies.clone(), vec![]);
        let checks = picked(request, &runner.policies);
        report.findings = CheckRunner::<I>::over(&checks, &cx, report.as_of, &runner.stop, &*runner.progress).await;
        let past = runner.ledger.past_findings(&request.job.name, run, history::RUNS).await.map_err(no_ledger)?;
        history::remember(&mut report.findings, &past, report.started.unwrap_or(report.as_of));
        if !request.dry_run {
            let rows = rows(&report.findings);
            runner.ledger.record_findings(run, &rows, runner.now()).await.map_err(no_ledger)?;
        }
        let stopped =
            runner.stop.is_cancelled() && report.findings.iter().any(|finding| finding.outcome == FindingOutcome::Skipped);
        report.reasons.extend(stopped.then(by_a_signal));
        Ok(stopped)
    }
}

impl Runner {
    /// Runs a job of an inspection once.
    pub async fn run_checks<I: CheckAction>(&self, request: &Request) -> RunReport {
        self.lifecycle(request, &Checks::<I>(PhantomData)).await
    }
}

impl Planner {
    /// Evaluates every check of a job, and writes nothing down.
    pub async fn run_checks<I: CheckAction>(&self, request: &Request) -> Planned {
        let mut report = RunReport {
            started: None,
            ..blank(I::NAME, &Presentation::CHECKS, request, None, crate::clock::now().trunc_subsecs(6))
        };
        let cx = Context::new("plan".into(), request.job.clone(), self.stores.clone(), self.policies.clone(), vec![]);
        let never = CancellationToken::new();
        report.findings =
            CheckRunner::<I>::over(&picked(request, &self.policies), &cx, report.as_of, &never, &*self.progress).await;
        if let Some(ledger) = &self.ledger {
            report.ledger_head = ledger.head().await.ok().flatten().map(|head| head.hash);
        }
        let statements = report.findings.iter().filter_map(|finding| finding.query.clone()).collect();
        Planned { report, steps: vec![], statements }
    }
}

/// The checks of a job, in the order of its patterns.
fn picked<'p>(request: &Request, policies: &'p Policies) -> Vec<&'p Check> {
    section::pick(&policies.checks, |check| &check.name, &request.job.policies)
}

fn rows(findings: &[Finding]) -> Vec<FindingRow> {
    let row = |finding: &Finding| FindingRow {
        check: finding.check.clone(),
        outcome: finding.outcome.word().to_owned(),
        body: serde_json::to_value(finding).unwrap_or_default(),
    };
    findings.iter().map(row).collect()
}

fn by_a_signal() -> Reason {
    Reason {
        weight: Weight::Temporary,
        code: None,
        text: "stopped by a signal before every check was evaluated".into(),
        help: Some("the next run evaluates them all".into()),
    }
}
