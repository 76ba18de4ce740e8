//! Jobs as the clock runs them: declarations are read anew for each run, and what came of a tick is logged and recorded.

use super::actor::started_by;
use super::house::{Closed, House};
use super::log_progress::LogProgress;
use super::run_log;
use crate::actions;
use crate::config::settings::Config;
use crate::declarations::reading::Declarations;
use crate::diagnostic::diagnosis::Diagnosis;
use crate::diagnostic::item::Severity;
use crate::job::origin::Origin;
use crate::job::outcome::Outcome;
use crate::job::schedule::Schedule;
use crate::job::spec::Job;
use crate::ledger::book::Ledger;
use crate::ledger::event::Event;
use crate::ledger::refusal::LedgerError;
use crate::policy::period::Period;
use crate::report::run::RunReport;
use crate::runner::engine::Request;
use crate::worker::{Came, Entry, Jobs};
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use tokio_util::sync::CancellationToken;

/// The jobs of a house, for the clock.
pub(super) struct Scheduled {
    /// The configuration.
    pub(super) config: PathBuf,
    /// The ledger; one for all runs of this process, so that they queue for it in order.
    pub(super) ledger: Ledger,
    /// What the clock goes by; an edited schedule counts from the next reload on.
    in_force: RwLock<InForce>,
}

/// What was read at the start, or at the last reload that could be read.
struct InForce {
    entries: Vec<Entry>,
    config: Config,
}

impl Scheduled {
    /// The jobs of these declarations.
    pub(super) fn new(config: PathBuf, ledger: Ledger, declarations: &Declarations) -> Self {
        let in_force = InForce { entries: entries(declarations), config: declarations.config.clone() };
        Self { config, ledger, in_force: RwLock::new(in_force) }
    }

    fn in_force(&self) -> RwLockReadGuard<'_, InForce> {
        self.in_force.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The jobs that have a schedule.
pub(super) fn entries(declarations: &Declarations) -> Vec<Entry> {
    declarations.jobs.iter().filter_map(entry).collect()
}

fn entry(job: &Job) -> Option<Entry> {
    let schedule = Schedule::parse(job.schedule.as_deref()?).ok()?;
    let length = |period: Period| period.duration().to_std().ok();
    let (patience, retry_after) = (job.budget.and_then(length), job.retry_after.and_then(length));
    Some(Entry { name: job.name.clone(), schedule, zone: job.timezone, after: job.after.clone(), patience, retry_after })
}

/// A tick that comes to nothing, and why.
struct Nothing(Outcome, String);

impl Jobs for Scheduled {
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
        match self.carry_out(job, stop).await {
            Ok(report) => {
                run_log::log(&report);
                came(&report)
            }
            Err(Nothing(outcome, reason)) => {
                tracing::error!(job, %due, outcome = outcome.word(), "{reason}");
                self.record(&Event::TickFailed { job: job.to_owned(), due, reason }).await;
                outcome.into()
            }
        }
    }

    /// A policy table that is away stops no reload: each run reads it again.
    async fn reload(&self) -> Result<Vec<Entry>, String> {
        let declarations = match House::look(&self.config).await {
            Ok((house, warnings)) => {
                told(None, &warnings);
                house.declarations
            }
            Err(Closed::Wrong(diagnosis)) => {
                told(None, &diagnosis);
                return Err(in_a_line(&diagnosis));
            }
            Err(Closed::Away(end)) if end.code() == Outcome::Temporary.exit() => {
                tracing::warn!("{}", end.why());
                House::quietly(&self.config).map_err(|diagnosis| in_a_line(&diagnosis))?
            }
            Err(Closed::Away(end)) => return Err(end.why().to_owned()),
        };
        let now = InForce { entries: entries(&declarations), config: declarations.config };
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
        self.record(&Event::TickFailed { job: job.to_owned(), due, reason: reason.to_owned() }).await;
    }
}

