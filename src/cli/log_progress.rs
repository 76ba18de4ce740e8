//! Progress of a scheduled run, as log lines: nobody watches a bar there.

use crate::action::Label;
use crate::runner::progress::{Looking, Progress};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A line this often is enough for whoever reads the log while it runs.
const EVERY: Duration = Duration::from_secs(30);

/// Tells a run's progress to the log, under the job's name.
#[derive(Debug)]
pub(super) struct LogProgress {
    job: String,
    dataset: Mutex<Dataset>,
    looked: Mutex<Instant>,
}

#[derive(Debug)]
struct Dataset {
    name: String,
    done: u64,
    rows: u64,
    said: Instant,
}

impl LogProgress {
    /// Progress of a run of this job.
    pub(super) fn of(job: &str) -> Self {
        let now = Instant::now();
        let dataset = Dataset { name: String::new(), done: 0, rows: 0, said: now };
        Self { job: job.to_owned(), dataset: Mutex::new(dataset), looked: Mutex::new(now) }
    }
}

impl Progress for LogProgress {
    fn begin(&self, label: &Label, rows: u64) {
        tracing::info!(job = self.job, dataset = label.dataset, policy = label.policy, rows, "dataset begins");
        *self.dataset.lock().unwrap_or_else(PoisonError::into_inner) =
            Dataset { name: label.dataset.clone(), done: 0, rows, said: Instant::now() };
    }

    fn advance(&self, rows: u64) {
        let mut dataset = self.dataset.lock().unwrap_or_else(PoisonError::into_inner);
        dataset.done += rows;
        if dataset.said.elapsed() >= EVERY {
            dataset.said = Instant::now();
            tracing::info!(job = self.job, dataset = dataset.name, done = dataset.done, rows = dataset.rows, "under way");
        }
    }

    fn note(&self, text: &str) {
        tracing::info!(job = self.job, "{text}");
    }

    fn end(&self) {
        let dataset = self.dataset.lock().unwrap_or_else(PoisonError::into_inner);
        tracing::info!(job = self.job, dataset = dataset.name, done = dataset.done, rows = dataset.rows, "dataset ends");
    }

    fn looking(&self, look: &Looking<'_>) {
        let mut said = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if look.took >= EVERY && said.elapsed() >= EVERY {
            *said = Instant::now();
            tracing::info!(job = self.job, "{look}");
        }
    }

    fn looked(&self) {}
}
