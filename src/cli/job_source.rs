//! Jobs as the clock runs them: declarations are read anew for each run, and what came of a tick is logged and recorded.

use super::app::{App, Closed, reporting};
use super::current_user::started_by;
use super::exit::Exit;
use super::log_progress::LogProgress;
use super::{run_log, unattended};
use crate::actions;
use crate::config::settings::Config;
use crate::declarations::reading::Declarations;
use crate::diagnostic::codes;
use crate::diagnostic::diagnosis::Diagnosis;
use crate::diagnostic::message::Severity;
use crate::job::origin::Origin;
use crate::job::outcome::Outcome;
use crate::job::schedule::Schedule;
use crate::job::spec::Job;
use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::event::Event;
use crate::policy::period::Period;
use crate::report::run::RunReport;
use crate::runner::Request;
use crate::runner::delivery::Reporting;
use crate::runner::notices::{About, Notices};
use crate::runner::stopped::{Obstacle, Stopped, StoppedJobs};
use crate::worker::{Came, Jobs, NotRunning, ScheduledJob};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use tokio_util::sync::CancellationToken;

/// The declared jobs, for the clock.
pub(super) struct JobSource {
    /// The configuration.
    config: PathBuf,
    /// The ledger; one for all runs of this process, so that they queue for it in order.
    ledger: Ledger,
    /// The jobs that do not run.
    stopped: StoppedJobs,
    /// What the clock goes by; an edited schedule counts from the next reload on.
    in_force: RwLock<InForce>,
}

/// What was read at the start, or the last time that all of it was valid.
struct InForce {
    entries: Vec<ScheduledJob>,
    config: Config,
    jobs: Vec<Job>,
    reporting: Option<Reporting>,
}

impl InForce {
    fn of(declarations: &Declarations) -> Self {
        let config = declarations.config.clone();
        let reporting = reporting(&config).map_err(|end| tracing::error!("mails cannot be sent: {}", end.why())).ok();
        Self { entries: entries(declarations), jobs: declarations.jobs.clone(), reporting, config }
    }
}

impl JobSource {
    /// The jobs of these declarations.
    pub(super) fn new(config: PathBuf, ledger: Ledger, declarations: &Declarations) -> Self {
        let stopped = StoppedJobs::of(&declarations.config.state);
        Self { config, ledger, stopped, in_force: RwLock::new(InForce::of(declarations)) }
    }

    fn in_force(&self) -> RwLockReadGuard<'_, InForce> {
        self.in_force.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who is told that a job does not run: by the newest declarations that were valid.
    fn notices(&self, job: &str) -> (Notices, About) {
        let in_force = self.in_force();
        let about = About::job(job, in_force.jobs.iter().find(|declared| declared.name == job));
        let (stopped, ledger, reporting) = (self.stopped.clone(), Some(self.ledger.clone()), in_force.reporting.clone());
        (Notices { stopped, ledger, reporting, stays: true }, about)
    }

    async fn stops(&self, job: &str, obstacle: &Obstacle) {
        let (notices, about) = self.notices(job);
        notices.stops(&about, obstacle, now()).await;
    }

    async fn runs_again(&self, job: &str) {
        let (notices, about) = self.notices(job);
        notices.runs_again(&about, now()).await;
    }
}

/// The jobs that have a schedule.
pub(super) fn entries(declarations: &Declarations) -> Vec<ScheduledJob> {
    declarations.jobs.iter().filter_map(entry).collect()
}

fn entry(job: &Job) -> Option<ScheduledJob> {
    let schedule = Schedule::parse(job.schedule.as_deref()?).ok()?;
    let length = |period: Period| period.duration().to_std().ok();
    let (patience, retry_after) = (job.budget.and_then(length), job.retry_after.and_then(length));
    Some(ScheduledJob { name: job.name.clone(), schedule, zone: job.timezone, after: job.after.clone(), patience, retry_after })
}

