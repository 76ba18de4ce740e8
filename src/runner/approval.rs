//! A plan that a person has seen: what a run under it may do, and whether the world is still the one that was planned for.

use crate::diagnostic::codes;
use crate::store::identity::StoreIdentity;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How long a plan file is good for.
const GOOD_FOR: TimeDelta = TimeDelta::hours(24);

/// A plan file. Its hash covers everything below it: whoever edits it has no plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanFile {
    /// SHA-256 over `plan`, in hexadecimal.
    pub sha256: String,
    /// What was planned.
    pub plan: Plan,
}

/// What was planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// When.
    pub made: DateTime<Utc>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<String>,
    /// What a run under it measures "older than" from.
    pub as_of: DateTime<Utc>,
    /// One entry per job and dataset.
    pub steps: Vec<PlannedStep>,
}

/// One dataset of one job, as it was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// The job.
    pub job: String,
    /// The dataset.
    pub dataset: String,
    /// The policy.
    pub policy: String,
    /// Rows dated before this are due.
    pub cutoff: DateTime<Utc>,
    /// SHA-256 over the effective policy, the holds and the columns.
    pub basis: String,
    /// Rows that were due.
    pub due: u64,
    /// Of those, rows kept by holds.
    pub held: u64,
    /// Of the others, rows that rows of another table keep.
    #[serde(default, skip_serializing_if = "is_none")]
    pub blocked: u64,
    /// The databases it was planned for, the dataset's own first. None in a plan of a steward that did not write them down.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stores: Vec<StoreIdentity>,
}

impl Plan {
    /// What it measures from, or the cutoff of a step, where that lies ahead of this instant: nobody may approve it before.
    pub fn ahead_of(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.steps.iter().map(|step| step.cutoff).chain([self.as_of]).max().filter(|latest| *latest > now)
    }
}

impl PlannedStep {
    /// The first store that is another than when it was planned.
    fn differs_from(&self, planned: &Self) -> Option<String> {
        if self.stores.len() != planned.stores.len() {
            return Some("its stores are others than in the plan".into());
        }
        self.stores.iter().zip(&planned.stores).find_map(|(now, before)| now.differs_from(before))
    }
}

/// Why a plan file approves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// It is no plan file.
    #[error("the plan file cannot be read: {0}")]
    Unreadable(String),
    /// Its hash does not fit its content.
    #[error("the plan file was edited after it was made; nothing was touched")]
    Edited,
    /// It is too old, or from the future.
    #[error("the plan file was made at {made} and is good for 24 hours; nothing was touched")]
    Stale {
        /// When it was made.
        made: DateTime<Utc>,
    },
    /// Its time has not come.
    #[error("the plan file measures from {as_of}, which has not come yet by this machine's clock; nothing was touched")]
    Ahead {
        /// What it measures from.
        as_of: DateTime<Utc>,
    },
    /// An older steward made it.
    #[error("the plan file does not say for which database it was made; nothing was touched")]
    NoStore,
    /// It is about other jobs.
    #[error("the plan file says nothing about job `{0}`; nothing was touched")]
    OtherJob(String),
}

impl PlanError {
    /// The stable code, for `steward explain`.
    pub const fn code(&self) -> codes::Code {
        match self {
            Self::Ahead { .. } => codes::TIME_AHEAD,
            _ => codes::PLAN_STALE,
        }
    }
}

impl PlanFile {
    /// Puts the hash on a plan.
    pub fn seal(plan: Plan) -> Result<Self, PlanError> {
        Ok(Self { sha256: hash(&plan)?, plan })
    }

    /// Reads a plan file and checks that it is whole, fresh, and about this job.
    pub fn open(text: &str, job: &str, now: DateTime<Utc>) -> Result<Self, PlanError> {
        let file: Self = serde_json::from_str(text).map_err(|error| PlanError::Unreadable(error.to_string()))?;
        if hash(&file.plan)? != file.sha256 {
            return Err(PlanError::Edited);
        }
        let age = now - file.plan.made;
        if age > GOOD_FOR || age < -TimeDelta::minutes(5) {
            return Err(PlanError::Stale { made: file.plan.made });
        }
        let steps: Vec<&PlannedStep> = file.plan.steps.iter().filter(|step| step.job == job).collect();
        if steps.is_empty() {
            return Err(PlanError::OtherJob(job.to_owned()));
        }
        if let Some(as_of) = file.plan.ahead_of(now) {
            return Err(PlanError::Ahead { as_of });
        }
        if steps.iter().any(|step| step.stores.is_empty()) {
            return Err(PlanError::NoStore);
        }
        Ok(file)
    }

    /// What was planned for the same dataset and policy of the same job.
    pub fn planned(&self, now: &PlannedStep) -> Option<&PlannedStep> {
        let same = |step: &&PlannedStep| (&step.job, &step.dataset, &step.policy) == (&now.job, &now.dataset, &now.policy);
        self.plan.steps.iter().find(same)
    }

