//! What keeps a job from running at all: told once when it begins, each week while it goes on, and once when it ends.
//!
//! It stands in `state/stopped/`, a file for each job, so that a process per tick (a CronJob, cron) knows it as `serve` does. Where
//! that folder takes nothing it is kept in memory, for as long as this process lives. The ledger has begin and end as events.

use crate::job::outcome::Outcome;
use crate::report::run::{Reason, Weight};
use crate::report::write::appear;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How often what goes on is told again: a week, less the hours by which a nightly run may be early.
pub const REMINDER: TimeDelta = TimeDelta::hours(7 * 24 - 12);

/// The name under which `serve` itself is kept, which no job can bear.
pub const SERVE: &str = "_serve";

/// A job that does not run, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stopped {
    /// The job.
    pub job: String,
    /// When that began.
    pub since: DateTime<Utc>,
    /// When it was tried last.
    pub last: DateTime<Utc>,
    /// How often it was tried.
    pub times: u64,
    /// What a run would have ended with.
    pub outcome: Outcome,
    /// Why, as the newest try found it.
    pub reason: String,
    /// The way out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Who was to be told of it last, and when; none when nobody was yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<DateTime<Utc>>,
    /// True when only a run can tell that it is over: the last one broke off.
    #[serde(default)]
    pub by_run: bool,
}

/// Why a job does not run.
#[derive(Debug, Clone, PartialEq)]
pub struct Obstacle {
    /// What a run would have ended with.
    pub outcome: Outcome,
    /// A sentence.
    pub reason: String,
    /// The way out.
    pub help: Option<String>,
    /// True when only a run can tell that it is over.
    pub by_run: bool,
}

impl Stopped {
    /// Whether it is new to everybody, or was told a week ago.
    pub fn is_to_be_told(&self, now: DateTime<Utc>) -> bool {
        // A clock that was set back makes nothing wait for ever.
        self.told.is_none_or(|told| now - told >= REMINDER || told > now + TimeDelta::minutes(5))
    }

    /// The reason as a report tells it.
    pub fn as_reason(&self) -> Reason {
        let weight = match self.outcome {
            Outcome::Invalid => Weight::Invalid,
            Outcome::Temporary => Weight::Temporary,
            Outcome::Refused => Weight::Refused,
            _ => Weight::Failed,
        };
        Reason { weight, code: None, text: self.reason.clone(), help: self.help.clone() }
    }
}

/// The jobs that do not run.
#[derive(Debug, Clone)]
pub struct StoppedJobs {
    folder: PathBuf,
    /// Those that the folder did not take.
    unwritten: Arc<Mutex<BTreeMap<String, Stopped>>>,
}

impl StoppedJobs {
    /// Those of a state folder.
    pub fn of(state: &Path) -> Self {
        Self { folder: state.join("stopped"), unwritten: Arc::default() }
    }

    /// Notes that a job did not run. True when it ran the last time.
    pub fn note(&self, job: &str, obstacle: &Obstacle, now: DateTime<Utc>) -> (Stopped, bool) {
        let Obstacle { outcome, reason, help, by_run } = obstacle.clone();
        let before = self.get(job);
        let is_new = before.is_none();
        let (since, times, told) = before.map_or((now, 0, None), |before| (before.since, before.times, before.told));
        let stopped = Stopped { job: job.to_owned(), since, last: now, times: times + 1, outcome, reason, help, told, by_run };
        self.keep(&stopped);
        (stopped, is_new)
    }

    /// Notes that people were told.
    pub fn was_told(&self, job: &str, now: DateTime<Utc>) {
        if let Some(stopped) = self.get(job) {
            self.keep(&Stopped { told: Some(now), ..stopped });
        }
    }

