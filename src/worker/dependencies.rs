//! A job that comes after others waits until the runs of their earlier ticks have ended.

use crate::job::outcome::Outcome;
use crate::worker::job_state::{Doing, JobState, RunEnd};
use crate::worker::jobs::{Jobs, ScheduledJob};
use chrono::{DateTime, TimeDelta, Utc};

/// A tick of another job that lies further back belongs to another night.
const NIGHT: TimeDelta = TimeDelta::hours(24);
/// Ticks that were missed are made up for within this, once we have begun.
const MADE_UP_WITHIN: TimeDelta = TimeDelta::seconds(5);

/// How a job that others wait for stands to a tick of theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ahead {
    /// It had no tick before, or its run ended well.
    Clear,
    /// Its run has not ended.
    NotYet,
    /// Its run did not end well, or never began: why.
    Failed(String),
}

/// How `other` stands to the tick `due` of a job that comes after it, in a worker that `began` then.
///
/// Its tick is the last one at or before `due`, within a day. What became of it is known here or, where another process or a
/// person ran it, from the record. A tick that passed before we began and is not made up for is waited for by nobody.
pub async fn ahead<J: Jobs>(jobs: &J, other: &JobState, due: DateTime<Utc>, began: DateTime<Utc>) -> Ahead {
    let ScheduledJob { name, schedule, zone, .. } = &other.entry();
    let Some(tick) = schedule.missed_since(Some(due - NIGHT), due, *zone) else { return Ahead::Clear };
    let (doing, last) = other.look();
    if !matches!(doing, Doing::Idle) {
        return Ahead::NotYet;
    }
    if let Some(last) = last.filter(|last| last.due.is_some_and(|due| due >= tick)) {
        return judged(&last.end);
    }
    match jobs.ended_since(name, tick).await {
        Some(outcome) => judged(&RunEnd::Outcome(outcome)),
        None if tick < began && crate::clock::now() > began + MADE_UP_WITHIN => Ahead::Clear,
        None => Ahead::NotYet,
    }
}

/// A run that did its work, whatever it found, lets the next begin.
fn judged(end: &RunEnd) -> Ahead {
    match end {
        RunEnd::Outcome(Outcome::Done | Outcome::Due | Outcome::Findings | Outcome::Undelivered) => Ahead::Clear,
        other => Ahead::Failed(format!("ended `{}`", other.word())),
    }
}