    /// Whether a dataset is still what was planned for; the reason when it is not.
    pub fn approves(&self, now: &PlannedStep) -> Result<(), String> {
        let Some(planned) = self.planned(now) else {
            return Err("it is not in the plan file".into());
        };
        if planned.cutoff != now.cutoff {
            return Err("the cutoff is another than in the plan".into());
        }
        if let Some(other) = now.differs_from(planned) {
            return Err(other);
        }
        if planned.basis != now.basis {
            return Err("the policy, a hold or the columns changed since the plan was made".into());
        }
        if planned.blocked != now.blocked {
            return Err(format!("rows of other tables keep {} rows; the plan listed {}", now.blocked, planned.blocked));
        }
        if (planned.due, planned.held) != (now.due, now.held) {
            return Err(format!(
                "{} rows are due and {} held; the plan listed {} and {}",
                now.due, now.held, planned.due, planned.held
            ));
        }
        Ok(())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_none(rows: &u64) -> bool {
    *rows == 0
}

fn hash(plan: &Plan) -> Result<String, PlanError> {
    let text = serde_json::to_string(plan).map_err(|error| PlanError::Unreadable(error.to_string()))?;
    Ok(hex::encode(Sha256::digest(text)))
}

/// SHA-256 of a text, in hexadecimal.
pub fn basis(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// A planned step to test on.
#[cfg(test)]
pub(super) mod samples {
    use super::*;

    pub fn store() -> StoreIdentity {
        let text = |text: &str| text.to_owned();
        let (store, server, database) = (text("core"), text("uuid"), text("shop"));
        StoreIdentity { store, server, database, schema: text("public"), account: text("steward") }
    }

    pub fn step() -> PlannedStep {
        PlannedStep {
            job: "j".into(),
            dataset: "d".into(),
            policy: "p".into(),
            cutoff: crate::clock::now(),
            basis: basis("x"),
            due: 10,
            held: 1,
            blocked: 0,
            stores: vec![store()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> (PlanFile, PlannedStep) {
        let step = samples::step();
        let now = step.cutoff;
        (PlanFile::seal(Plan { made: now, made_by: None, as_of: now, steps: vec![step.clone()] }).unwrap(), step)
    }

    #[test]
    fn a_plan_approves_what_it_lists_and_nothing_else() {
        let (file, step) = plan();
        assert_eq!(file.approves(&step), Ok(()));
        for other in [
            PlannedStep { due: 11, ..step.clone() },
            PlannedStep { held: 0, ..step.clone() },
            PlannedStep { basis: basis("y"), ..step.clone() },
            PlannedStep { dataset: "e".into(), ..step.clone() },
            PlannedStep { stores: vec![StoreIdentity { database: "other".into(), ..samples::store() }], ..step.clone() },
            PlannedStep { stores: vec![StoreIdentity { account: "root".into(), ..samples::store() }], ..step.clone() },
            PlannedStep { cutoff: step.cutoff + TimeDelta::seconds(1), ..step.clone() },
        ] {
            assert!(file.approves(&other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn a_plan_whose_time_has_not_come_is_none() {
        let (file, step) = plan();
        let now = file.plan.made;
        let later = now + TimeDelta::seconds(1);
        for plan in [
            Plan { as_of: later, ..file.plan.clone() },
            Plan { steps: vec![PlannedStep { cutoff: later, ..step }], ..file.plan.clone() },
        ] {
            let text = serde_json::to_string(&PlanFile::seal(plan).unwrap()).unwrap();
            assert_eq!(PlanFile::open(&text, "j", now), Err(PlanError::Ahead { as_of: later }));
            assert!(PlanFile::open(&text, "j", later).is_ok());
        }
    }

    #[test]
    fn a_plan_of_an_older_steward_is_whole_and_says_nothing_of_its_database() {
        let (file, step) = plan();
        let old = Plan { steps: vec![PlannedStep { stores: vec![], ..step }], ..file.plan.clone() };
        let text = serde_json::to_string(&PlanFile::seal(old).unwrap()).unwrap();
        assert!(!text.contains("stores") && !text.contains("made_by"), "{text}");
        assert_eq!(PlanFile::open(&text, "j", file.plan.made), Err(PlanError::NoStore));
    }

    #[test]
    fn an_edited_or_old_plan_is_none() {
        let (file, _) = plan();
        let text = serde_json::to_string(&file).unwrap();
        let now = file.plan.made;
        assert_eq!(PlanFile::open(&text, "j", now), Ok(file));
        assert_eq!(PlanFile::open(&text.replace("\"due\":10", "\"due\":99"), "j", now), Err(PlanError::Edited));
        assert!(matches!(PlanFile::open(&text, "j", now + TimeDelta::hours(25)), Err(PlanError::Stale { .. })));
        assert_eq!(PlanFile::open(&text, "k", now), Err(PlanError::OtherJob("k".into())));
    }
}