    /// Notes that a job runs again. Gives what had kept it.
    pub fn end(&self, job: &str) -> Option<Stopped> {
        let stopped = self.get(job)?;
        self.unwritten().remove(job);
        match self.path(job).map(std::fs::remove_file) {
            Some(Err(error)) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(job, "that it runs again was not noted: {error}");
            }
            _ => {}
        }
        Some(stopped)
    }

    /// What keeps a job from running; none when nothing does.
    pub fn get(&self, job: &str) -> Option<Stopped> {
        self.unwritten().get(job).cloned().or_else(|| read(&self.path(job)?))
    }

    /// Every job that does not run, by name.
    pub fn all(&self) -> Vec<Stopped> {
        let files = std::fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let files = files.filter(|path| path.extension().is_some_and(|end| end == "json")).filter_map(|path| read(&path));
        let mut all: BTreeMap<String, Stopped> = files.map(|stopped| (stopped.job.clone(), stopped)).collect();
        all.extend(self.unwritten().clone());
        all.into_values().collect()
    }

    /// Whether what was noted of the job outlives this process: else whoever starts anew would tell it anew.
    pub fn is_lasting(&self, job: &str) -> bool {
        !self.unwritten().contains_key(job)
    }

    fn keep(&self, stopped: &Stopped) {
        let text = serde_json::to_vec_pretty(stopped).unwrap_or_default();
        let written =
            self.path(&stopped.job).ok_or_else(|| std::io::Error::other("it cannot be the name of a job")).and_then(|path| {
                crate::file_owner::create_dir_all(&self.folder)?;
                appear(&path, &text)
            });
        let mut unwritten = self.unwritten();
        match written {
            Ok(()) => drop(unwritten.remove(&stopped.job)),
            Err(error) => {
                tracing::warn!(job = stopped.job, "what keeps it from running is known to this process alone: {error}");
                unwritten.insert(stopped.job.clone(), stopped.clone());
            }
        }
    }

    fn path(&self, job: &str) -> Option<PathBuf> {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        (!job.is_empty() && job.len() <= 52 && job.chars().all(is_name)).then(|| self.folder.join(format!("{job}.json")))
    }

    fn unwritten(&self) -> MutexGuard<'_, BTreeMap<String, Stopped>> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path) -> Option<Stopped> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn obstacle(reason: &str) -> Obstacle {
        Obstacle { outcome: Outcome::Invalid, reason: reason.into(), help: None, by_run: false }
    }

    #[test]
    fn it_is_new_once_told_once_and_told_again_after_a_week() {
        let dir = tempfile::tempdir().unwrap();
        let mut told = vec![];
        for night in 1..=17 {
            // A process for each night knows what the one before knew.
            let jobs = StoppedJobs::of(dir.path());
            let now = at(&format!("2026-11-{night:02}T02:15:00Z")) - TimeDelta::seconds(night);
            let (stopped, is_new) = jobs.note("nightly", &obstacle("a"), now);
            assert_eq!((is_new, stopped.times, jobs.is_lasting("nightly")), (night == 1, night as u64, true));
            if stopped.is_to_be_told(now) {
                told.push(night);
                jobs.was_told("nightly", now);
            }
        }
        assert_eq!(told, [1, 8, 15]);
        let jobs = StoppedJobs::of(dir.path());
        assert_eq!(jobs.all().len(), 1);
        assert_eq!(jobs.end("nightly").map(|stopped| stopped.since), Some(at("2026-11-01T02:14:59Z")));
        assert_eq!((jobs.end("nightly"), jobs.all()), (None, vec![]));
    }

    #[test]
    fn what_the_folder_does_not_take_is_known_as_long_as_the_process_lives() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("stopped"), "").unwrap();
        let jobs = StoppedJobs::of(dir.path());
        let now = at("2026-11-01T02:15:00Z");
        assert!(jobs.note("nightly", &obstacle("a"), now).1 && !jobs.note("nightly", &obstacle("a"), now).1);
        jobs.was_told("nightly", now);
        assert_eq!((jobs.is_lasting("nightly"), jobs.get("nightly").unwrap().told, jobs.all().len()), (false, Some(now), 1));
        assert!(jobs.end("nightly").is_some() && jobs.get("nightly").is_none());
    }

    #[test]
    fn a_name_that_no_job_can_bear_writes_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let jobs = StoppedJobs::of(&dir.path().join("state"));
        jobs.note("../../escaped", &obstacle("a"), at("2026-11-01T02:15:00Z"));
        assert!(!jobs.is_lasting("../../escaped") && std::fs::read_dir(dir.path()).unwrap().next().is_none());
    }
}