/// A tick that comes to nothing, and why.
enum Nothing {
    /// Something is in the way until somebody sees to it, or it passes.
    Stopped(Obstacle),
    /// The job is no longer one for the clock; a reload is all it takes.
    Undeclared(Outcome, String),
}

impl Jobs for JobSource {
    /// A run that was stopped, or died, is made up for as if its tick had been missed.
    async fn last_tick(&self, job: &str) -> Option<DateTime<Utc>> {
        self.concluded(job).await.unwrap_or_else(|error| {
            tracing::error!(job, "ticks that were missed are not made up for: {error}");
            None
        })
    }

    async fn ended_since(&self, job: &str, since: DateTime<Utc>) -> Option<Outcome> {
        let last = self.ledger.last_run(job).await.unwrap_or_else(|error| {
            tracing::error!(job, "whether it has ended is not known, and it is waited for: {error}");
            None
        });
        last.filter(|run| run.started >= since).and_then(|run| run.outcome)
    }

    async fn run(&self, job: &str, due: DateTime<Utc>, stop: CancellationToken) -> Came {
        let (outcome, reason) = match self.carry_out(job, stop).await {
            Ok(report) => {
                run_log::log(&report);
                self.follow_up(job, due, &report).await;
                return came(&report);
            }
            Err(Nothing::Stopped(obstacle)) => {
                self.stops(job, &obstacle).await;
                (obstacle.outcome, obstacle.reason)
            }
            Err(Nothing::Undeclared(outcome, reason)) => (outcome, reason),
        };
        tracing::error!(job, %due, outcome = outcome.word(), "{reason}");
        self.failed_tick(job, due, &reason).await;
        outcome.into()
    }

    async fn last_end(&self, job: &str) -> Option<(DateTime<Utc>, Outcome)> {
        let last = self.ledger.last_run(job).await.unwrap_or_else(|error| {
            tracing::error!(job, "how it ended last is not known: {error}");
            None
        })?;
        last.ended.zip(last.outcome)
    }

    fn stopped(&self) -> Vec<NotRunning> {
        let told = |Stopped { job, since, reason, .. }| NotRunning { job, since, reason };
        self.stopped.all().into_iter().map(told).collect()
    }

    /// What only a run can tell is left to the next one.
    async fn look_again(&self) {
        let stopped = self.stopped.all().into_iter().filter(|stopped| !stopped.by_run).map(|stopped| stopped.job);
        let mut stopped: Vec<String> = stopped.collect();
        stopped.retain(|job| self.in_force().entries.iter().any(|entry| entry.name == *job));
        if stopped.is_empty() {
            return;
        }
        let Ok((app, _)) = App::look(&self.config).await else { return };
        if reporting(&app.declarations.config).is_err() {
            return;
        }
        for job in stopped.iter().filter(|job| app.declarations.job(job).is_some()) {
            if self.ledger.takes_runs_of(job).await.is_ok() {
                self.runs_again(job).await;
            }
        }
    }

    /// A policy table that is away stops no reload: each run reads it again.
    async fn reload(&self) -> Result<Vec<ScheduledJob>, String> {
        let declarations = match App::look(&self.config).await {
            Ok((app, warnings)) => {
                log_diagnosis(None, &warnings);
                app.declarations
            }
            Err(Closed::Wrong(diagnosis)) => {
                log_diagnosis(None, &diagnosis);
                return Err(unattended::in_a_line(&diagnosis));
            }
            Err(Closed::Away(end)) if end.code() == Outcome::Temporary.exit() => {
                tracing::warn!("{}", end.why());
                App::quietly(&self.config).map_err(|diagnosis| unattended::in_a_line(&diagnosis))?
            }
            Err(Closed::Away(end)) => return Err(end.why().to_owned()),
        };
        let now = InForce::of(&declarations);
        // A job that is gone is no longer waited for.
        for gone in self.stopped.all().iter().filter(|stopped| declarations.job(&stopped.job).is_none()) {
            self.stopped.end(&gone.job);
        }
        let mut in_force = self.in_force.write().unwrap_or_else(PoisonError::into_inner);
        for what in fixed(&in_force.config, &now.config) {
            tracing::warn!("`{what}` was changed and is not reloaded: it counts from the next start of `steward serve` on");
        }
        *in_force = now;
        Ok(in_force.entries.clone())
    }

