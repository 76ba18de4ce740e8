//! `steward validate`: all declarations, all errors in one pass; with `--connect` held against the live schemas.

use super::app::App;
use super::exit::Exit;
use super::out;
use super::progress_bar::TerminalProgress;
use super::{Ended, Globals};
use crate::action::{reason, scope};
use crate::actions;
use crate::diagnostic::codes;
use crate::job::outcome::Outcome;
use crate::policy::dataset::DatasetName;
use crate::policy::policies::Policies;
use crate::report::finding::Finding;
use crate::report::run::{Reason, Weight};
use crate::runner::Request;
use crate::runner::holds;
use crate::runner::plan::Planner;
use crate::store::error::StoreFailure;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;

/// Check all declarations
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// A configuration, a folder with a `steward.yaml`, or one declared file; everything configured when none is named
    paths: Vec<PathBuf>,
    /// Hold them against the live schemas too
    #[arg(long)]
    connect: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Default, Serialize)]
struct Checked {
    policies: usize,
    sessions: usize,
    cache: usize,
    views: usize,
    checks: usize,
    tags: usize,
    holds: usize,
    jobs: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Problem {
    /// Absent for what no job need name: holds, tags, minimums.
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    dataset: String,
    #[serde(flatten)]
    reason: Reason,
}

impl Problem {
    fn declared((dataset, failure): (DatasetName, StoreFailure)) -> Self {
        Self { job: None, check: None, policy: None, dataset: dataset.to_string(), reason: reason(&failure) }
    }
}

impl Validate {
    pub(crate) async fn run(self, globals: &Globals) -> Ended {
        let configs = if self.paths.is_empty() { vec![globals.config.clone()] } else { self.paths.clone() };
        let mut end = Exit::quiet();
        for config in configs {
            let config = if config.is_dir() { config.join("steward.yaml") } else { config };
            if config != globals.config && config.file_name().is_some_and(|name| name != "steward.yaml") {
                if !config.exists() {
                    return Err(Exit::usage(&format!("there is no file `{}`", config.display())));
                }
                App::read_one(&globals.config, &config)?;
                println!("valid: {}", config.display());
                continue;
            }
            let checked = if self.connect { connected(&config).await? } else { read(&config)? };
            if self.json {
                out::json(&checked)?;
            } else {
                out::say(&checked.told(self.connect))?;
            }
            if !checked.problems.is_empty() {
                end = match checked.outcome() {
                    Outcome::Temporary => Exit::of(Outcome::Temporary, "a store gave no answer, so not all was held against it"),
                    outcome => Exit::of(outcome, "what is declared does not work on the stores as they are"),
                };
            }
        }
        Ok(end)
    }
}

fn read(config: &std::path::Path) -> Result<Checked, Exit> {
    let declarations = App::read(config)?;
    let policies = &declarations.policies;
    Ok(Checked::of(policies, declarations.jobs.len()))
}

/// Plans every job and keeps what was refused or failed: the same checks that a run makes.
async fn connected(config: &std::path::Path) -> Result<Checked, Exit> {
    let app = App::open(config).await?;
    let planner = Planner { progress: Arc::new(TerminalProgress::new()), ..app.planner().await? };
    let policies = &app.declarations.policies;
    let mut checked = Checked::of(policies, app.declarations.jobs.len());
    let holds = holds::look(planner.ledger.as_ref(), &policies.holds).await.unwrap_or_else(|_| policies.holds.clone());
    checked.problems.extend(scope::check_declared(policies, &holds, &app.stores).await.into_iter().map(Problem::declared));
    for job in &app.declarations.jobs {
        let Some(action) = actions::named(&job.action) else { continue };
        let request = Request { job: Arc::new(job.clone()), dry_run: true, as_of: None, approval: None };
        let report = action.plan(&planner, &request).await.report;
        checked.problems.extend(report.findings.into_iter().filter_map(|finding| unfit(&job.name, finding)));
        for dataset in report.datasets {
            // A guard is about numbers, not about what is declared.
            let wrong = dataset
                .reasons
                .into_iter()
                .filter(|reason| !matches!(reason.weight, Weight::Note | Weight::Warning) && dataset.due.is_none());
            checked.problems.extend(wrong.map(|reason| Problem {
                job: Some(job.name.clone()),
                check: None,
                policy: Some(dataset.policy.clone()),
                dataset: dataset.dataset.clone(),
                reason,
            }));
        }
    }
    Ok(checked)
}

/// A check that cannot work. One that found nothing to look at works: that is about the data, not about what is declared.
fn unfit(job: &str, finding: Finding) -> Option<Problem> {
    let reason = finding.reason.filter(|_| !finding.outcome.is_measured())?;
    let by_data = reason.code.as_deref() == Some(codes::NOTHING_SEEN.as_str());
    (!by_data).then(|| Problem {
        job: Some(job.to_owned()),
        check: Some(finding.check),
        policy: None,
        dataset: finding.dataset,
        reason,
    })
}

impl Checked {
    fn of(policies: &Policies, jobs: usize) -> Self {
        Self {
            policies: policies.lifecycle.len(),
            sessions: policies.sessions.len(),
            cache: policies.cache.len(),
            views: policies.views.len(),
            checks: policies.checks.len(),
            tags: policies.tags.len(),
            holds: policies.holds.len(),
            jobs,
            problems: vec![],
        }
    }

    /// `2 lifecycle policies, 1 check, 0 tags, 0 holds, 5 jobs`: sections that nobody uses are not told.
    fn sums(&self) -> String {
        let told = |number: usize, one: &str, many: &str| format!("{number} {}", if number == 1 { one } else { many });
        let section = |number: usize, one: &str, many: &str| (number > 0).then(|| told(number, one, many));
        let sections = [
            section(self.sessions, "session policy", "session policies"),
            section(self.cache, "cache policy", "cache policies"),
            section(self.views, "view", "views"),
            section(self.checks, "check", "checks"),
        ];
        let rest = [told(self.tags, "tag", "tags"), told(self.holds, "hold", "holds"), told(self.jobs, "job", "jobs")];
        let all = std::iter::once(told(self.policies, "lifecycle policy", "lifecycle policies"));
        all.chain(sections.into_iter().flatten()).chain(rest).collect::<Vec<_>>().join(", ")
    }

    fn outcome(&self) -> Outcome {
        let temporary = self.problems.iter().all(|problem| problem.reason.weight == Weight::Temporary);
        if temporary { Outcome::Temporary } else { Outcome::Invalid }
    }

    fn told(&self, connected: bool) -> String {
        let mut text = String::new();
        for Problem { job, check, policy, dataset, reason } in &self.problems {
            let code = reason.code.as_ref().map(|code| format!("[{code}] ")).unwrap_or_default();
            let check = check.as_ref().map(|check| format!(", check `{check}`")).unwrap_or_default();
            let policy = policy.as_ref().filter(|policy| *policy != dataset).map(|policy| format!(", policy `{policy}`"));
            let policy = policy.unwrap_or_default();
            // A check of policies is of no dataset.
            let dataset = if dataset.is_empty() { String::new() } else { format!(", dataset `{dataset}`") };
            let job = job.as_ref().map(|job| format!("job `{job}`{check}{policy}{dataset}: ")).unwrap_or_default();
            text += &format!("{code}{job}{}\n", reason.text);
            text.extend(reason.help.iter().map(|help| format!("    {}\n", help.replace('\n', "\n    "))));
        }
        let against = if connected { ", and what its jobs name works on the live stores" } else { "" };
        if self.problems.is_empty() {
            text += &format!("valid{against}: {}\n", self.sums());
        }
        text
    }
}
