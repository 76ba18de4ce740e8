//! What one job is doing right now, so that it never runs twice at a time.

use crate::job::outcome::Outcome;
use crate::worker::jobs::ScheduledJob;
use chrono::{DateTime, Utc};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// What one job is doing, and how its last run ended.
#[derive(Debug)]
pub struct JobState {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    entry: ScheduledJob,
    doing: Doing,
    last: Option<Last>,
}

/// What a job is doing.
#[derive(Debug, Clone, Default)]
pub enum Doing {
    /// Nothing.
    #[default]
    Idle,
    /// Its run waits for one of the places.
    Waiting {
        /// The tick.
        due: DateTime<Utc>,
    },
    /// Its run waits until another job's has ended.
    Behind {
        /// The tick.
        due: DateTime<Utc>,
        /// The other job.
        job: String,
    },
    /// It runs.
    Running {
        /// The tick.
        due: DateTime<Utc>,
        /// Since when.
        since: DateTime<Utc>,
    },
    /// Its run ended `temporary` and is tried again.
    Retrying {
        /// The tick.
        due: DateTime<Utc>,
        /// When.
        at: DateTime<Utc>,
        /// Cancelled by the tick that takes over.
        taken_over: CancellationToken,
    },
}

/// How a job's last run here ended.
#[derive(Debug, Clone)]
pub struct Last {
    /// The tick; none where it ran before we began.
    pub due: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended: DateTime<Utc>,
    /// How.
    pub end: RunEnd,
}

/// How a run ended, seen from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEnd {
    /// By itself.
    Outcome(Outcome),
    /// It panicked, with this message.
    Panicked(String),
    /// It was dropped on a second signal.
    Dropped,
    /// It never began: a job that it comes after did not end well.
    Skipped,
}

impl JobState {
    /// The job_state of a job that does nothing yet.
    pub fn new(entry: ScheduledJob) -> Self {
        Self { state: Mutex::new(State { entry, doing: Doing::Idle, last: None }) }
    }

    /// The job, as it was declared last.
    pub fn entry(&self) -> ScheduledJob {
        self.state().entry.clone()
    }

    /// It is declared otherwise from here on; what it does now goes on.
    pub fn replace(&self, entry: ScheduledJob) {
        self.state().entry = entry;
    }

    /// It is no longer declared: no run of it is tried again. True when nothing of it is under way.
    pub fn retire(&self) -> bool {
        let mut state = self.state();
        if let Doing::Retrying { taken_over, .. } = &state.doing {
            taken_over.cancel();
            state.doing = Doing::Idle;
        }
        matches!(state.doing, Doing::Idle)
    }

    /// What is known of it from before we began.
    pub fn remember(&self, last: Last) {
        self.state().last.get_or_insert(last);
    }

    /// What the job does, and how its last run here ended.
    pub fn look(&self) -> (Doing, Option<Last>) {
        let state = self.state();
        (state.doing.clone(), state.last.clone())
    }

    /// Takes the job_state for a tick, or says why not.
    pub fn take(&self, due: DateTime<Utc>, concurrency: usize) -> Result<(), String> {
        let mut state = self.state();
        match &state.doing {
            Doing::Running { due, since } => {
                return Err(format!("its run for {} has been running since {}", instant(*due), instant(*since)));
            }
            Doing::Waiting { due } => {
                return Err(format!("its run for {} still waits while {concurrency} other jobs run", instant(*due)));
            }
            Doing::Behind { due, job } => {
                return Err(format!("its run for {} still waits until job `{job}` has ended", instant(*due)));
            }
            Doing::Retrying { taken_over, .. } => taken_over.cancel(),
            Doing::Idle => {}
        }
        state.doing = Doing::Waiting { due };
        Ok(())
    }

    /// Its run waits until another job's has ended; or no longer.
    pub fn wait_behind(&self, due: DateTime<Utc>, job: Option<&str>) {
        self.state().doing = job.map_or(Doing::Waiting { due }, |job| Doing::Behind { due, job: job.to_owned() });
    }

    /// Its run begins.
    pub fn begin(&self, due: DateTime<Utc>) {
        let mut state = self.state();
        tracing::info!(job = state.entry.name, %due, "job starts");
        state.doing = Doing::Running { due, since: crate::clock::now() };
    }

    /// Its run ended; `retry` says that it waits to be tried again.
    pub fn end(&self, due: DateTime<Utc>, end: RunEnd, retry: Option<Doing>) {
        let mut state = self.state();
        tracing::info!(job = state.entry.name, %due, end = end.word(), retry = retry.is_some(), "job ended");
        state.doing = retry.unwrap_or_default();
        state.last = Some(Last { due: Some(due), ended: crate::clock::now(), end });
    }

    /// Takes the job_state again for a retry, unless a tick was quicker.
    pub fn resume(&self, due: DateTime<Utc>, taken_over: &CancellationToken) -> bool {
        let mut state = self.state();
        let ours = !taken_over.is_cancelled();
        if ours {
            state.doing = Doing::Waiting { due };
        }
        ours
    }

    /// Gives up its tick: nothing runs, nothing waits.
    pub fn rest(&self) {
        self.state().doing = Doing::Idle;
    }

    /// Dropped on a second signal, or still not letting go after it.
    pub fn was_dropped(&self) -> bool {
        let state = self.state();
        matches!(state.doing, Doing::Running { .. }) || state.last.as_ref().is_some_and(|last| last.end == RunEnd::Dropped)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunEnd {
    /// The word people read.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Outcome(outcome) => outcome.word(),
            Self::Panicked(_) => "failed",
            Self::Dropped => "dropped",
            Self::Skipped => "skipped",
        }
    }
}

fn instant(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
