//! The status page for people: what each job does, when it is due, how it last ended.

use crate::job::outcome::Outcome;
use crate::report::figures::{self, instant};
use crate::worker::jobs::Entry;
use crate::worker::post::{Doing, End, Last};
use askama::Template;
use chrono::{DateTime, Utc};

/// The page. It asks again by itself, and needs nothing else.
#[derive(Template)]
#[template(path = "status.html")]
pub(super) struct Status {
    /// `ready`, `starting`, `draining`.
    pub(super) phase: &'static str,
    /// When it was looked.
    pub(super) at: DateTime<Utc>,
    /// A line for each job.
    pub(super) jobs: Vec<Told>,
}

/// One job, told.
pub(super) struct Told {
    job: String,
    when: String,
    next: String,
    now: String,
    last: String,
    /// The style sheet's word for how it last ended.
    tone: &'static str,
}

impl Told {
    /// One job in words.
    pub(super) fn of(entry: &Entry, next: Option<DateTime<Utc>>, doing: &Doing, last: Option<&Last>) -> Self {
        Self {
            job: figures::plain(&entry.name),
            when: format!("{}, {}", entry.schedule.describe(), entry.zone.name()),
            next: next.map_or_else(|| "–".to_owned(), instant),
            now: now(doing),
            last: last.map_or_else(|| "not since this was started".to_owned(), ended),
            tone: last.map_or("note", |last| tone(&last.end)),
        }
    }
}

fn now(doing: &Doing) -> String {
    match doing {
        Doing::Idle => "idle".to_owned(),
        Doing::Waiting { .. } => "waits for one of the places".to_owned(),
        Doing::Behind { job, .. } => format!("waits until {} has ended", figures::plain(job)),
        Doing::Running { since, .. } => format!("running since {}", instant(*since)),
        Doing::Retrying { at, .. } => format!("tried again at {}", instant(*at)),
    }
}

fn ended(last: &Last) -> String {
    format!("{}, {}", last.end.word(), instant(last.ended))
}

const fn tone(end: &End) -> &'static str {
    match end {
        End::Outcome(Outcome::Done) => "good",
        End::Outcome(Outcome::Temporary | Outcome::Findings | Outcome::Undelivered | Outcome::Due) | End::Skipped => "warn",
        End::Outcome(_) | End::Panicked(_) | End::Dropped => "bad",
    }
}