impl Scheduled {
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
        let house = self.house(name).await?;
        let job = self.job(&house.declarations, name)?;
        let action = actions::named(&job.action)
            .ok_or_else(|| Nothing(Outcome::Invalid, format!("action `{}` is not built yet", job.action)))?;
        let runner = house
            .runner_on(self.ledger.clone(), stop, Arc::new(LogProgress::of(name)), started_by(Origin::Serve))
            .map_err(|end| Nothing(Outcome::Invalid, end.why().to_owned()))?;
        let request = Request { job: Arc::new(job), dry_run: false, as_of: None, approval: None };
        Ok(action.run(&runner, &request).await)
    }

    /// The declarations as they stand now: an edited policy counts from this run on.
    async fn house(&self, job: &str) -> Result<House, Nothing> {
        match House::look(&self.config).await {
            Ok((house, warnings)) => {
                told(Some(job), &warnings);
                Ok(house)
            }
            Err(Closed::Wrong(diagnosis)) => {
                told(Some(job), &diagnosis);
                Err(Nothing(Outcome::Invalid, format!("{}; nothing was run", in_a_line(&diagnosis))))
            }
            Err(Closed::Away(end)) => {
                let outcome = if end.code() == Outcome::Temporary.exit() { Outcome::Temporary } else { Outcome::Invalid };
                Err(Nothing(outcome, end.why().to_owned()))
            }
        }
    }

    fn job(&self, declarations: &Declarations, name: &str) -> Result<Job, Nothing> {
        let now = entries(declarations);
        let known = self.in_force().entries.clone();
        for entry in now.iter().filter(|entry| !known.iter().any(|known| same(known, entry))) {
            tracing::warn!(job = entry.name, schedule = %entry.schedule, "this schedule counts from the next reload on: send SIGHUP");
        }
        let job = declarations.job(name).cloned();
        let job =
            job.ok_or_else(|| Nothing(Outcome::Invalid, format!("the job `{name}` is no longer declared; nothing was run")))?;
        if job.schedule.is_none() {
            return Err(Nothing(Outcome::Refused, format!("the job `{name}` no longer has a schedule; nothing was run")));
        }
        Ok(job)
    }

    async fn record(&self, event: &Event) {
        if let Err(error) = self.ledger.append(None, event, Utc::now().trunc_subsecs(6)).await {
            tracing::error!("what became of a tick is not in the ledger: {error}");
        }
    }
}

/// Just before the tick that a run which began then was for.
fn before_tick_of(entry: &Entry, began: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let tick = entry.schedule.missed_since(Some(began - TimeDelta::days(400)), began, entry.zone)?;
    Some(tick - TimeDelta::seconds(1))
}

fn same(one: &Entry, other: &Entry) -> bool {
    (&one.name, one.schedule.text(), one.zone, &one.after) == (&other.name, other.schedule.text(), other.zone, &other.after)
}

/// What only a start reads, and is another now.
fn fixed(before: &Config, now: &Config) -> Vec<&'static str> {
    let all =
        [("ledger", before.ledger != now.ledger), ("state", before.state != now.state), ("listen", before.listen != now.listen)];
    all.into_iter().filter(|(_, is_another)| *is_another).map(|(what, _)| what).collect()
}

/// Every diagnostic as a log line of its own.
fn told(job: Option<&str>, diagnosis: &Diagnosis) {
    for one in &diagnosis.diagnostics {
        let place = one.place.as_ref().map(ToString::to_string).unwrap_or_default();
        match one.severity {
            Severity::Error => tracing::error!(job, code = one.code.as_str(), place, "{}", one.message),
            Severity::Warning => tracing::warn!(job, code = one.code.as_str(), place, "{}", one.message),
        }
    }
}

/// What is wrong, short enough for an event: the first error, its place, and how many more.
fn in_a_line(diagnosis: &Diagnosis) -> String {
    let first = diagnosis.diagnostics.iter().find(|one| one.severity == Severity::Error);
    let first = first.map(|one| {
        let place = one.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
        format!(": {}{place}", one.message)
    });
    let more = match diagnosis.errors() {
        0 | 1 => String::new(),
        errors => format!(" and {} more", errors - 1),
    };
    format!("the declarations are not valid{}{more}", first.unwrap_or_default())
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
    use crate::diagnostic::catalogue;
    use crate::diagnostic::item::Diagnostic;

    #[test]
    fn what_is_wrong_fits_an_event() {
        let mut diagnosis = Diagnosis::default();
        diagnosis.push(Diagnostic::warning(catalogue::SIZE, "this policy file says nothing"));
        diagnosis.push(Diagnostic::error(catalogue::UNKNOWN_KEY, "unknown key `wehre`"));
        diagnosis.push(Diagnostic::error(catalogue::NO_CLOCK, "no clock"));
        let line = in_a_line(&diagnosis);
        assert_eq!(line, "the declarations are not valid: unknown key `wehre` and 1 more");
    }

    #[test]
    fn the_tick_of_a_first_run_that_was_stopped_is_missed() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let entry = Entry {
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
        let entry = |line: &str| Entry {
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
