//! What the evidence can say.

use crate::counter::Counts;
use crate::job::origin::StartedBy;
use crate::job::outcome::Outcome;
use crate::job::spec::Mode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One event. Its kind is the variant's name in `snake_case`, its body the fields as a JSON object.
///
/// Bodies may gain fields and the list may gain variants: what was hashed is the text that is stored, never a
/// re-serialisation. A field is never renamed or given another meaning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "body", rename_all = "snake_case")]
pub enum Event {
    /// A run began.
    RunStarted {
        /// The job.
        job: String,
        /// The action.
        action: String,
        /// The job's mode.
        mode: Mode,
        /// True for `--dry-run`.
        dry_run: bool,
        /// The instant that "older than" is measured from.
        as_of: DateTime<Utc>,
        /// Who started it; none in the events of an older steward.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        started_by: Option<StartedBy>,
    },
    /// A person's plan file stands behind what this run may do beyond a guard.
    Approved {
        /// The SHA-256 of the plan.
        plan: String,
        /// Who approved it, by giving it to the run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// When it was made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Option<DateTime<Utc>>,
        /// Who made it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made_by: Option<String>,
    },
    /// A dataset was left alone.
    Refused {
        /// The dataset.
        dataset: String,
        /// The policy.
        policy: String,
        /// Why.
        reason: String,
    },
    /// A batch is about to be carried out. If nothing follows, the stores alone know whether it was.
    Intent {
        /// The batch's id.
        batch: String,
        /// The dataset.
        dataset: String,
        /// The policy.
        policy: String,
        /// How many rows are meant.
        rows: u64,
        /// The first row's cursor.
        from: Value,
        /// The last row's cursor.
        to: Value,
        /// The event up to which holds are known to it: none was added, seen or released between that one and this.
        #[serde(default)]
        holds: i64,
        /// The mark in the store that the batch replaces with its own id; none where batches leave no mark.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<String>,
    },
    /// A batch was carried out and committed.
    Outcome {
        /// The batch's id.
        batch: String,
        /// What was done: see [`Event::counted`].
        #[serde(flatten)]
        counts: Counts,
        /// Rows that changed meanwhile and stay.
        changed: u64,
        /// Rows the archive holds with other content; they stay.
        conflict: u64,
        /// The digest of the content that was compared.
        digest: Option<String>,
        /// The digest of the pass that was noted with it: see [`super::checkpoint::Checkpoint::digest`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pass: Option<String>,
    },
    /// A batch was rolled back, and that is certain. Where it is not, write nothing: the next run settles the open intent.
    Failed {
        /// The batch's id.
        batch: String,
        /// Why.
        reason: String,
    },
    /// An intent that an interrupted run left open was settled from what the stores hold.
    Settled {
        /// The batch's id.
        batch: String,
        /// The run that left it open.
        of_run: String,
        /// What was found: `applied`, `rolled back`, `unclear`.
        verdict: String,
        /// How many rows that concerns.
        rows: u64,
    },
    /// Checks recorded what they saw.
    Findings {
        /// How many.
        count: u64,
        /// The SHA-256 over the findings' rows, see [`super::finding::digest`].
        sha256: String,
    },
    /// `hold add`.
    HoldAdded {
        /// The hold's name.
        name: String,
        /// The rows' dataset.
        dataset: String,
        /// Which rows; all of them when absent.
        #[serde(rename = "where")]
        condition: Option<String>,
        /// Why.
        because: String,
        /// Who asked for it.
        owner: Option<String>,
        /// Who typed it.
        by: String,
    },
    /// A hold was seen in a policy file, for the first time or with other words.
    HoldSeen {
        /// The hold's name.
        name: String,
        /// The rows' dataset.
        dataset: String,
        /// Which rows; all of them when absent.
        #[serde(rename = "where")]
        condition: Option<String>,
        /// Why.
        because: String,
        /// Who asked for it.
        owner: Option<String>,
        /// Where it stood.
        place: String,
    },
    /// `hold release`: every hold of that name ends here.
    HoldReleased {
        /// The hold's name.
        name: String,
        /// Who typed it.
        by: String,
        /// Why.
        why: String,
    },
    /// A tick of the schedule did not become a run: its job was still running.
    TickSkipped {
        /// The job.
        job: String,
        /// When the job was due.
        due: DateTime<Utc>,
        /// Why.
        reason: String,
    },
    /// A tick of the schedule came to nothing: the declarations were broken, or the run broke off without a word of its own.
    TickFailed {
        /// The job.
        job: String,
        /// When the job was due.
        due: DateTime<Utc>,
        /// Why.
        reason: String,
    },
    /// A job does not run from here on; told once, however often it is tried.
    JobStopped {
        /// The job.
        job: String,
        /// What a run would have ended with.
        outcome: Outcome,
        /// Why.
        reason: String,
    },
    /// A job that did not run can run again.
    JobResumed {
        /// The job.
        job: String,
        /// Since when it did not.
        since: DateTime<Utc>,
        /// Why it did not, at last.
        reason: String,
    },
    /// A run ended.
    RunEnded {
        /// How.
        outcome: Outcome,
        /// The exit code.
        exit: u8,
        /// The SHA-256 of the report's JSON text as it is stored.
        report_sha256: String,
        /// The files of the report, by their hashes; none in the events of an older steward, which wrote none down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        files: Option<Vec<ReportFile>>,
    },
    /// A run took the lock of its job.
    LeaseTaken {
        /// The job.
        job: String,
        /// The fencing token.
        token: i64,
        /// The machine.
        host: String,
        /// The process.
        pid: u32,
    },
}

