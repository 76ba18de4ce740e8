//! The story: make a company, plan, run every job, approve what a guard refused, run again, and check all of it.

use super::audit::{self, Accounted, Before};
use super::company::{Company, FILLED};
use super::faults::{self, Compared};
use super::{folder, print};
use crate::actions;
use crate::cli::app::{App, ledger, no_ledger};
use crate::cli::exit::Exit;
use crate::cli::progress_bar::TerminalProgress;
use crate::cli::run_job::not_approved;
use crate::cli::{Ended, plan};
use crate::job::outcome::Outcome;
use crate::job::spec::Job;
use crate::ledger::fault::Verification;
use crate::report::format::{count, plural, took};
use crate::report::run::{DatasetReport, RunReport};
use crate::runner::Request;
use crate::runner::approval::PlanFile;
use crate::store::error::StoreFailure;
use crate::store::sql::session::store::Store;
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Show all of it on a small company's data, made for the purpose
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where to make it; must not exist, or be empty
    #[arg(long, value_name = "DIR", default_value = "steward-demo")]
    dir: PathBuf,
}

/// The store's name in the demo's configuration.
const COMPANY: &str = "company";

impl Demo {
    pub(crate) async fn run(self) -> Ended {
        let began = Instant::now();
        folder::make(&self.dir).map_err(|error| Exit::usage(&error.to_string()))?;
        let before = self.make().await?;
        self.plan().await?;
        let mut reports = self.work("every job runs").await?;
        let approved = self.approve(&reports).await?;
        reports.extend(approved);
        let again = self.again().await?;
        let accounted = self.account(&before, &reports).await?;
        let compared = self.faults(&again).await?;
        let evidence = self.evidence(&reports).await?;
        Ok(self.conclude(&Story { reports, again, accounted, compared, evidence, began }))
    }

    /// Opened anew for every step, as every command opens it anew.
    async fn app(&self) -> Result<App, Exit> {
        App::open(&self.dir.join("steward.yaml")).await
    }

    async fn make(&self) -> Result<Vec<Before>, Exit> {
        let app = self.app().await?;
        let store = app.stores.get(COMPANY).map_err(stopped)?;
        Company::new(crate::clock::now()).settle_in(store).await.map_err(stopped)?;
        let before = audit::look(store, &app.declarations.policies).await.map_err(stopped)?;
        print::step(1, &format!("a small company's data, three years of it: {}", print::path(&self.dir.join("company.db"))));
        print::lines(&tables(store, &before).await.map_err(stopped)?);
        print::aside("policies and jobs lie beside it, in policies/ and jobs/: five minutes to read");
        Ok(before)
    }

    async fn plan(&self) -> Result<(), Exit> {
        let app = self.app().await?;
        let planner = app.planner().await?;
        let mut reports = vec![];
        for job in jobs(&app) {
            let Some(action) = actions::named(&job.action) else { continue };
            reports.push(action.plan(&planner, &look_only(job)).await.report);
        }
        print::step(2, "plan: what the jobs would do, and nothing is touched");
        print::jobs(&reports);
        Ok(())
    }

    /// Runs every job once.
    async fn work(&self, what: &str) -> Result<Vec<RunReport>, Exit> {
        let app = self.app().await?;
        print::step(3, what);
        let reports = run_all(&app).await?;
        print::jobs(&reports);
        Ok(reports)
    }

    /// What a person does after a refusal: looks at the plan, and runs the job under it.
    async fn approve(&self, reports: &[RunReport]) -> Result<Vec<RunReport>, Exit> {
        let refused = reports.iter().filter(|report| report.outcome == Some(Outcome::Refused));
        let refused: Vec<&RunReport> = refused.collect();
        if refused.is_empty() {
            return Ok(vec![]);
        }
        let app = self.app().await?;
        print::step(4, "a guard refused: a person looks at the plan, then runs the job under it");
        let mut approved = vec![];
        for report in refused {
            let file = self.dir.join(format!("approved-{}.json", report.job));
            print::aside(&format!("steward plan {} --out {}", report.job, print::path(&file)));
            print::aside(&format!("steward run-job {} --plan {}", report.job, print::path(&file)));
            approved.push(run_approved(&app, app.job(&report.job)?, &file).await?);
        }
        print::jobs(&approved);
        Ok(approved)
    }

