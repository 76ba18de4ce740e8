//! The status page for people: what each job does, when it is due, how it last ended.

use crate::job::outcome::Outcome;
use crate::report::format::{self, instant};
use crate::worker::job_state::{Doing, Last, RunEnd};
use crate::worker::jobs::{NotRunning, ScheduledJob};
use askama::Template;
use chrono::{DateTime, Utc};

/// How far the worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Looking for ticks that were missed.
    Starting = 0,
    /// On the clock.
    Ready = 1,
    /// Waiting for runs to reach a batch edge.
    Draining = 2,
}

impl Phase {
    /// The word people read.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Draining => "draining",
        }
    }
}

/// The page. It asks again by itself, and needs nothing else.
#[derive(Template)]
#[template(path = "status.html")]
pub(super) struct Status {
    /// The style sheet's word for how it stands with all of it.
    tone: &'static str,
    /// The same in words.
    verdict: String,
    at: DateTime<Utc>,
    jobs: Vec<JobStatus>,
}

/// One job, told.
pub(super) struct JobStatus {
    job: String,
    when: String,
    next: String,
    now: String,
    last: String,
    /// Why it does not run.
    stopped: Option<String>,
    /// The style sheet's word for how it stands with it.
    tone: &'static str,
}

impl Status {
    /// The page of these jobs.
    pub(super) fn of(phase: Phase, at: DateTime<Utc>, jobs: Vec<JobStatus>) -> Self {
        let count = |is_so: &dyn Fn(&&JobStatus) -> bool| jobs.iter().filter(is_so).count() as u64;
        let stopped = count(&|told| told.stopped.is_some());
        let bad = count(&|told| told.stopped.is_none() && told.tone == "bad");
        let warned = count(&|told| told.tone == "warn");
        let (tone, more) = match (phase, stopped, bad, warned) {
            (Phase::Ready, 0, 0, 0) => ("good", String::new()),
            (Phase::Ready, 0, 0, warned) => ("warn", format!("{} to look at", format::plural(warned, "job"))),
            (_, 0, 0, _) => ("warn", String::new()),
            (_, 0, bad, _) => ("bad", format!("{} did not end well", format::plural(bad, "job"))),
            (_, stopped, ..) => ("bad", format!("{} cannot run", format::plural(stopped, "job"))),
        };
        let verdict = if more.is_empty() { phase.word().to_owned() } else { format!("{}, {more}", phase.word()) };
        let verdict = if stopped > 0 && phase == Phase::Ready { more } else { verdict };
        Self { tone, verdict, at, jobs }
    }
}

impl JobStatus {
    /// One job in words.
    pub(super) fn of(
        entry: &ScheduledJob,
        next: Option<DateTime<Utc>>,
        doing: &Doing,
        last: Option<&Last>,
        stopped: Option<&NotRunning>,
    ) -> Self {
        let why = |stopped: &NotRunning| format!("since {}: {}", instant(stopped.since), format::plain(&stopped.reason));
        Self {
            job: format::plain(&entry.name),
            when: format!("{}, {}", entry.schedule.describe(), entry.zone.name()),
            next: next.map_or_else(|| "–".to_owned(), instant),
            now: now(doing),
            last: last.map_or_else(|| "never".to_owned(), ended),
            stopped: stopped.map(why),
            tone: if stopped.is_some() { "bad" } else { last.map_or("note", |last| tone(&last.end)) },
        }
    }
}

fn now(doing: &Doing) -> String {
    match doing {
        Doing::Idle => "idle".to_owned(),
        Doing::Waiting { .. } => "waits for one of the places".to_owned(),
        Doing::Behind { job, .. } => format!("waits until {} has ended", format::plain(job)),
        Doing::Running { since, .. } => format!("running since {}", instant(*since)),
        Doing::Retrying { at, .. } => format!("tried again at {}", instant(*at)),
    }
}

fn ended(last: &Last) -> String {
    format!("{}, {}", last.end.word(), instant(last.ended))
}

const fn tone(end: &RunEnd) -> &'static str {
    match end {
        RunEnd::Outcome(Outcome::Done) => "good",
        RunEnd::Outcome(Outcome::Temporary | Outcome::Findings | Outcome::Undelivered | Outcome::Due) | RunEnd::Skipped => "warn",
        RunEnd::Outcome(_) | RunEnd::Panicked(_) | RunEnd::Dropped => "bad",
    }
}
