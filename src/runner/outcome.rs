//! Adds up what happened to the datasets of a run (design: exit codes).

use crate::job::outcome::Outcome;
use crate::report::finding::FindingOutcome;
use crate::report::run::{DatasetReport, Reason, RunReport, Weight};

/// The outcome of one dataset: its reasons, and the rows that failed or met a conflict.
pub fn of_dataset(dataset: &DatasetReport) -> Outcome {
    let failed = dataset.left.failed > 0 || dataset.left.conflict > 0;
    add_up(dataset.reasons.iter(), did_something(dataset), failed, false)
}

/// The outcome of a run; for one that checks, something was done when at least one check was measured. A stop by a signal is temporary whatever was done before.
pub fn of_run(report: &RunReport, stopped: bool) -> Outcome {
    if stopped {
        return Outcome::Temporary;
    }
    let measured = report.findings.iter().any(|finding| finding.outcome.is_measured());
    let done = measured || report.datasets.iter().any(did_something);
    let failed = report.datasets.iter().any(|dataset| dataset.left.failed > 0 || dataset.left.conflict > 0);
    let found = report.findings.iter().any(|finding| finding.outcome == FindingOutcome::Fail);
    add_up(report.all_reasons(), done, failed, found)
}

/// 78, then 75 if nothing was done and every failure is temporary, then 3, 4, 1, 0.
fn add_up<'a>(reasons: impl Iterator<Item = &'a Reason>, something_done: bool, failed: bool, found: bool) -> Outcome {
    let weights: Vec<Weight> = reasons.map(|reason| reason.weight).collect();
    let any = |weight| weights.contains(&weight);
    let failed = failed || any(Weight::Failed);
    if any(Weight::Invalid) {
        Outcome::Invalid
    } else if any(Weight::Temporary) && !something_done && !failed && !any(Weight::Refused) {
        Outcome::Temporary
    } else if failed || any(Weight::Temporary) {
        Outcome::Partial
    } else if any(Weight::Refused) {
        Outcome::Refused
    } else if found {
        Outcome::Findings
    } else {
        Outcome::Done
    }
}

fn did_something(dataset: &DatasetReport) -> bool {
    dataset.done() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(weight: Weight) -> Reason {
        Reason { weight, code: None, text: String::new(), help: None }
    }

    fn sum(weights: &[Weight], done: bool) -> Outcome {
        let reasons: Vec<_> = weights.iter().map(|weight| reason(*weight)).collect();
        add_up(reasons.iter(), done, false, false)
    }

    #[test]
    fn the_codes_come_in_their_order() {
        use Weight::{Failed, Invalid, Note, Refused, Temporary, Warning};
        assert_eq!(sum(&[], false), Outcome::Done);
        assert_eq!(sum(&[Note, Warning], true), Outcome::Done);
        assert_eq!(sum(&[Temporary, Temporary], false), Outcome::Temporary);
        assert_eq!(sum(&[Temporary], true), Outcome::Partial);
        assert_eq!(sum(&[Temporary, Refused], false), Outcome::Partial);
        assert_eq!(sum(&[Refused], true), Outcome::Refused);
        assert_eq!(sum(&[Refused, Failed], false), Outcome::Partial);
        assert_eq!(sum(&[Failed, Invalid, Temporary], true), Outcome::Invalid);
    }

    #[test]
    fn a_run_that_checks_is_done_when_something_was_measured() {
        use FindingOutcome::{Error, Fail, Pass, Skipped, Warn};
        let ended = |findings: &[(FindingOutcome, Option<Weight>)]| {
            let findings = findings
                .iter()
                .map(|(outcome, weight)| serde_json::json!({ "check": "a", "outcome": outcome, "reason": weight.map(reason) }));
            let report = serde_json::json!({
                "job": "j", "action": "check-quality", "mode": "observe", "dry_run": false, "as_of": "2026-01-01T00:00:00Z",
                "datasets": [], "findings": findings.collect::<Vec<_>>(), "ledger_head": null,
            });
            of_run(&serde_json::from_value(report).unwrap(), false)
        };
        let (away, wrong) = ((Error, Some(Weight::Temporary)), (Error, Some(Weight::Failed)));
        assert_eq!(ended(&[(Pass, None), (Warn, None)]), Outcome::Done);
        assert_eq!(ended(&[(Pass, None), (Fail, None)]), Outcome::Findings);
        assert_eq!(ended(&[away, away]), Outcome::Temporary);
        assert_eq!(ended(&[away, (Pass, None)]), Outcome::Partial);
        assert_eq!(ended(&[away, (Fail, None)]), Outcome::Partial, "a store that is away counts more than a finding");
        assert_eq!(ended(&[wrong]), Outcome::Partial);
        assert_eq!(ended(&[wrong, away]), Outcome::Partial);
        assert_eq!(ended(&[(Skipped, Some(Weight::Temporary))]), Outcome::Temporary);
    }
}
