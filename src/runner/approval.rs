//! A plan that a person has seen: what a run under it may do, and whether the world is still the one that was planned for.

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
    /// It is about other jobs.
    #[error("the plan file says nothing about job `{0}`; nothing was touched")]
    OtherJob(String),
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
        if !file.plan.steps.iter().any(|step| step.job == job) {
            return Err(PlanError::OtherJob(job.to_owned()));
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
        if planned.basis != now.basis {
            return Err("the policy, a hold or the columns changed since the plan was made".into());
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

fn hash(plan: &Plan) -> Result<String, PlanError> {
    let text = serde_json::to_string(plan).map_err(|error| PlanError::Unreadable(error.to_string()))?;
    Ok(hex(&Sha256::digest(text)))
}

/// SHA-256 of a text, in hexadecimal.
pub fn basis(text: &str) -> String {
    hex(&Sha256::digest(text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A planned step to test on.
#[cfg(test)]
pub(super) mod samples {
    use super::*;

    pub fn step() -> PlannedStep {
        PlannedStep {
            job: "j".into(),
            dataset: "d".into(),
            policy: "p".into(),
            cutoff: Utc::now(),
            basis: basis("x"),
            due: 10,
            held: 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> (PlanFile, PlannedStep) {
        let step = samples::step();
        let now = step.cutoff;
        (PlanFile::seal(Plan { made: now, as_of: now, steps: vec![step.clone()] }).unwrap(), step)
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
            PlannedStep { cutoff: step.cutoff + TimeDelta::seconds(1), ..step.clone() },
        ] {
            assert!(file.approves(&other).is_err(), "{other:?}");
        }
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
