//! `steward runs`: what happened, newest first; with a run's id its whole story.

use super::app::{App, ledger_if_any, no_ledger};
use super::table::listing;
use super::{Ended, Globals, events, exit::Exit, jobs, out};
use crate::actions;
use crate::job::origin::StartedBy;
use crate::job::outcome::Outcome;
use crate::job::spec::Mode;
use crate::ledger::Ledger;
use crate::ledger::chain::Link;
use crate::ledger::error::LedgerError;
use crate::ledger::run::RunRow;
use crate::report::format::{count, instant, plain, plural, short_run, took};
use crate::report::presentation::Presentation;
use crate::report::run::RunReport;
use crate::report::text::{self, Style};
use crate::runner::stopped::{Stopped, StoppedJobs};
use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;
use serde_json::Value;

/// List what happened, newest first; with a run, its whole story
#[derive(Debug, Args)]
pub(crate) struct ListRuns {
    /// A run: its id, or the beginning or end of it
    run: Option<String>,
    /// Only runs of this job
    #[arg(long, value_name = "NAME", conflicts_with = "run")]
    job: Option<String>,
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 20, conflicts_with = "run", value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Runs {
    runs: Vec<RunLine>,
    /// Jobs that do not run.
    stopped: Vec<Stopped>,
}

#[derive(Serialize)]
struct RunLine {
    run: String,
    job: String,
    action: String,
    mode: Mode,
    dry_run: bool,
    as_of: DateTime<Utc>,
    started: DateTime<Utc>,
    ended: Option<DateTime<Utc>>,
    outcome: Option<Outcome>,
    exit: Option<u8>,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_by: Option<StartedBy>,
    #[serde(skip)]
    did: String,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// It ended.
    Ended,
    /// It is at it.
    Running,
    /// Its process died before it ended.
    Killed,
    /// It has no end, and nobody can tell which of both.
    Unknown,
}

#[derive(Serialize)]
struct Story {
    #[serde(flatten)]
    run: RunLine,
    report: Option<Value>,
    events: Vec<Link>,
}

impl ListRuns {
    pub(crate) async fn run(self, globals: &Globals) -> Ended {
        let config = App::config(&globals.config)?;
        let mut stopped = StoppedJobs::of(&config.state).all();
        stopped.retain(|stopped| self.job.as_ref().is_none_or(|job| *job == stopped.job));
        let ledger = match ledger_if_any(&config).await {
            Ok(Some(ledger)) => ledger,
            Ok(None) => return self.nothing_yet(&config.ledger.display().to_string(), stopped),
            Err(end) => {
                // It may be the very reason.
                if self.run.is_none() && !self.json {
                    out::say(&not_running(&stopped))?;
                }
                return Err(end);
            }
        };
        match &self.run {
            Some(part) => self.story(&ledger, part).await,
            None => self.list(&ledger, stopped).await,
        }
    }

    /// Before the first run there is no ledger, and nothing happened.
    fn nothing_yet(&self, path: &str, stopped: Vec<Stopped>) -> Ended {
        if let Some(run) = &self.run {
            return Err(Exit::usage(&format!("there is no run `{run}`: nothing was recorded in `{path}` yet")));
        }
        if self.json {
            out::json(&Runs { runs: vec![], stopped })?
        } else {
            out::say(&("no runs yet\n".to_owned() + &not_running(&stopped)))?
        }
        Ok(Exit::quiet())
    }

    async fn list(&self, ledger: &Ledger, stopped: Vec<Stopped>) -> Ended {
        let rows = ledger.runs(self.job.as_deref(), self.limit).await.map_err(|error| no_ledger(&error))?;
        let mut runs: Vec<RunLine> = vec![];
        for row in &rows {
            runs.push(RunLine::of(row, ledger).await);
        }
        if self.json {
            out::json(&Runs { runs, stopped })?;
        } else if runs.is_empty() {
            let of = self.job.as_ref().map(|job| format!(" of job `{job}`")).unwrap_or_default();
            out::say(&format!("no runs{of} yet\n{}", not_running(&stopped)))?;
        } else {
            let header = ["RUN", "JOB", "STARTED", "DURATION", "MODE", "RESULT", "OUTCOME", "EXIT", "BY"];
            out::say(&(listing(header, runs.iter().map(RunLine::cells)) + &not_running(&stopped)))?;
        }
        Ok(Exit::quiet())
    }

