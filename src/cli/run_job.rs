//! `steward run-job`: one execution of a job, by hand, by a CronJob, by an auditor.

use super::app::{App, Closed, print_diagnosis};
use super::current_user::origin;
use super::exit::Exit;
use super::progress_bar::TerminalProgress;
use super::{Ended, Globals};
use super::{out, run_log, stderr, unattended};
use crate::actions;
use crate::diagnostic::codes;
use crate::job::origin::Origin;
use crate::job::outcome::Outcome;
use crate::job::spec::Job;
use crate::policy::period::first_instant;
use crate::report::finding::FindingOutcome;
use crate::report::run::RunReport;
use crate::report::text::{self, Style};
use crate::runner::Request;
use crate::runner::approval::{PlanError, PlanFile};
use crate::runner::stopped::Obstacle;
use crate::worker::{Hangup, Signals};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::{Args, ValueEnum};
use std::io::{BufRead, IsTerminal, Write, stdin};
use std::path::PathBuf;
use std::sync::Arc;

/// Run a job once, now
#[derive(Debug, Args)]
pub(crate) struct RunJob {
    /// The job: the stem of its file
    name: String,
    /// Look, and touch nothing
    #[arg(long)]
    dry_run: bool,
    /// Measure "older than" from here: RFC 3339, or a date, meaning midnight in the job's zone
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// Do what this plan file lists, beyond the guards if need be
    #[arg(long, value_name = "FILE", conflicts_with = "as_of")]
    plan: Option<PathBuf>,
    /// Do not ask before a run that acts; never approves a guard
    #[arg(long, short)]
    yes: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Count warnings of checks as findings
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = FailOn::Fail)]
    fail_on: FailOn,
}

/// From which level on a check's finding makes the exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Warn,
    Fail,
}

impl RunJob {
    /// Where nobody watches, what keeps the job from running is told by mail, and so is its end.
    pub(crate) async fn run(self, globals: &Globals) -> Ended {
        let is_watched = self.dry_run || origin() == Origin::ByHand;
        let tell = async |obstacle: Option<&Obstacle>| {
            if !is_watched {
                unattended::tell(&globals.config, &self.name, obstacle).await;
            }
        };
        let app = match App::look(&globals.config).await {
            Ok(read) => print_diagnosis(Ok(read))?,
            Err(closed) => {
                tell(Some(&unattended::of_closed(&closed))).await;
                return match closed {
                    Closed::Wrong(diagnosis) => print_diagnosis(Err(diagnosis)),
                    Closed::Away(end) => Err(end),
                };
            }
        };
        let job = app.job(&self.name)?;
        let Some(action) = actions::named(&job.action) else {
            return Err(Exit::of(Outcome::Invalid, &format!("action `{}` of job `{}` is not built yet", job.action, job.name)));
        };
        let request = self.request(job)?;
        if !action.inspects && request.acts() && !self.yes && !confirmed(&request.job)? {
            return Err(Exit::of(Outcome::Refused, "you did not say yes; nothing was touched"));
        }
        let signals = Signals::listen(Hangup::Stops)
            .map_err(|error| Exit::of(Outcome::Temporary, &format!("cannot install signal handlers: {error}")))?;
        let runner = match app.runner(signals.stop.clone(), Arc::new(TerminalProgress::new())).await {
            Ok(runner) => runner,
            Err(end) => {
                tell(Some(&unattended::of_end(&end))).await;
                return Err(end);
            }
        };
        let report = tokio::select! {
            report = action.run(&runner, &request) => report,
            () = signals.at_once.cancelled() => {
                return Err(Exit::of(Outcome::Temporary, "stopped at once by a second signal; the next run settles the batch that was open"));
            }
        };
        if stderr::is_json() {
            run_log::log(&report);
        }
        let is_held = report.reasons.iter().any(|reason| reason.code.as_deref() == Some(codes::LEASE_HELD.as_str()));
        if !is_held {
            tell(unattended::of_report(&report).as_ref()).await;
        }
        self.print(&report)?;
        Ok(Exit::of(self.outcome(&report), &run_log::why(&report)))
    }

    fn request(&self, job: Arc<Job>) -> Result<Request, Exit> {
        let as_of = self.as_of.as_deref().map(|text| instant(text, &job)).transpose()?;
        if as_of.is_some_and(|as_of| as_of > crate::clock::now()) && !self.dry_run {
            return Err(Exit::usage("a future `--as-of` works only with `plan` and `--dry-run`"));
        }
        let approval = self.plan.as_ref().map(|path| {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Exit::usage(&format!("plan file `{}`: {error}", path.display())))?;
            PlanFile::open(&text, &job.name, crate::clock::now()).map_err(|error| not_approved(&error, &job.name))
        });
        Ok(Request { job, dry_run: self.dry_run, as_of, approval: approval.transpose()? })
    }

    fn outcome(&self, report: &RunReport) -> Outcome {
        let outcome = report.outcome.unwrap_or(Outcome::Partial);
        let warned = report.findings.iter().any(|finding| finding.outcome == FindingOutcome::Warn);
        if warned && self.fail_on == FailOn::Warn { outcome.worse(Outcome::Findings) } else { outcome }
    }

    fn print(&self, report: &RunReport) -> Result<(), Exit> {
        if self.json {
            return out::json(report);
        }
        out::say(&text::run(report, if out::is_seen() { Style::Color } else { Style::Plain }))
    }
}

/// A plan file that approves nothing, and the way out.
pub(crate) fn not_approved(error: &PlanError, job: &str) -> Exit {
    let help = format!("plan again: `steward plan {job} --out FILE`; `steward explain {}` tells more", error.code());
    Exit::of(Outcome::Refused, &format!("{error} ({})", error.code())).with_help(&help)
}

/// RFC 3339, or a date meaning midnight in the job's zone.
pub(crate) fn instant(text: &str, job: &Job) -> Result<DateTime<Utc>, Exit> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(instant.with_timezone(&Utc));
    }
    match text.parse::<NaiveDate>() {
        Ok(date) => Ok(first_instant(date.and_time(NaiveTime::MIN), job.timezone)),
        Err(_) => {
            Err(Exit::usage(&format!("`--as-of {text}` is neither RFC 3339 (`2026-05-21T13:45:00Z`) nor a date (`2026-05-21`)")))
        }
    }
}

/// Asks first when a person sits in front of it; without a terminal it never asks.
fn confirmed(job: &Job) -> Result<bool, Exit> {
    if !(stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Ok(true);
    }
    let question = format!(
        "job `{}` acts on {} (`steward plan {}` shows what it would do). Go on? [y/N] ",
        job.name,
        job.policies.join(", "),
        job.name
    );
    std::io::stderr().write_all(question.as_bytes()).map_err(|error| Exit::usage(&format!("nobody could be asked: {error}")))?;
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer).map_err(|error| Exit::usage(&format!("no answer could be read: {error}")))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
