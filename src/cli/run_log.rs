//! A run as log lines: its datasets, its checks, every reason, and how it ended.

use crate::counter::Counts;
use crate::job::outcome::Outcome;
use crate::report::checks;
use crate::report::finding::FindingOutcome;
use crate::report::run::{Reason, RunReport, Weight};

/// How a run ended, at the level its outcome asks for.
pub(super) fn log(report: &RunReport) {
    for dataset in &report.datasets {
        tracing::info!(
            job = report.job,
            dataset = dataset.dataset,
            due = dataset.due,
            counts = %counted(&dataset.counts),
            held = dataset.left.held,
            "dataset told"
        );
        reasons(report, Some(&dataset.dataset), &dataset.reasons);
    }
    for finding in report.findings.iter().filter(|finding| finding.outcome != FindingOutcome::Pass) {
        tracing::info!(
            job = report.job,
            check = finding.check,
            outcome = finding.outcome.word(),
            value = finding.value,
            silent = finding.silent,
            reason = finding.reason.as_ref().map(|reason| reason.text.as_str()),
            help = finding.reason.as_ref().and_then(|reason| reason.help.as_deref()),
            "check told"
        );
    }
    reasons(report, None, &report.reasons);
    let outcome = report.outcome.unwrap_or(Outcome::Partial);
    let (job, run, why) = (&report.job, report.run.as_deref(), Some(why(report)).filter(|why| !why.is_empty()));
    let (word, exit) = (outcome.word(), outcome.exit());
    match outcome {
        Outcome::Done | Outcome::Due => tracing::info!(job, run, outcome = word, exit, why, "run ended"),
        Outcome::Partial | Outcome::Invalid => tracing::error!(job, run, outcome = word, exit, why, "run ended"),
        Outcome::Findings | Outcome::Refused | Outcome::Undelivered | Outcome::Temporary => {
            tracing::warn!(job, run, outcome = word, exit, why, "run ended");
        }
    }
}

/// `archived=3 removed=3`.
fn counted(counts: &Counts) -> String {
    counts.iter().map(|(key, rows)| format!("{key}={rows}")).collect::<Vec<_>>().join(" ")
}

/// Why something was not done, each reason as a line of its own; notes are for the report.
fn reasons(report: &RunReport, dataset: Option<&str>, reasons: &[Reason]) {
    let (job, run) = (&report.job, report.run.as_deref());
    for Reason { weight, code, text, help } in reasons {
        match weight {
            Weight::Note => tracing::debug!(job, run, dataset, code, help, "{text}"),
            Weight::Failed | Weight::Invalid => tracing::error!(job, run, dataset, code, help, "{text}"),
            Weight::Warning | Weight::Refused | Weight::Temporary => tracing::warn!(job, run, dataset, code, help, "{text}"),
        }
    }
}

/// The first reason that explains an outcome other than done.
pub(super) fn why(report: &RunReport) -> String {
    use crate::report::run::Weight::{Note, Warning};
    if report.inspects() && !report.findings.is_empty() {
        return checks::sentence(report);
    }
    let mut telling =
        report.all_reasons().filter(|reason| !matches!(reason.weight, Note | Warning)).map(|reason| reason.text.as_str());
    // A run that is done but not delivered has nothing heavier to tell than why.
    let undelivered =
        || report.reasons.last().filter(|_| report.outcome == Some(Outcome::Undelivered)).map(|reason| reason.text.as_str());
    let first = telling.next().or_else(undelivered).unwrap_or_default().to_owned();
    match telling.count() {
        0 => first,
        more => format!("{first} (and {more} more)"),
    }
}