    async fn skipped(&self, job: &str, due: DateTime<Utc>, reason: &str) {
        self.record(&Event::TickSkipped { job: job.to_owned(), due, reason: reason.to_owned() }).await;
    }

    async fn failed(&self, job: &str, due: DateTime<Utc>, reason: &str) {
        self.failed_tick(job, due, reason).await;
        let obstacle = Obstacle { outcome: Outcome::Partial, reason: reason.to_owned(), help: None, by_run: true };
        self.stops(job, &obstacle).await;
    }
}

impl JobSource {
    async fn concluded(&self, job: &str) -> Result<Option<DateTime<Utc>>, LedgerError> {
        if let Some(began) = self.ledger.last_concluded(job).await? {
            return Ok(Some(began));
        }
        let last = self.ledger.last_run(job).await?;
        let in_force = self.in_force();
        let entry = in_force.entries.iter().find(|entry| entry.name == job);
        Ok(entry.zip(last).and_then(|(entry, last)| before_tick_of(entry, last.started)))
    }

    async fn carry_out(&self, name: &str, stop: CancellationToken) -> Result<RunReport, Nothing> {
        let app = self.app(name).await?;
        let job = self.job(&app.declarations, name)?;
        let invalid = |end: Exit| Nothing::Stopped(unattended::of_end(&end));
        let action = actions::named(&job.action)
            .ok_or_else(|| invalid(Exit::of(Outcome::Invalid, &format!("action `{}` is not built yet", job.action))))?;
        let runner = app
            .runner_on(self.ledger.clone(), stop, Arc::new(LogProgress::of(name)), started_by(Origin::Serve))
            .map_err(invalid)?;
        let request = Request { job: Arc::new(job), dry_run: false, as_of: None, approval: None };
        Ok(action.run(&runner, &request).await)
    }

    /// The declarations as they stand now: an edited policy counts from this run on.
    async fn app(&self, job: &str) -> Result<App, Nothing> {
        match App::look(&self.config).await {
            Ok((app, warnings)) => {
                log_diagnosis(Some(job), &warnings);
                let now = InForce::of(&app.declarations);
                let mut in_force = self.in_force.write().unwrap_or_else(PoisonError::into_inner);
                let entries = std::mem::take(&mut in_force.entries);
                *in_force = InForce { entries, ..now };
                Ok(app)
            }
            Err(closed) => {
                if let Closed::Wrong(diagnosis) = &closed {
                    log_diagnosis(Some(job), diagnosis);
                }
                Err(Nothing::Stopped(unattended::of_closed(&closed)))
            }
        }
    }

    fn job(&self, declarations: &Declarations, name: &str) -> Result<Job, Nothing> {
        let now = entries(declarations);
        let known = self.in_force().entries.clone();
        for entry in now.iter().filter(|entry| !known.iter().any(|known| same(known, entry))) {
            tracing::warn!(job = entry.name, schedule = %entry.schedule, "this schedule counts from the next reload on: send SIGHUP");
        }
        let undeclared = |outcome, what: &str| Nothing::Undeclared(outcome, format!("the job `{name}` {what}; nothing was run"));
        let job = declarations.job(name).cloned().ok_or_else(|| undeclared(Outcome::Invalid, "is no longer declared"))?;
        match job.schedule {
            Some(_) => Ok(job),
            None => Err(undeclared(Outcome::Refused, "no longer has a schedule")),
        }
    }

