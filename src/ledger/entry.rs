//! What goes into the ledger in one transaction, said without SQL.

use super::checkpoint::Checkpoint;
use super::event::Event;
use super::finding::FindingText;
use chrono::{DateTime, Utc};

/// One transaction: all of it is recorded, or nothing.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The run it belongs to.
    pub run: Option<&'a str>,
    /// When.
    pub at: DateTime<Utc>,
    /// Refuses everything when the lease is no longer ours.
    pub fence: Option<Fence<'a>>,
    /// Appended in this order; their projections follow from them.
    pub events: Vec<Event>,
    /// What no event says in full.
    pub also: Also<'a>,
}

/// The lease that must still be ours.
#[derive(Debug, Clone, Copy)]
pub struct Fence<'a> {
    /// The job.
    pub job: &'a str,
    /// The run.
    pub run: &'a str,
    /// The fencing token.
    pub token: i64,
}

/// What goes along with the events.
#[derive(Debug)]
pub enum Also<'a> {
    /// Nothing.
    Nothing,
    /// The report's JSON text, for the run that ends here.
    Report(&'a str),
    /// The findings that the last event counts, as they are stored.
    Findings(&'a [FindingText]),
    /// How far a pass got.
    Checkpoint(&'a Checkpoint),
    /// A pass that is over: job, dataset, policy.
    PassEnded(&'a str, &'a str, &'a str),
}

impl<'a> Entry<'a> {
    /// An entry of one event and nothing else.
    pub fn of(run: Option<&'a str>, event: Event, at: DateTime<Utc>) -> Self {
        Self { run, at, fence: None, events: vec![event], also: Also::Nothing }
    }
}
