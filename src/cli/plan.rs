//! `steward plan`: what is due, how much, oldest, which index, what blocks. Touches nothing.

use super::app::App;
use super::current_user::current_user;
use super::exit::Exit;
use super::out;
use super::progress_bar::TerminalProgress;
use super::run_job::instant;
use super::run_log::why;
use super::{Ended, Globals, stderr};
use crate::actions;
use crate::diagnostic::codes;
use crate::job::outcome::Outcome;
use crate::job::spec::Job;
use crate::report::run::{DatasetReport, RunReport, Weight};
use crate::report::text::{self, Style};
use crate::runner::Request;
use crate::runner::approval::{Plan, PlanFile};
use crate::runner::outcome;
use crate::runner::plan::{Planned, Planner};
use chrono::{DateTime, SubsecRound, Utc};
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tracing::Level;

/// Show what jobs would do, and touch nothing
#[derive(Debug, Args)]
pub(crate) struct PlanJobs {
    /// The jobs; all of them when none is named
    jobs: Vec<String>,
    /// Print the statements that a run sends, and the grants they need
    #[arg(long, conflicts_with = "json")]
    sql: bool,
    /// Write a plan file, for `run-job --plan`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Exit with 6 when there is something to do
    #[arg(long)]
    exit_code: bool,
    /// Measure "older than" from here: RFC 3339, or a date, meaning midnight in the job's zone; may lie in the future
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct PlannedJobs<'a> {
    jobs: Vec<&'a RunReport>,
}

impl PlanJobs {
    pub(crate) async fn run(self, globals: &Globals) -> Ended {
        let app = App::open(&globals.config).await?;
        let jobs = self.jobs(&app)?;
        let planner = Planner { progress: Arc::new(TerminalProgress::new()), ..app.planner().await? };
        let now = crate::clock::now().trunc_subsecs(6);
        let mut planned: Vec<Planned> = vec![];
        self.out.as_deref().map_or(Ok(()), must_be_a_plan_or_nothing)?;
        for job in jobs {
            let as_of = self.as_of.as_deref().map(|text| instant(text, &job)).transpose()?.unwrap_or(now);
            let Some(action) = actions::named(&job.action) else { continue };
            let request = Request { job, dry_run: true, as_of: Some(as_of), approval: None };
            planned.push(action.plan(&planner, &request).await);
        }
        self.print(&planned)?;
        if let Some(path) = &self.out {
            let plan = write(path, &planned, now)?;
            match plan.ahead_of(crate::clock::now()) {
                None => stderr::line(Level::INFO, &format!("plan written to {}; good for 24 hours and one run", path.display())),
                Some(_) => stderr::line(
                    Level::WARN,
                    &format!(
                        "plan written to {}; it is for looking only: its time has not come, and `run-job --plan` refuses it ({})",
                        path.display(),
                        codes::TIME_AHEAD
                    ),
                ),
            }
        }
        Ok(self.end(&planned))
    }

    fn jobs(&self, app: &App) -> Result<Vec<Arc<Job>>, Exit> {
        if self.jobs.is_empty() {
            return Ok(app.declarations.jobs.iter().cloned().map(Arc::new).collect());
        }
        self.jobs.iter().map(|name| app.job(name)).collect()
    }

    fn print(&self, planned: &[Planned]) -> Result<(), Exit> {
        if self.json {
            return out::json(&PlannedJobs { jobs: planned.iter().map(|planned| &planned.report).collect() });
        }
        if self.sql {
            return out::say(&planned.iter().map(sql).collect::<String>());
        }
        let style = if out::is_seen() { Style::Color } else { Style::Plain };
        let reports: Vec<RunReport> = planned.iter().map(|planned| planned.report.clone()).collect();
        out::say(&text::plan(&reports, style))
    }

    /// What blocks is in the plan, not an error of planning; what could not be surveyed is.
    fn end(&self, planned: &[Planned]) -> Exit {
        let unseen = planned.iter().find(|planned| {
            let datasets = &planned.report.datasets;
            let unseen = planned.report.findings.iter().any(|finding| !finding.outcome.is_measured());
            unseen || datasets.iter().any(|dataset| dataset.due.is_none()) || !planned.report.reasons.is_empty()
        });
        if let Some(unseen) = unseen {
            return Exit::of(outcome::of_run(&unseen.report, false), &why(&unseen.report));
        }
        let due = planned.iter().flat_map(|planned| &planned.steps).any(|step| step.due > step.held);
        if self.exit_code && due { Exit::of(Outcome::Due, "there is something to do") } else { Exit::quiet() }
    }
}

/// The statements of a job, dataset by dataset, each with the grants that they need.
fn sql(planned: &Planned) -> String {
    let statements = planned.statements.iter().map(|statement| {
        let end = if statement.starts_with("-- ") { "" } else { ";" };
        format!("{statement}{end}\n")
    });
    let refusals: String = planned.report.datasets.iter().filter(|dataset| dataset.due.is_none()).map(refused).collect();
    format!("-- job {}\n{}{refusals}\n", planned.report.job, statements.collect::<String>())
}

/// Why a dataset has no statements: as comments, but for the grants that would help.
fn refused(dataset: &DatasetReport) -> String {
    let mut lines = vec![];
    for reason in dataset.reasons.iter().filter(|reason| !matches!(reason.weight, Weight::Note | Weight::Warning)) {
        lines.push(format!("-- dataset {} refused: {}", dataset.dataset, reason.text.replace('\n', " ")));
        lines.extend(reason.help.iter().flat_map(|help| help.lines()).map(|line| match line.trim_end_matches(';') {
            grant if grant.starts_with("GRANT ") => format!("{grant};"),
            other => format!("--   {other}"),
        }));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A plan file replaces another one, and nothing else: `--out steward.yaml` is a slip.
fn must_be_a_plan_or_nothing(path: &Path) -> Result<(), Exit> {
    if !path.is_file() || std::fs::metadata(path).is_ok_and(|about| about.len() == 0) {
        return Ok(());
    }
    let is_plan = std::fs::read_to_string(path).is_ok_and(|text| serde_json::from_str::<PlanFile>(&text).is_ok());
    let why = format!("`{}` is there and is no plan file; nothing was written", path.display());
    if is_plan { Ok(()) } else { Err(Exit::usage(&why).with_help("name another file")) }
}

/// Writes a plan file, and gives what it says.
pub(crate) fn write(path: &Path, planned: &[Planned], now: DateTime<Utc>) -> Result<Plan, Exit> {
    let as_of = planned.first().map_or(now, |planned| planned.report.as_of);
    let steps = planned.iter().flat_map(|planned| planned.steps.clone()).collect();
    let file = PlanFile::seal(Plan { made: now, made_by: Some(current_user()), as_of, steps })
        .map_err(|error| Exit::of(Outcome::Partial, &error.to_string()))?;
    let text = serde_json::to_string_pretty(&file).map_err(|error| Exit::of(Outcome::Partial, &error.to_string()))?;
    let text = text + "\n";
    must_be_a_plan_or_nothing(path)?;
    std::fs::write(path, &text)
        .map_err(|error| Exit::of(Outcome::Partial, &format!("plan file `{}`: {error}", path.display())))?;
    Ok(file.plan)
}
