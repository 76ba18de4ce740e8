//! What others can ask over HTTP: does the clock tick, are we ready, what is due when.

use crate::report::format;
use crate::worker::clock::Clock;
use crate::worker::executor::Executor;
use crate::worker::job_state::{Doing, Last, RunEnd};
use crate::worker::jobs::{Jobs, NotRunning, ScheduledJob};
use crate::worker::status::{JobStatus, Phase, Status};
use askama::Template;
use axum::extract::State;
use axum::http::header::{ACCEPT, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use chrono::SubsecRound;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// What the pages show.
pub struct StatusServer<J> {
    entries: RwLock<Vec<ScheduledJob>>,
    clock: Arc<Clock>,
    executor: Arc<Executor<J>>,
    stall_after: Duration,
    phase: AtomicU8,
}

impl<J: Jobs> StatusServer<J> {
    /// A page over this clock and executor, starting.
    pub fn new(entries: Vec<ScheduledJob>, clock: Arc<Clock>, executor: Arc<Executor<J>>, stall_after: Duration) -> Arc<Self> {
        Arc::new(Self {
            entries: RwLock::new(entries),
            clock,
            executor,
            stall_after,
            phase: AtomicU8::new(Phase::Starting as u8),
        })
    }

    /// Shows other jobs from here on.
    pub fn replace(&self, entries: Vec<ScheduledJob>) {
        *self.entries.write().unwrap_or_else(PoisonError::into_inner) = entries;
    }

    fn entries(&self) -> Vec<ScheduledJob> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says how far the worker is.
    pub fn turn(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Release);
    }

    /// Whether nobody needs to restart us: the clock ticks. It stands still while we start and drain, rightly.
    pub fn is_alive(&self) -> bool {
        self.phase() != Phase::Ready || self.clock.ticks_within(self.stall_after)
    }

    /// `/`, `/healthz`, `/readyz`.
    pub fn routes(self: Arc<Self>) -> Router {
        Router::new().route("/", get(status)).route("/healthz", get(healthz)).route("/readyz", get(readyz)).with_state(self)
    }

    fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Starting,
            1 => Phase::Ready,
            _ => Phase::Draining,
        }
    }

    /// The jobs on the clock that do not run.
    fn stopped(&self) -> Vec<NotRunning> {
        let entries = self.entries();
        let mut stopped = self.executor.jobs().stopped();
        stopped.retain(|stopped| entries.iter().any(|entry| entry.name == stopped.job));
        stopped
    }

    fn shown(&self) -> Status {
        let stopped = self.stopped();
        let job_status = |entry: &ScheduledJob| {
            let (doing, last) = self.executor.state(&entry.name).unwrap_or_default();
            let stopped = stopped.iter().find(|stopped| stopped.job == entry.name);
            JobStatus::of(entry, self.clock.next(&entry.name), &doing, last.as_ref(), stopped)
        };
        Status::of(self.phase(), crate::clock::now().trunc_subsecs(0), self.entries().iter().map(job_status).collect())
    }

    fn line(&self, entry: &ScheduledJob, stopped: &[NotRunning]) -> Value {
        let stopped = stopped.iter().find(|stopped| stopped.job == entry.name);
        let (doing, last) = self.executor.state(&entry.name).unwrap_or_default();
        json!({
            "job": entry.name,
            "schedule": entry.schedule.text(),
            "in_words": entry.schedule.describe(),
            "timezone": entry.zone.name(),
            "next": self.clock.next(&entry.name),
            "now": now(&doing),
            "last": last.as_ref().map(ended),
            "stopped": stopped.map(|stopped| json!({ "since": stopped.since, "reason": stopped.reason })),
        })
    }
}

async fn healthz<J: Jobs>(State(page): State<Arc<StatusServer<J>>>) -> (StatusCode, &'static str) {
    if page.is_alive() { (StatusCode::OK, "ticking\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "the clock stands still\n") }
}

/// Not ready while a job does not run, with a line for each: whoever watches this hears of it.
async fn readyz<J: Jobs>(State(page): State<Arc<StatusServer<J>>>) -> (StatusCode, String) {
    if page.phase() != Phase::Ready {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("{}\n", page.phase().word()));
    }
    let line = |stopped: &NotRunning| {
        let since = format::instant(stopped.since);
        format!("job {} does not run, since {since}: {}\n", stopped.job, format::plain(&stopped.reason))
    };
    let stopped: String = page.stopped().iter().map(line).collect();
    if stopped.is_empty() { (StatusCode::OK, "ready\n".to_owned()) } else { (StatusCode::SERVICE_UNAVAILABLE, stopped) }
}

/// A page for a browser, which asks for one; JSON for everything else.
async fn status<J: Jobs>(State(page): State<Arc<StatusServer<J>>>, headers: HeaderMap) -> Response {
    let asks = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let body = if asks.is_some_and(|accept| accept.contains("text/html")) {
        match page.shown().render() {
            Ok(shown) => Html(shown).into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("the page cannot be drawn: {error}\n")).into_response(),
        }
    } else {
        as_json(&page).into_response()
    };
    ([(VARY, "accept")], body).into_response()
}

fn as_json<J: Jobs>(page: &StatusServer<J>) -> Json<Value> {
    let stopped = page.stopped();
    let jobs: Vec<Value> = page.entries().iter().map(|entry| page.line(entry, &stopped)).collect();
    let ready = page.phase() == Phase::Ready && stopped.is_empty();
    Json(json!({ "ready": ready, "draining": page.phase() == Phase::Draining, "jobs": jobs }))
}

fn now(doing: &Doing) -> Value {
    match doing {
        Doing::Idle => json!({ "state": "idle" }),
        Doing::Waiting { due } => json!({ "state": "waiting", "due": due }),
        Doing::Behind { due, job } => json!({ "state": "waiting", "due": due, "after": job }),
        Doing::Running { due, since } => json!({ "state": "running", "due": due, "since": since }),
        Doing::Retrying { due, at, .. } => json!({ "state": "retrying", "due": due, "at": at }),
    }
}

fn ended(last: &Last) -> Value {
    let exit = match &last.end {
        RunEnd::Outcome(outcome) => Some(outcome.exit()),
        RunEnd::Panicked(_) | RunEnd::Dropped | RunEnd::Skipped => None,
    };
    json!({ "due": last.due, "ended": last.ended, "outcome": last.end.word(), "exit": exit })
}