    async fn again(&self) -> Result<Vec<RunReport>, Exit> {
        let app = self.app().await?;
        let reports = run_all(&app).await?;
        let left: u64 = reports.iter().map(changed).sum();
        let what = if left == 0 { "nothing is left to do" } else { "something was left to do" };
        print::step(5, &format!("every job runs a second time: {what}"));
        print::jobs(&reports);
        Ok(reports)
    }

    /// Every row, against the copy taken at the start.
    async fn account(&self, before: &[Before], reports: &[RunReport]) -> Result<Vec<Accounted>, Exit> {
        let app = self.app().await?;
        let store = app.stores.get(COMPANY).map_err(stopped)?;
        let mut accounted = vec![];
        for table in before {
            let Some(cutoff) = cutoff(table, reports) else { continue };
            accounted.push(table.account(store, cutoff).await.map_err(stopped)?);
        }
        print::step(6, "checked, row by row, against a copy taken before the first run");
        print::accounted(&accounted);
        Ok(accounted)
    }

    /// What the checks found, beside what the tables say.
    async fn faults(&self, again: &[RunReport]) -> Result<Vec<Compared>, Exit> {
        let app = self.app().await?;
        let store = app.stores.get(COMPANY).map_err(stopped)?;
        let Some(report) = again.iter().find(|report| report.action == "check-quality") else { return Ok(vec![]) };
        let compared = faults::compare(store, report).await.map_err(stopped)?;
        print::step(7, "what the checks found, beside what the tables say when they are asked in other words");
        print::compared(&compared);
        Ok(compared)
    }

    async fn evidence(&self, reports: &[RunReport]) -> Result<Verification, Exit> {
        let app = self.app().await?;
        let ledger = ledger(&app.declarations.config).await?;
        // The head of an earlier report must be in the chain: else its tail was cut.
        let earlier = reports.iter().find_map(|report| report.ledger_head.as_deref());
        let found = ledger.verify(earlier).await.map_err(|error| no_ledger(&error))?;
        ledger.close().await;
        let whole = if found.is_whole() { "whole" } else { "BROKEN" };
        print::step(8, &format!("the evidence is {whole}"));
        let head = found.head.as_ref().map(|head| head.hash.clone()).unwrap_or_default();
        let events =
            format!("{} of {}, each with the hash of the one before", plural(found.events, "event"), plural(found.runs, "run"));
        print::lines(&[["chain".to_owned(), events], ["head".to_owned(), head]]);
        Ok(found)
    }

    fn conclude(&self, story: &Story) -> Exit {
        let wrong = story.wrong();
        let took = took(TimeDelta::from_std(story.began.elapsed()).unwrap_or_default());
        match &wrong {
            None => print::verdict(true, &format!("{} ({took})", story.right())),
            Some(wrong) => print::verdict(false, &format!("this is not as it should be: {wrong}")),
        }
        self.point_to(story);
        wrong.map_or_else(Exit::quiet, |wrong| Exit::of(Outcome::Partial, &wrong))
    }

