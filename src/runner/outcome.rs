//! Adds up what happened to the datasets of a run (design: exit codes).

use crate::job::outcome::Outcome;
use crate::report::run::{DatasetReport, Reason, RunReport, Weight};

/// The outcome of one dataset: its reasons, and the rows that failed or met a conflict.
pub fn of_dataset(dataset: &DatasetReport) -> Outcome {
    let failed = dataset.left.failed > 0 || dataset.left.conflict > 0;
    add_up(dataset.reasons.iter(), did_something(dataset), failed)
}

/// The outcome of a run. A stop by a signal is temporary whatever was done before.
pub fn of_run(report: &RunReport, stopped: bool) -> Outcome {
    if stopped {
        return Outcome::Temporary;
    }
    let done = report.datasets.iter().any(did_something);
    let failed = report.datasets.iter().any(|dataset| dataset.left.failed > 0 || dataset.left.conflict > 0);
    add_up(report.reasons.iter().chain(report.datasets.iter().flat_map(|dataset| &dataset.reasons)), done, failed)
}

/// 78, then 75 if nothing was done and every failure is temporary, then 3, 4, 0.
fn add_up<'a>(reasons: impl Iterator<Item = &'a Reason>, something_done: bool, failed: bool) -> Outcome {
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
        add_up(reasons.iter(), done, false)
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
}