    async fn story(&self, ledger: &Ledger, part: &str) -> Ended {
        let row = ledger.run(part).await.map_err(|error| not_found(&error))?;
        let Some(row) = row else {
            return Err(Exit::usage(&format!("there is no run `{part}` in `{}`", ledger.path().display()))
                .with_help("`steward runs` lists them; the beginning or end of an id is enough"));
        };
        let events = ledger.events(Some(&row.id)).await.map_err(|error| no_ledger(&error))?;
        let story = Story { run: RunLine::of(&row, ledger).await, report: row.report, events };
        if self.json {
            out::json(&story)?
        } else {
            out::say(&story.told())?
        }
        Ok(Exit::quiet())
    }
}

fn not_found(error: &LedgerError) -> Exit {
    match error {
        LedgerError::Ambiguous { .. } => Exit::usage(&error.to_string()).with_help(error.help()),
        other => no_ledger(other),
    }
}

impl RunLine {
    async fn of(row: &RunRow, ledger: &Ledger) -> Self {
        let state = match row.ended {
            Some(_) => State::Ended,
            // A dry run takes no lock that could be looked at.
            None if row.dry_run => State::Unknown,
            None => match ledger.is_under_way(&row.job, &row.id).await {
                Ok(Some(true)) => State::Running,
                Ok(Some(false)) => State::Killed,
                Ok(None) | Err(_) => State::Unknown,
            },
        };
        Self {
            state,
            run: row.id.clone(),
            job: row.job.clone(),
            action: row.action.clone(),
            mode: row.mode,
            dry_run: row.dry_run,
            as_of: row.as_of,
            started: row.started,
            ended: row.ended,
            outcome: row.outcome,
            exit: row.exit,
            started_by: row.started_by.clone(),
            did: row.report.as_ref().map_or_else(|| "–".into(), |report| did(report, actions::presentation(&row.action))),
        }
    }

    fn outcome_word(&self) -> &'static str {
        match self.state {
            State::Ended | State::Unknown => jobs::ended(self.outcome),
            State::Running => "running",
            State::Killed => "killed",
        }
    }

    fn cells(&self) -> [String; 9] {
        let mode = if self.dry_run { "dry run" } else { jobs::mode(self.mode) };
        [
            short_run(&self.run),
            self.job.clone(),
            self.started.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
            self.ended.map_or_else(|| "–".into(), |ended| took(ended - self.started)),
            mode.into(),
            self.did.clone(),
            self.outcome_word().into(),
            self.exit.map_or_else(|| "–".into(), |exit| exit.to_string()),
            self.started_by
                .as_ref()
                .map_or_else(|| "–".into(), |by| format!("{}: {} on {}", by.origin.word(), by.actor, by.host)),
        ]
    }
}

/// The jobs that do not run, below the list; nothing where all do.
fn not_running(stopped: &[Stopped]) -> String {
    let line = |Stopped { job, since, times, reason, help, .. }: &Stopped| {
        let help = help.as_ref().map(|help| format!("  help: {}\n", plain(help))).unwrap_or_default();
        let (job, since) = (job.trim_start_matches('_'), instant(*since));
        format!("`{job}` does not run since {since} ({}): {}\n{help}", plural(*times, "attempt"), plain(reason))
    };
    let lines: String = stopped.iter().map(line).collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

/// What a run did, or what its checks saw: `1,204 archived`, `12 passed, 1 failed`.
fn did(report: &Value, presentation: &Presentation) -> String {
    let datasets = report["datasets"].as_array().map(Vec::as_slice).unwrap_or_default();
    let findings = report["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let sum = |what: &str| datasets.iter().filter_map(|dataset| dataset[what].as_u64()).reduce(|a, b| a + b);
    let ended = |outcome: &str| Some(findings.iter().filter(|finding| finding["outcome"] == *outcome).count() as u64);
    let counted = presentation.read().map(|counter| (sum(counter.key), counter.done));
    let checked = [
        (ended("fail"), "failed"),
        (ended("warn"), "warned"),
        (ended("pass"), "passed"),
        (ended("error"), "unanswered"),
        (ended("skipped"), "skipped"),
    ];
    let parts = counted.chain(checked).filter_map(|(number, what)| Some(format!("{} {what}", count(number.filter(|n| *n > 0)?))));
    let parts = parts.collect::<Vec<_>>().join(", ");
    if parts.is_empty() { "–".to_owned() } else { parts }
}

impl Story {
    fn told(&self) -> String {
        let style = if out::is_seen() { Style::Color } else { Style::Plain };
        let report = self.report.clone().map(serde_json::from_value::<RunReport>);
        let report = match report {
            Some(Ok(report)) => text::run(&report.presented_by(actions::presentation(&self.run.action)), style),
            Some(Err(_)) => {
                format!("the report of run {} was written by another steward; `--json` shows it as it is\n", self.run.run)
            }
            None => format!(
                "run {} of job `{}` began {}{} and has no end: {}\n",
                self.run.run,
                self.run.job,
                self.run.started.format("%Y-%m-%d %H:%M:%S UTC"),
                self.run.started_by.as_ref().map(|by| format!(", started {by},")).unwrap_or_default(),
                match self.run.state {
                    State::Running => "it is at it",
                    State::Killed => "its process died; the next run settles the batch that was open",
                    State::Ended | State::Unknown => "it is still at it, or its process died",
                }
            ),
        };
        let events = self.events.iter().map(|link| [link.seq.to_string(), link.at.clone(), events::told(link)]);
        format!("{report}\n{}", listing(["EVENT", "TIME", "DETAILS"], events))
    }
}