    /// Where to look, and what to type next. The commands work as they stand, from here.
    fn point_to(&self, story: &Story) {
        let row = |word: &str, path: String| [word.to_owned(), path];
        let told = story.reports.iter().find(|report| changed(report) > 0);
        let mut look = vec![];
        if let Some(report) = told {
            look.extend(report.report.as_ref().and_then(|told| told.html.clone()).map(|html| row("report", html)));
            let mail = self.dir.join("mail").join(format!("{}.eml", report.stem()));
            look.extend(mail.exists().then(|| row("mail", print::path(&mail))));
        }
        // The last one: it was held against the tables.
        let checks = story.again.iter().find(|report| report.action == "check-quality");
        let checks = checks.and_then(|report| report.report.as_ref()?.html.clone());
        look.extend(checks.map(|html| row("checks", html)));
        look.push(row("policies", print::path(&self.dir.join("policies/finance.yaml"))));
        print::section("look at", &look);
        let steward = std::env::args().next().unwrap_or_else(|| "steward".to_owned());
        let config = print::path(&self.dir.join("steward.yaml"));
        let next_year = (crate::clock::now() + TimeDelta::days(365)).format("%Y-%m-%d");
        print::section(
            "try next",
            &[
                row("here, once", format!("export STEWARD_CONFIG={config}")),
                row("what happened", format!("{steward} runs")),
                row("what is due in a year", format!("{steward} plan --as-of {next_year}")),
                row("what a run sends", format!("{steward} plan --sql archive-consumption")),
                row("a run by hand", format!("{steward} run-job archive-consumption")),
                row("misspell a policy, then", format!("{steward} validate")),
            ],
        );
    }
}

/// What happened, for the last word.
struct Story {
    reports: Vec<RunReport>,
    again: Vec<RunReport>,
    accounted: Vec<Accounted>,
    compared: Vec<Compared>,
    evidence: Verification,
    began: Instant,
}

impl Story {
    /// The first thing that is not as it should be.
    fn wrong(&self) -> Option<String> {
        let ended = |report: &&RunReport| !matches!(report.outcome, Some(Outcome::Done | Outcome::Refused));
        if let Some(report) = self.reports.iter().chain(&self.again).find(ended) {
            return Some(format!("job `{}` ended {}", report.job, report.outcome.map_or("nowhere", Outcome::word)));
        }
        if let Some(report) = self.again.iter().find(|report| report.outcome != Some(Outcome::Done) || changed(report) > 0) {
            return Some(format!("the second run of `{}` had something left to do", report.job));
        }
        if let Some(table) = self.accounted.iter().find(|table| !table.is_right()) {
            return Some(format!("`{}` is not what it should be", table.table));
        }
        if self.accounted.is_empty() {
            return Some("no table was checked".to_owned());
        }
        if let Some(one) = self.compared.iter().find(|one| !one.is_right()) {
            return Some(format!("the check `{}` found another number than is there", one.check));
        }
        if self.compared.is_empty() {
            return Some("no check was held against its table".to_owned());
        }
        (!self.evidence.is_whole()).then(|| "the evidence chain is broken".to_owned())
    }

    /// What was checked, and found right.
    fn right(&self) -> String {
        let held: usize = self.accounted.iter().map(|table| table.held).sum();
        let gone: usize = self.accounted.iter().map(|table| table.gone).sum();
        let archived: usize = self.accounted.iter().filter_map(|table| table.archived).sum();
        format!(
            "what was overdue is gone ({} rows); all that must stay is there, unchanged, {} in the archive and {} under a hold",
            count(gone as u64),
            count(archived as u64),
            count(held as u64)
        )
    }
}

/// Every job, in the order of their names: archiving before removal from the archive.
fn jobs(app: &App) -> Vec<Arc<Job>> {
    app.declarations.jobs.iter().cloned().map(Arc::new).collect()
}

async fn run_all(app: &App) -> Result<Vec<RunReport>, Exit> {
    let runner = app.runner(CancellationToken::new(), Arc::new(TerminalProgress::new())).await?;
    let mut reports = vec![];
    for job in jobs(app) {
        let Some(action) = actions::named(&job.action) else { continue };
        reports.push(action.run(&runner, &Request { job, dry_run: false, as_of: None, approval: None }).await);
    }
    runner.ledger.close().await;
    Ok(reports)
}