    /// What a run leaves to be told beside its own report: that the ledger did not take it, that another run was at it, or that it runs again.
    async fn follow_up(&self, job: &str, due: DateTime<Utc>, report: &RunReport) {
        if let Some(obstacle) = unattended::of_report(report) {
            self.failed_tick(job, due, &obstacle.reason).await;
            return self.stops(job, &obstacle).await;
        }
        let held = codes::LEASE_HELD.as_str();
        match report.reasons.iter().find(|reason| reason.code.as_deref() == Some(held)) {
            Some(reason) => self.record(&Event::TickSkipped { job: job.to_owned(), due, reason: reason.text.clone() }).await,
            None => self.runs_again(job).await,
        }
    }

    async fn failed_tick(&self, job: &str, due: DateTime<Utc>, reason: &str) {
        self.record(&Event::TickFailed { job: job.to_owned(), due, reason: reason.to_owned() }).await;
    }

    async fn record(&self, event: &Event) {
        if let Err(error) = self.ledger.append(None, event, now()).await {
            tracing::error!("what became of a tick is not in the ledger: {error}");
        }
    }
}

fn now() -> DateTime<Utc> {
    crate::clock::now().trunc_subsecs(6)
}

/// Just before the tick that a run which began then was for.
fn before_tick_of(entry: &ScheduledJob, began: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let tick = entry.schedule.missed_since(Some(began - TimeDelta::days(400)), began, entry.zone)?;
    Some(tick - TimeDelta::seconds(1))
}

fn same(one: &ScheduledJob, other: &ScheduledJob) -> bool {
    (&one.name, one.schedule.text(), one.zone, &one.after) == (&other.name, other.schedule.text(), other.zone, &other.after)
}

/// What only a start reads, and is another now.
fn fixed(before: &Config, now: &Config) -> Vec<&'static str> {
    let all =
        [("ledger", before.ledger != now.ledger), ("state", before.state != now.state), ("listen", before.listen != now.listen)];
    all.into_iter().filter(|(_, is_another)| *is_another).map(|(what, _)| what).collect()
}

/// Every diagnostic as a log line of its own.
fn log_diagnosis(job: Option<&str>, diagnosis: &Diagnosis) {
    for one in &diagnosis.diagnostics {
        let place = one.place.as_ref().map(ToString::to_string).unwrap_or_default();
        match one.severity {
            Severity::Error => tracing::error!(job, code = one.code.as_str(), place, "{}", one.message),
            Severity::Warning => tracing::warn!(job, code = one.code.as_str(), place, "{}", one.message),
        }
    }
}

/// A check whose store was away is asked again, though others were answered: what nobody knows is not done.
fn came(report: &RunReport) -> Came {
    let outcome = report.outcome.unwrap_or(Outcome::Partial);
    let unanswered = report.inspects() && outcome == Outcome::Partial && report.met_something_temporary();
    Came { again: unanswered || outcome == Outcome::Temporary, outcome }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tick_of_a_first_run_that_was_stopped_is_missed() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let entry = ScheduledJob {
            name: "a".into(),
            schedule: Schedule::parse("15 2 * * *").unwrap(),
            zone: chrono_tz::UTC,
            after: vec![],
            patience: None,
            retry_after: None,
        };
        let last = before_tick_of(&entry, at("2026-11-21T02:15:00.4Z"));
        assert_eq!(entry.schedule.missed_since(last, at("2026-11-21T09:00:00Z"), entry.zone), Some(at("2026-11-21T02:15:00Z")));
    }

    #[test]
    fn an_edited_schedule_is_another() {
        let entry = |line: &str| ScheduledJob {
            name: "a".into(),
            schedule: Schedule::parse(line).unwrap(),
            zone: chrono_tz::UTC,
            after: vec![],
            patience: None,
            retry_after: None,
        };
        assert!(same(&entry("0 * * * *"), &entry("0 * * * *")) && !same(&entry("0 * * * *"), &entry("5 * * * *")));
    }
}
