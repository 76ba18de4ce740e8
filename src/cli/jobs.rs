//! `steward jobs`: what there is to run, when it runs next, and how it last ended.

use super::app::{App, ledger_if_any};
use super::table::listing;
use super::{Ended, Globals, exit::Exit, out};
use crate::actions;
use crate::job::outcome::Outcome;
use crate::job::schedule::Schedule;
use crate::job::spec::{Job, Mode};
use crate::ledger::run::RunRow;
use crate::report::format;
use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;

/// List the jobs: what they do, when they run next, how they last ended
#[derive(Debug, Args)]
pub(crate) struct ListJobs {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct JobList {
    jobs: Vec<JobLine>,
}

#[derive(Serialize)]
struct JobLine {
    job: String,
    action: String,
    mode: Mode,
    policies: Vec<String>,
    schedule: Option<String>,
    in_words: Option<String>,
    timezone: String,
    next: Option<DateTime<Utc>>,
    #[serde(skip)]
    next_there: Option<String>,
    last: Option<LastRun>,
    place: String,
}

#[derive(Serialize)]
struct LastRun {
    run: String,
    started: DateTime<Utc>,
    ended: Option<DateTime<Utc>>,
    outcome: Option<Outcome>,
    exit: Option<u8>,
}

impl ListJobs {
    pub(crate) async fn run(self, globals: &Globals) -> Ended {
        let declarations = App::read(&globals.config)?;
        let ledger = ledger_if_any(&declarations.config).await?;
        let now = crate::clock::now();
        let mut jobs = vec![];
        for job in &declarations.jobs {
            let last = match &ledger {
                Some(ledger) => ledger.last_run(&job.name).await.map_err(|error| super::app::no_ledger(&error))?,
                None => None,
            };
            jobs.push(JobLine::of(job, last, now));
        }
        if self.json {
            out::json(&JobList { jobs })?;
        } else {
            out::say(&told(&jobs))?;
        }
        Ok(Exit::quiet())
    }
}

impl JobLine {
    fn of(job: &Job, last: Option<RunRow>, now: DateTime<Utc>) -> Self {
        let schedule = job.schedule.as_deref().and_then(|line| Schedule::parse(line).ok());
        let next = schedule.as_ref().and_then(|schedule| schedule.next_after(now, job.timezone));
        Self {
            job: job.name.clone(),
            action: job.action.clone(),
            mode: job.mode,
            policies: job.policies.clone(),
            schedule: job.schedule.clone(),
            in_words: schedule.as_ref().map(Schedule::describe),
            timezone: job.timezone.name().to_owned(),
            next,
            next_there: next.map(|next| next.with_timezone(&job.timezone).format("%a %Y-%m-%d %H:%M %Z").to_string()),
            last: last.map(|row| LastRun {
                run: row.id,
                started: row.started,
                ended: row.ended,
                outcome: row.outcome,
                exit: row.exit,
            }),
            place: job.place.to_string(),
        }
    }

    /// False for one that only looks, whatever its mode.
    fn acts(&self) -> bool {
        !actions::named(&self.action).is_some_and(|action| action.inspects)
    }

    fn last_told(&self) -> String {
        match &self.last {
            None => "never".to_owned(),
            Some(last) => format!("{}, {}", ended(last.outcome), format::instant(last.started)),
        }
    }
}

/// The word for how a run ended; one that did not is still at it, or its process died.
pub(super) fn ended(outcome: Option<Outcome>) -> &'static str {
    outcome.map_or("no end", Outcome::word)
}

fn told(jobs: &[JobLine]) -> String {
    if jobs.is_empty() {
        return "no jobs; `steward init` writes one to begin with\n".to_owned();
    }
    let header = ["JOB", "ACTION", "MODE", "POLICIES", "SCHEDULE", "NEXT", "LAST RUN"];
    let by_hand = || "by hand only".to_owned();
    let lines = jobs.iter().map(|job| {
        [
            job.job.clone(),
            job.action.clone(),
            if job.acts() { mode(job.mode) } else { "looks" }.to_owned(),
            job.policies.join(", "),
            job.in_words.clone().unwrap_or_else(by_hand),
            job.next_there.clone().unwrap_or_else(|| "–".into()),
            job.last_told(),
        ]
    });
    let observing = jobs.iter().filter(|job| job.acts() && job.mode == Mode::Observe).count() as u64;
    let note = match observing {
        0 => String::new(),
        some => {
            format!("\n{} in mode `observe`: nothing is touched until the file says `enforce`\n", format::plural(some, "job"))
        }
    };
    listing(header, lines) + &note
}

/// The word for a mode.
pub(super) const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Observe => "observe",
        Mode::Enforce => "enforce",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::spec::ReportRule;
    use crate::place::Place;

    #[test]
    fn the_next_tick_is_told_on_the_jobs_own_calendar() {
        let job = Job {
            name: "nightly".into(),
            action: "archive".into(),
            policies: vec!["orders".into()],
            schedule: Some("15 2 * * *".into()),
            after: vec![],
            timezone: chrono_tz::Asia::Shanghai,
            budget: None,
            pause: Default::default(),
            retry_after: None,
            mode: Mode::Observe,
            report: ReportRule::default(),
            place: Place::File { file: "jobs/nightly.yaml".into(), line: 1, column: 1 },
        };
        let now = DateTime::parse_from_rfc3339("2026-11-21T00:00:00Z").unwrap().to_utc();
        let line = JobLine::of(&job, None, now);
        assert_eq!(line.next_there.as_deref(), Some("Sun 2026-11-22 02:15 CST"));
        assert_eq!(line.next.unwrap().to_rfc3339(), "2026-11-21T18:15:00+00:00");
        assert_eq!(line.last_told(), "never");
        assert!(told(&[line]).contains("1 job in mode `observe`"));
    }
}