async fn run_approved(app: &App, job: Arc<Job>, file: &Path) -> Result<RunReport, Exit> {
    let action = actions::named(&job.action).ok_or_else(|| Exit::of(Outcome::Invalid, "the action is not built"))?;
    let now = crate::clock::now();
    let planned = action.plan(&app.planner().await?, &look_only(job.clone())).await;
    plan::write(file, &[planned], now)?;
    let text = std::fs::read_to_string(file).map_err(|error| Exit::usage(&format!("plan file `{}`: {error}", file.display())))?;
    let approval = PlanFile::open(&text, &job.name, crate::clock::now()).map_err(|error| not_approved(&error, &job.name))?;
    let runner = app.runner(CancellationToken::new(), Arc::new(TerminalProgress::new())).await?;
    let report = action.run(&runner, &Request { job, dry_run: false, as_of: None, approval: Some(approval) }).await;
    runner.ledger.close().await;
    Ok(report)
}

const fn look_only(job: Arc<Job>) -> Request {
    Request { job, dry_run: true, as_of: None, approval: None }
}

/// Rows that a run archived, removed or expired. A view is filled anew every time, and nothing is lost by it.
fn changed(report: &RunReport) -> u64 {
    if report.refreshes() { 0 } else { report.datasets.iter().map(DatasetReport::done).sum() }
}

/// The cutoff of final removal that the last run on a table worked by.
fn cutoff(table: &Before, reports: &[RunReport]) -> Option<DateTime<Utc>> {
    let runs = reports.iter().rev().filter(|report| matches!(report.action.as_str(), "delete" | "expire-sessions"));
    runs.flat_map(|report| &report.datasets).find(|dataset| dataset.policy == table.removing().policy)?.cutoff
}

/// What the company has: counted in the store, the faults included.
async fn tables(store: &Store, before: &[Before]) -> Result<Vec<[String; 3]>, StoreFailure> {
    let mut told = vec![];
    let mut session = store.reading("demo").await?;
    for table in FILLED {
        let rows = session.count(&format!("SELECT COUNT(*) FROM {}", table.name), &[]).await?;
        let mut faults = vec![];
        if table.name == "users" {
            let doubles = "SELECT COUNT(*) FROM users WHERE email <> lower(email) AND lower(email) IN (SELECT email FROM users)";
            faults.push(format!("{} emails twice but for capitals", session.count(doubles, &[]).await?));
            faults.push(format!("{} missing", session.count("SELECT COUNT(*) FROM users WHERE email IS NULL", &[]).await?));
        }
        if let Some(before) = before.iter().find(|before| before.removing().dataset.table == table.name) {
            let some = |rows: usize, what: &str| (rows > 0).then(|| format!("{rows} {what}"));
            faults.extend(some(before.undated(), "without a date"));
            faults.extend(some(before.held(), "under a legal hold"));
        }
        if table.name == "user_sessions" {
            let now = super::company::written(crate::clock::now());
            let expired = "SELECT COUNT(*) FROM user_sessions WHERE expires_at < ?";
            let expired = session.count(expired, &[crate::store::value::Cell::Text(now)]).await?;
            faults.push(format!("{} expired", count(expired)));
        }
        told.push([table.name.to_owned(), count(rows), faults.join(", ")]);
    }
    Ok(told)
}

fn stopped(failure: StoreFailure) -> Exit {
    Exit::of(Outcome::Partial, &failure.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_demo_ends_well_and_a_second_one_leaves_the_folder_alone() {
        let dir = tempfile::tempdir().unwrap();
        let demo = || Demo { dir: dir.path().join("demo") };
        assert_eq!(demo().run().await, Ok(Exit::quiet()));
        let size = || std::fs::metadata(dir.path().join("demo/company.db")).unwrap().len();
        let before = size();
        assert_eq!(demo().run().await.unwrap_err().say(), 2);
        assert_eq!(size(), before);
    }
}
