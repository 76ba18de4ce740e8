//! The course of a run, whatever it does: lock, first line in the ledger, the work, how it ended, who is told.

use crate::diagnostic::codes;
use crate::job::outcome::Outcome;
use crate::job::spec::Mode;
use crate::ledger::error::LedgerError;
use crate::ledger::lease::{Lease, LeaseError};
use crate::ledger::run::{DryRuns, NewRun};
use crate::report::format;
use crate::report::presentation::Presentation;
use crate::report::run::{Reason, RunReport, Weight};
use crate::runner::outcome;
use crate::runner::runner::{Request, Runner, blank};
use crate::runner::stopped::REMINDER;
use chrono::TimeDelta;
use std::future::Future;
use uuid::Uuid;

/// The middle of a run: what it does between its lock and its report.
pub trait Work: Send + Sync {
    /// The word in `action:`.
    const ACTION: &'static str;
    /// What it counts, and how a report tells of it.
    const PRESENTATION: &'static Presentation;

    /// Does it, and notes in the report what came of it; true when a signal ended it.
    ///
    /// # Errors
    /// The ledger, or the holds, did not allow it to go on.
    fn work(&self, begun: Begun<'_>, report: &mut RunReport) -> impl Future<Output = Result<bool, Reason>> + Send;
}

/// A run that has begun.
#[derive(Clone, Copy)]
pub struct Begun<'a> {
    /// What it stands on.
    pub runner: &'a Runner,
    /// What is asked for.
    pub request: &'a Request,
    /// Its id.
    pub run: &'a str,
    /// The job's lock; none for a dry run, which changes nothing.
    pub lease: Option<&'a Lease>,
}

impl Runner {
    /// Runs a job once. Whatever happens comes back as a report, recorded in the ledger unless that is what failed.
    ///
    /// The lease is held to the end, so that nobody begins before this run's last word is written.
    pub async fn lifecycle<W: Work>(&self, request: &Request, work: &W) -> RunReport {
        let run = Uuid::now_v7().to_string();
        let report = blank(W::ACTION, W::PRESENTATION, request, Some(run.clone()), self.now());
        let mut report = RunReport { started_by: Some(self.started_by.clone()), ..report };
        let lease = match self.enter(request, &run, &report).await {
            Ok(lease) => lease,
            Err(reason) => {
                report.reasons.push(reason);
                self.conclude(request, &mut report, false);
                return report;
            }
        };
        let begun = Begun { runner: self, request, run: &run, lease: lease.as_ref() };
        let stopped = match work.work(begun, &mut report).await {
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
    async fn enter(&self, request: &Request, run: &str, report: &RunReport) -> Result<Option<Lease>, Reason> {
        let lease = if request.dry_run { None } else { Some(self.lease(&request.job.name, run).await?) };
        let started = NewRun {
            id: run.to_owned(),
            job: request.job.name.clone(),
            action: report.action.clone(),
            mode: request.job.mode,
            dry_run: request.dry_run,
            as_of: report.as_of,
            started: report.started.unwrap_or(report.as_of),
            started_by: report.started_by.clone(),
        };
        self.ledger.start_run(&started).await.map_err(no_ledger)?;
        Ok(lease)
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
            let mut files = vec![];
            if !request.dry_run {
                let last = self.ledger.last_ended(&request.job.name, run, DryRuns::Skipped).await?;
                let last = last.and_then(|row| serde_json::from_value(row.report?).ok());
                let remind = self.in_a_row(&request.job.name, run, report).await?;
                files = self.reporting.tell(&request.job.report, report, last.as_ref(), remind).await;
            }
            let outcome = report.outcome.unwrap_or(Outcome::Done);
            let text = serde_json::to_value(&*report).unwrap_or_default();
            self.ledger.end_run_with(run, report.ended.unwrap_or(report.as_of), outcome, &text, Some(files)).await
        };
        if let Err(error) = told.await {
            report.reasons.push(no_ledger(error));
            report.outcome = Some(report.outcome.unwrap_or(Outcome::Partial).worse(Outcome::Partial));
            report.exit = report.outcome.map(Outcome::exit);
        }
    }

    /// Notes in the report for how long runs have not ended well, or had not until now. True when a week went by without a mail of it.
    async fn in_a_row(&self, job: &str, run: &str, report: &mut RunReport) -> Result<bool, LedgerError> {
        let Some((since, runs)) = self.ledger.failing_before(job, run).await? else { return Ok(false) };
        let now = self.now();
        let is_well = matches!(report.outcome, Some(Outcome::Done | Outcome::Due | Outcome::Undelivered));
        let is_due = !is_well && now - since >= REMINDER && !self.ledger.mailed_since(job, run, now - REMINDER).await?;
        let (began, runs) = (format::instant(since), format::plural(runs, "run"));
        // What was over within the hour, such as a stop for an update, is no story.
        let text = match is_well {
            true if now - since >= TimeDelta::hours(1) => Some(format!(
                "the {runs} before, since {began}, had not ended well; that went on for {}",
                format::lasted(now - since)
            )),
            false if is_due => {
                Some(format!("the {runs} before, since {began}, did not end well either; this is told again each week"))
            }
            _ => None,
        };
        report.reasons.extend(text.map(|text| Reason { weight: Weight::Note, code: None, text, help: None }));
        Ok(is_due)
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
}

/// A ledger that cannot be written refuses everything.
pub fn no_ledger(error: LedgerError) -> Reason {
    let weight = if error.is_busy() { Weight::Temporary } else { Weight::Failed };
    Reason {
        weight,
        code: Some(codes::NO_EVIDENCE.to_string()),
        text: error.to_string(),
        help: Some("without evidence nothing is done; see `ledger` in steward.yaml".into()),
    }
}
