//! Tells that a job does not run, or runs again: in the ledger, and by mail.

use crate::job::outcome::Outcome;
use crate::job::spec::{Job, Mode, ReportRule};
use crate::ledger::Ledger;
use crate::ledger::event::Event;
use crate::report::format::{instant, lasted, plural};
use crate::report::run::{MailState, Reason, RunReport, Weight};
use crate::runner::delivery::Reporting;
use crate::runner::stopped::{Obstacle, Stopped, StoppedJobs};
use chrono::{DateTime, Utc};

/// Whom a job that does not run is told to, and where it is written down.
#[derive(Clone)]
pub struct Notices {
    /// The jobs that do not run.
    pub stopped: StoppedJobs,
    /// The ledger; none where it cannot be opened.
    pub ledger: Option<Ledger>,
    /// How reports travel; none where nobody knows.
    pub reporting: Option<Reporting>,
    /// True for a process that tries again by itself: what it alone remembers is told too.
    pub stays: bool,
}

/// The job that a notice is about.
#[derive(Debug, Clone)]
pub struct About {
    /// Its name, or [`SERVE`](crate::runner::stopped::SERVE).
    pub name: String,
    /// What it does; empty where that cannot be read.
    pub action: String,
    /// Who is told.
    pub rule: ReportRule,
}

impl About {
    /// A job as it was declared, or its bare name.
    pub fn job(name: &str, job: Option<&Job>) -> Self {
        let action = job.map(|job| job.action.clone()).unwrap_or_default();
        Self { name: name.to_owned(), action, rule: job.map(|job| job.report.clone()).unwrap_or_default() }
    }
}

impl Notices {
    /// The job did not run. People are told when that is new, and once a week.
    pub async fn stops(&self, about: &About, obstacle: &Obstacle, now: DateTime<Utc>) {
        let job = &about.name;
        let (stopped, is_new) = self.stopped.note(job, obstacle, now);
        if is_new {
            let Obstacle { outcome, reason, .. } = obstacle.clone();
            self.record(&Event::JobStopped { job: job.clone(), outcome, reason }, now).await;
        }
        let is_known = self.stays || self.stopped.is_lasting(job);
        if is_known && stopped.is_to_be_told(now) && self.mail(about, report_of(about, &stopped, now)).await {
            self.stopped.was_told(job, now);
        }
    }

    /// The job runs again, if it did not before: told once to those who were told that it did not.
    pub async fn runs_again(&self, about: &About, now: DateTime<Utc>) {
        let Some(stopped) = self.stopped.end(&about.name) else { return };
        let Stopped { job, since, reason, told, .. } = stopped.clone();
        tracing::info!(job, %since, "it can run again; it could not for {}: {reason}", lasted(now - since));
        self.record(&Event::JobResumed { job, since, reason }, now).await;
        if told.is_some() {
            self.mail(about, end_of(about, &stopped, now)).await;
        }
    }

    async fn record(&self, event: &Event, now: DateTime<Utc>) {
        let Some(ledger) = &self.ledger else { return };
        if let Err(error) = ledger.append(None, event, now).await {
            tracing::error!("that a job does not run, or runs again, is not in the ledger: {error}");
        }
    }

    /// True when it was handed over, or waits in the spool.
    async fn mail(&self, about: &About, report: RunReport) -> bool {
        let Some(reporting) = &self.reporting else { return false };
        match reporting.notice(&about.rule, &report).await {
            Ok(MailState::Sent | MailState::Spooled) => true,
            Ok(MailState::NotDue | MailState::NotConfigured) => false,
            Err(reason) => {
                tracing::error!(
                    job = about.name,
                    help = reason.help,
                    "nobody was told that it does not run, or runs again: {}",
                    reason.text
                );
                false
            }
        }
    }
}

fn report_of(about: &About, stopped: &Stopped, now: DateTime<Utc>) -> RunReport {
    let more = match stopped.told {
        None => "nothing is done until this is put right; it is told again each week, and once when it is over".to_owned(),
        Some(_) => format!(
            "it has gone on since {}, for {}: {} to run came to nothing",
            instant(stopped.since),
            lasted(now - stopped.since),
            plural(stopped.times, "attempt")
        ),
    };
    blank(about, stopped.outcome, vec![stopped.as_reason(), note(more)], now)
}

fn end_of(about: &About, stopped: &Stopped, now: DateTime<Utc>) -> RunReport {
    let what = if about.action.is_empty() { "it" } else { "the job" };
    let over =
        format!("{what} can run again; since {}, for {}, it could not", instant(stopped.since), lasted(now - stopped.since));
    let why = format!("what was in the way: {}", stopped.reason);
    blank(about, Outcome::Done, vec![note(over), note(why)], now)
}

const fn note(text: String) -> Reason {
    Reason { weight: Weight::Note, code: None, text, help: None }
}

/// A report about no run.
fn blank(about: &About, outcome: Outcome, reasons: Vec<Reason>, now: DateTime<Utc>) -> RunReport {
    RunReport {
        run: None,
        job: about.name.trim_start_matches('_').to_owned(),
        action: about.action.clone(),
        mode: Mode::Enforce,
        dry_run: false,
        outcome: Some(outcome),
        exit: Some(outcome.exit()),
        as_of: now,
        started: Some(now),
        started_by: None,
        approval: None,
        ended: Some(now),
        datasets: vec![],
        findings: vec![],
        reasons,
        settled: vec![],
        report: None,
        ledger_head: None,
        presentation: Default::default(),
    }
}
