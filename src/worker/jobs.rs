//! What the worker needs from the rest of the house: the jobs that have a schedule, and someone who runs them.

use crate::job::outcome::Outcome;
use crate::job::schedule::Schedule;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::future::Future;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A job that has a schedule.
#[derive(Debug, Clone)]
pub struct ScheduledJob {
    /// The job's name.
    pub name: String,
    /// When it is due.
    pub schedule: Schedule,
    /// On whose calendar.
    pub zone: Tz,
    /// Jobs whose tick at or before its own must have ended well.
    pub after: Vec<String>,
    /// It waits for them so long at most; until its next tick in any case.
    pub patience: Option<Duration>,
    /// The pause before a run that ended `temporary` is tried again; the worker's own where it does not say.
    pub retry_after: Option<Duration>,
}

/// A job that does not run.
#[derive(Debug, Clone)]
pub struct NotRunning {
    /// The job.
    pub job: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

impl ScheduledJob {
    /// True when both are one job with the same ticks.
    pub fn ticks_like(&self, other: &Self) -> bool {
        (&self.name, self.schedule.text(), self.zone) == (&other.name, other.schedule.text(), other.zone)
    }
}

/// What came of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Came {
    /// How it ended.
    pub outcome: Outcome,
    /// It is worth trying again soon: nothing was done for a reason that may pass, or a check got no answer for one.
    pub again: bool,
}

impl From<Outcome> for Came {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, again: outcome == Outcome::Temporary }
    }
}

/// Whoever runs jobs and remembers what became of them.
pub trait Jobs: Send + Sync + 'static {
    /// When the job last ran, by schedule or by hand: the beginning of that run. `None` when it never ran.
    ///
    /// Ticks after it were missed and are made up for at the start. A run that ended `temporary` may be left out: its
    /// tick is then made up for at the next start.
    fn last_tick(&self, job: &str) -> impl Future<Output = Option<DateTime<Utc>>> + Send;

    /// How the job's newest run ended that began at `since` or later, by schedule or by hand, in whichever process. `None` when
    /// there is none, or when it is under way.
    fn ended_since(&self, job: &str, since: DateTime<Utc>) -> impl Future<Output = Option<Outcome>> + Send;

    /// Runs the job for the tick `due`. Once `stop` is cancelled it ends at its next batch edge.
    ///
    /// A panic is caught and told to [`Jobs::failed`]. On a second signal the future is dropped where it stands.
    fn run(&self, job: &str, due: DateTime<Utc>, stop: CancellationToken) -> impl Future<Output = Came> + Send;

    /// Records that the tick `due` did not become a run, and why.
    fn skipped(&self, job: &str, due: DateTime<Utc>, reason: &str) -> impl Future<Output = ()> + Send;

    /// When the job's newest run ended and how, in whichever process; none when there is none, or it is under way.
    fn last_end(&self, job: &str) -> impl Future<Output = Option<(DateTime<Utc>, Outcome)>> + Send;

    /// The jobs that do not run, whatever their schedule says.
    fn stopped(&self) -> Vec<NotRunning>;

    /// Looks whether what keeps jobs from running is still there; called now and then while something does.
    fn look_again(&self) -> impl Future<Output = ()> + Send;

    /// Reads again which jobs have a schedule. An error says why the list before stays in force.
    fn reload(&self) -> impl Future<Output = Result<Vec<ScheduledJob>, String>> + Send;

    /// Records that the run for `due` broke off without an outcome of its own: it panicked.
    fn failed(&self, job: &str, due: DateTime<Utc>, reason: &str) -> impl Future<Output = ()> + Send;
}

#[cfg(test)]
pub(crate) mod probe {
    use super::*;
    use futures_util::FutureExt;
    use futures_util::future::BoxFuture;
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex};

    type Work = dyn Fn(String, usize, CancellationToken) -> BoxFuture<'static, Came> + Send + Sync;

    /// Jobs that write down what is asked of them.
    pub(crate) struct Probe {
        log: Mutex<Vec<String>>,
        pub(crate) last: Mutex<HashMap<String, DateTime<Utc>>>,
        pub(crate) ended: Mutex<HashMap<String, (DateTime<Utc>, Outcome)>>,
        /// What the next reloads give, oldest first.
        pub(crate) stopped: Mutex<Vec<NotRunning>>,
        pub(crate) reloads: Mutex<Vec<Result<Vec<ScheduledJob>, String>>>,
        work: Box<Work>,
    }

    impl Probe {
        /// `work` gets the job's name, the how-manieth run of that job it is, and the stop token.
        pub(crate) fn that<F>(work: impl Fn(String, usize, CancellationToken) -> F + Send + Sync + 'static) -> Arc<Self>
        where
            F: Future<Output: Into<Came>> + Send + 'static,
        {
            let work = Box::new(move |job, n, stop| {
                let came = work(job, n, stop);
                async move { came.await.into() }.boxed()
            });
            let (log, last, ended, stopped, reloads) = Default::default();
            Arc::new(Self { log, last, ended, stopped, reloads, work })
        }

        pub(crate) fn log(&self) -> Vec<String> {
            self.log.lock().unwrap().clone()
        }

        pub(crate) fn count(&self, beginning: &str) -> usize {
            self.log().iter().filter(|line| line.starts_with(beginning)).count()
        }

        fn note(&self, line: String) {
            self.log.lock().unwrap().push(line);
        }
    }

    impl Jobs for Probe {
        async fn last_tick(&self, job: &str) -> Option<DateTime<Utc>> {
            self.last.lock().unwrap().get(job).copied()
        }

        async fn ended_since(&self, job: &str, since: DateTime<Utc>) -> Option<Outcome> {
            self.ended.lock().unwrap().get(job).filter(|(began, _)| *began >= since).map(|(_, outcome)| *outcome)
        }

        async fn run(&self, job: &str, due: DateTime<Utc>, stop: CancellationToken) -> Came {
            self.note(format!("run {job} {}", due.to_rfc3339()));
            (self.work)(job.to_owned(), self.count(&format!("run {job} ")), stop).await
        }

        async fn last_end(&self, job: &str) -> Option<(DateTime<Utc>, Outcome)> {
            self.ended.lock().unwrap().get(job).copied()
        }

        fn stopped(&self) -> Vec<NotRunning> {
            self.stopped.lock().unwrap().clone()
        }

        async fn look_again(&self) {
            self.note("look again".to_owned());
            self.stopped.lock().unwrap().clear();
        }

        async fn reload(&self) -> Result<Vec<ScheduledJob>, String> {
            self.note("reload".to_owned());
            self.reloads.lock().unwrap().remove(0)
        }

        async fn skipped(&self, job: &str, due: DateTime<Utc>, reason: &str) {
            self.note(format!("skipped {job} {}: {reason}", due.to_rfc3339()));
        }

        async fn failed(&self, job: &str, due: DateTime<Utc>, reason: &str) {
            self.note(format!("failed {job} {}: {reason}", due.to_rfc3339()));
        }
    }

    /// A job by its cron line, in UTC; six fields begin with seconds.
    pub(crate) fn entry(name: &str, line: &str) -> ScheduledJob {
        let fields = line.split(' ').count();
        let schedule = if fields == 6 { Schedule::in_seconds(line) } else { Schedule::parse(line).unwrap() };
        ScheduledJob { name: name.to_owned(), schedule, zone: Tz::UTC, after: vec![], patience: None, retry_after: None }
    }

    /// Waits for what should come soon.
    pub(crate) async fn until(what: impl Fn() -> bool) {
        for _ in 0..1_000 {
            if what() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it did not come within five seconds");
    }
}
