//! Executes ticks: one run of a job at a time, a few jobs beside each other, and an orderly end.

use crate::worker::dependencies::{Ahead, ahead};
use crate::worker::job_state::{Doing, JobState, Last, RunEnd};
use crate::worker::jobs::{Jobs, ScheduledJob};
use crate::worker::signals::Signals;
use chrono::{DateTime, Utc};
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a run that was dropped on a second signal may take to let go.
const LET_GO: Duration = Duration::from_millis(500);
/// How often a job that comes after others looks whether they have ended.
const LOOKS: Duration = Duration::from_millis(200);

/// Takes ticks and makes runs of them.
pub struct Executor<J> {
    jobs: Arc<J>,
    job_states: RwLock<BTreeMap<String, Arc<JobState>>>,
    concurrency: usize,
    places: Arc<Semaphore>,
    retry_after: Duration,
    tasks: TaskTracker,
    signals: Signals,
    began: DateTime<Utc>,
}

/// What a tick's turn comes to.
enum Turn {
    /// It may run.
    Ours,
    /// It does not run, and why.
    Skip(String),
    /// We stop.
    Stop,
}

/// How the drain went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drained {
    /// Jobs whose run was dropped where it stood, because of a second signal. Empty when all ended at a batch edge.
    pub dropped: Vec<String>,
}