/// A file of a report, in the folder of reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportFile {
    /// Its name.
    pub name: String,
    /// The SHA-256 of its bytes.
    pub sha256: String,
}

/// The counts that stand in every outcome, zero or not: the first version knew no others.
const ALWAYS: [&str; 3] = ["archived", "already_archived", "removed"];

impl Event {
    /// Counts as an outcome holds them: the first version's are always there, the others where they are not zero.
    pub fn counted(counts: &Counts) -> Counts {
        let mut counted = Counts::from(ALWAYS.map(|key| (key, counts.by_key(key).unwrap_or(0))));
        counted.add(&counts.without(|key, count| count == 0 || ALWAYS.contains(&key)));
        counted
    }

    /// The event's kind and body, as they are stored and hashed.
    ///
    /// # Errors
    /// When a value has no JSON form; none of the ground's values is like that.
    pub fn text(&self) -> Result<(String, String), serde_json::Error> {
        let mut tagged = serde_json::to_value(self)?;
        let body = tagged["body"].take();
        let kind = tagged["kind"].as_str().unwrap_or_default().to_owned();
        Ok((kind, serde_json::to_string(&body)?))
    }

    /// The event that a stored kind and body say; none when a later steward wrote it or somebody edited it.
    pub fn read(kind: &str, body: &str) -> Option<Self> {
        let body: Value = serde_json::from_str(body).ok()?;
        serde_json::from_value(serde_json::json!({ "kind": kind, "body": body })).ok()
    }

    /// The batch that this event closes.
    pub fn closes(&self) -> Option<&str> {
        match self {
            Self::Outcome { batch, .. } | Self::Failed { batch, .. } | Self::Settled { batch, .. } => Some(batch),
            _ => None,
        }
    }
}

/// A batch whose intent stands without an outcome: its run died, or lost its store, in between.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenIntent {
    /// The intent's place in the chain.
    pub seq: i64,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// The run that left it.
    pub run: String,
    /// The batch's id.
    pub batch: String,
    /// The dataset.
    pub dataset: String,
    /// The policy.
    pub policy: String,
    /// How many rows were meant.
    pub rows: u64,
    /// The first row's cursor.
    pub from: Value,
    /// The last row's cursor.
    pub to: Value,
    /// The mark in the store that it replaces; none where it leaves no mark.
    pub before: Option<String>,
}

impl OpenIntent {
    /// The open intent that an intent event leaves behind; none for any other event.
    pub fn of(event: Event, seq: i64, at: DateTime<Utc>, run: &str) -> Option<Self> {
        match event {
            Event::Intent { batch, dataset, policy, rows, from, to, holds: _, before } => {
                Some(Self { seq, at, run: run.to_owned(), batch, dataset, policy, rows, from, to, before })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_survives_its_text() {
        let event = Event::HoldAdded {
            name: "case-114".into(),
            dataset: "core.users".into(),
            condition: Some("name = 'a\nb'".into()),
            because: "litigation".into(),
            owner: None,
            by: "li".into(),
        };
        let (kind, body) = event.text().unwrap();
        assert_eq!(kind, "hold_added");
        assert!(!body.contains('\n') && body.contains(r#""where""#), "{body}");
        assert_eq!(Event::read(&kind, &body), Some(event));
    }

    #[test]
    fn an_outcome_is_written_as_the_first_version_wrote_it() {
        let outcome = |counts| Event::Outcome {
            batch: "b".into(),
            counts: Event::counted(&counts),
            changed: 2,
            conflict: 0,
            digest: None,
            pass: None,
        };
        let (kind, body) = outcome(Counts::from([("ttl_set", 30), ("swept", 0)])).text().unwrap();
        let text =
            r#"{"already_archived":0,"archived":0,"batch":"b","changed":2,"conflict":0,"digest":null,"removed":0,"ttl_set":30}"#;
        assert_eq!((kind.as_str(), body.as_str()), ("outcome", text));
        assert_eq!(Event::read(&kind, text), Some(outcome(Counts::from([("ttl_set", 30)]))));
    }

    #[test]
    fn a_kind_of_a_later_steward_is_no_event_of_ours() {
        assert_eq!(Event::read("teleported", "{}"), None);
        assert_eq!(Event::read("failed", "{"), None);
    }
}