impl<J: Jobs> Executor<J> {
    /// An executor for these jobs, `concurrency` of them at a time.
    pub fn new(
        entries: Vec<ScheduledJob>,
        jobs: Arc<J>,
        concurrency: usize,
        retry_after: Duration,
        signals: Signals,
    ) -> Arc<Self> {
        let job_state = |entry: ScheduledJob| (entry.name.clone(), Arc::new(JobState::new(entry)));
        let concurrency = concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            jobs,
            job_states: RwLock::new(entries.into_iter().map(job_state).collect()),
            concurrency,
            places: Arc::new(Semaphore::new(concurrency)),
            retry_after,
            tasks: TaskTracker::new(),
            signals,
            began: crate::clock::now(),
        })
    }

    /// Takes a tick: it becomes a run, or is recorded as skipped. Returns at once.
    ///
    /// While we stop, ticks are left alone: the next start finds them missed.
    pub fn tick(self: &Arc<Self>, job: &str, due: DateTime<Utc>) {
        let Some(job_state) = self.job_state(job).filter(|_| !self.signals.stop.is_cancelled()) else { return };
        let (executor, name) = (self.clone(), job.to_owned());
        match job_state.take(due, self.concurrency) {
            Ok(()) => drop(self.tasks.spawn(async move { executor.work(&name, due).await })),
            Err(reason) => {
                tracing::warn!(job, %due, reason, "tick skipped");
                drop(self.tasks.spawn(async move { executor.jobs.skipped(&name, due, &reason).await }));
            }
        }
    }

    /// What the job does, and how its last run here ended.
    pub fn state(&self, job: &str) -> Option<(Doing, Option<Last>)> {
        self.job_state(job).map(|job_state| job_state.look())
    }

    /// What is known of the job from before we began.
    pub fn remember(&self, job: &str, last: Last) {
        if let Some(job_state) = self.job_state(job) {
            job_state.remember(last);
        }
    }

    /// Goes by other jobs from here on. Runs that are under way go on; a job that is gone is not tried again.
    pub fn replace(&self, entries: Vec<ScheduledJob>) {
        let mut job_states = self.job_states.write().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *job_states);
        for entry in entries {
            let name = entry.name.clone();
            let job_state = before.remove(&name).unwrap_or_else(|| Arc::new(JobState::new(entry.clone())));
            job_state.replace(entry);
            job_states.insert(name, job_state);
        }
        job_states.extend(before.into_iter().filter(|(_, job_state)| !job_state.retire()));
    }

    /// Who runs them.
    pub fn jobs(&self) -> &J {
        &self.jobs
    }

    fn job_state(&self, job: &str) -> Option<Arc<JobState>> {
        self.job_states.read().unwrap_or_else(PoisonError::into_inner).get(job).cloned()
    }

    /// Takes nothing new, and waits until every run has ended at its batch edge, or a second signal comes.
    pub async fn drain(&self) -> Drained {
        self.signals.stop.cancel();
        self.tasks.close();
        tokio::select! {
            () = self.tasks.wait() => {}
            () = self.signals.at_once.cancelled() => { let _ = timeout(LET_GO, self.tasks.wait()).await; }
        }
        let job_states = self.job_states.read().unwrap_or_else(PoisonError::into_inner);
        Drained {
            dropped: job_states.iter().filter(|(_, job_state)| job_state.was_dropped()).map(|(name, _)| name.clone()).collect(),
        }
    }

    /// Runs the job for `due`, again and again while it ends `temporary` and its next tick is further off than a retry.
    async fn work(&self, job: &str, due: DateTime<Utc>) {
        let Some(job_state) = self.job_state(job) else { return };
        let job_state = &*job_state;
        match self.turn(job_state, due).await {
            Turn::Ours => {}
            Turn::Stop => return job_state.rest(),
            Turn::Skip(reason) => {
                tracing::warn!(job, %due, reason, "tick skipped");
                self.jobs.skipped(job, due, &reason).await;
                return job_state.end(due, RunEnd::Skipped, None);
            }
        }
        loop {
            let Some(place) = self.place().await else { return job_state.rest() };
            job_state.begin(due);
            let (end, again) = self.run(job, due).await;
            drop(place);
            if self.tells_failure(job, due, &end).await || !(again && self.tries_again(job_state)) {
                return job_state.end(due, end, None);
            }
            let pause = self.pause(job_state);
            let (retry, taken_over) = retry(due, pause);
            job_state.end(due, end, Some(retry));
            tokio::select! {
                () = sleep(pause) => {}
                () = taken_over.cancelled() => return,
                () = self.signals.stop.cancelled() => return job_state.rest(),
            }
            if !job_state.resume(due, &taken_over) {
                return;
            }
        }
    }

    /// Waits until every job that this one comes after has ended its run for a tick at or before `due`: until its own next
    /// tick at most, or its budget. It holds no place meanwhile.
    async fn turn(&self, job_state: &JobState, due: DateTime<Utc>) -> Turn {
        let ScheduledJob { schedule, zone, after, patience, .. } = &job_state.entry();
        let until = patience.and_then(|patience| Some(crate::clock::now() + chrono::Duration::from_std(patience).ok()?));
        let until = [schedule.next_after(due.max(crate::clock::now()), *zone), until].into_iter().flatten().min();
        for (name, other) in after.iter().filter_map(|name| Some((name, self.job_state(name)?))) {
            loop {
                match ahead(&*self.jobs, &other, due, self.began).await {
                    Ahead::Clear => break,
                    Ahead::Failed(how) => return Turn::Skip(format!("it comes after job `{name}`, which {how}")),
                    Ahead::NotYet if until.is_some_and(|until| crate::clock::now() >= until) => {
                        return Turn::Skip(format!("it comes after job `{name}`, which had not ended in time"));
                    }
                    Ahead::NotYet => job_state.wait_behind(due, Some(name)),
                }
                tokio::select! {
                    () = self.signals.stop.cancelled() => return Turn::Stop,
                    () = sleep(LOOKS) => {}
                }
            }
        }
        if !after.is_empty() {
            job_state.wait_behind(due, None);
        }
        Turn::Ours
    }

    /// A free place, or `None` once we stop.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            biased;
            () = self.signals.stop.cancelled() => None,
            place = self.places.clone().acquire_owned() => place.ok(),
        }
    }

    /// Runs in a task of its own, so that a panic ends there and a second signal can drop it. True when it asks for another try.
    async fn run(&self, job: &str, due: DateTime<Utc>) -> (RunEnd, bool) {
        let (jobs, name, stop) = (self.jobs.clone(), job.to_owned(), self.signals.stop.child_token());
        let mut run = tokio::spawn(async move { jobs.run(&name, due, stop).await });
        let ended = tokio::select! {
            ended = &mut run => ended,
            () = self.signals.at_once.cancelled() => {
                run.abort();
                return (RunEnd::Dropped, false);
            }
        };
        match ended {
            Ok(came) => (RunEnd::Outcome(came.outcome), came.again),
            Err(error) => {
                (error.try_into_panic().map_or(RunEnd::Dropped, |panic| RunEnd::Panicked(message(panic.as_ref()))), false)
            }
        }
    }

    /// Tells of a panic; true when there was one.
    async fn tells_failure(&self, job: &str, due: DateTime<Utc>, end: &RunEnd) -> bool {
        let RunEnd::Panicked(message) = end else { return false };
        let reason = format!("the run panicked: {message}");
        tracing::error!(job, %due, reason, "job failed");
        let (jobs, name) = (self.jobs.clone(), job.to_owned());
        if let Err(error) = tokio::spawn(async move { jobs.failed(&name, due, &reason).await }).await {
            tracing::error!(job, %due, %error, "the failure is not recorded");
        }
        true
    }

    /// A tick that comes before the retry would is the retry.
    fn tries_again(&self, job_state: &JobState) -> bool {
        let ScheduledJob { schedule, zone, .. } = &job_state.entry();
        let next = schedule.next_after(crate::clock::now(), *zone);
        !self.signals.stop.is_cancelled() && next.is_none_or(|next| next > crate::clock::now() + self.pause(job_state))
    }

    /// How long a job waits to be tried again.
    fn pause(&self, job_state: &JobState) -> Duration {
        job_state.entry().retry_after.unwrap_or(self.retry_after)
    }
}

fn retry(due: DateTime<Utc>, pause: Duration) -> (Doing, CancellationToken) {
    let taken_over = CancellationToken::new();
    (Doing::Retrying { due, at: crate::clock::now() + pause, taken_over: taken_over.clone() }, taken_over)
}

/// What a panic said.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests;
