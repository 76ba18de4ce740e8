//! When a mail goes out: news, not repetition.

use super::run::{FindingOutcome, Reason, RunReport, Verdict, Weight};
use crate::job::outcome::Outcome;
use crate::job::spec::ReportWhen;
use std::collections::BTreeSet;

/// Whether this run is worth a mail, seen beside the job's last recorded one.
///
/// `changed` is: something was done, or anything differs from the last run's findings, refusals or
/// failures. So a check that fails for the tenth night is quiet, and its recovery is told once.
/// A job's first run is held against a run that had nothing to say.
pub fn should_send(rule: ReportWhen, this: &RunReport, last: Option<&RunReport>) -> bool {
    match rule {
        ReportWhen::Always => true,
        ReportWhen::Failed => this.outcome.is_some_and(|outcome| outcome != Outcome::Done),
        ReportWhen::Changed => did_something(this) || news(this) != last.map(news).unwrap_or_default(),
    }
}

/// True when the run changed rows, or settled what another one had changed.
pub fn did_something(report: &RunReport) -> bool {
    let touched = !report.is_prospect()
        && report.datasets.iter().any(|dataset| dataset.archived.unwrap_or(0) + dataset.removed.unwrap_or(0) > 0);
    touched || report.settled.iter().any(|settled| settled.verdict != Verdict::RolledBack)
}

/// What a mail is for besides what was done: findings, refusals and failures, each as one comparable line.
///
/// Counts inside sentences, and rows that fail or are guarded, move every night without being news;
/// the value of a finding and the number of conflicts are.
fn news(report: &RunReport) -> BTreeSet<String> {
    let outcome = report.outcome.filter(|outcome| !matches!(outcome, Outcome::Done | Outcome::Undelivered | Outcome::Due));
    let loud =
        report.findings.iter().filter(|finding| !matches!(finding.outcome, FindingOutcome::Pass | FindingOutcome::Skipped));
    let mut news: BTreeSet<String> =
        loud.map(|finding| format!("finding {} {:?} {}", finding.check, finding.outcome, finding.value)).collect();
    news.extend(outcome.map(|outcome| format!("outcome {}", outcome.word())));
    news.extend(report.reasons.iter().filter_map(|reason| grave("", reason)));
    for dataset in &report.datasets {
        let name = format!("{} {}", dataset.dataset, dataset.policy);
        news.extend(dataset.reasons.iter().filter_map(|reason| grave(&name, reason)));
        news.extend((dataset.left.guarded > 0).then(|| format!("guarded {name}")));
        news.extend((dataset.left.failed > 0).then(|| format!("failed {name}")));
        news.extend((dataset.left.conflict > 0).then(|| format!("conflict {name} {}", dataset.left.conflict)));
    }
    news
}

/// A refusal or failure as one line, without what moves from night to night.
fn grave(about: &str, reason: &Reason) -> Option<String> {
    if matches!(reason.weight, Weight::Note | Weight::Warning) {
        return None;
    }
    let code = reason.code.as_deref().unwrap_or_default();
    Some(format!("reason {about} {:?} {code} {}", reason.weight, steady(&reason.text)))
}

/// A sentence without its counts, times and run ids: words that hold a digit and stand outside backticks.
/// Names in backticks stay whole: `case-114` and `case-115` are two things.
fn steady(sentence: &str) -> String {
    let parts = sentence.split('`').enumerate().map(|(at, part)| match at % 2 {
        0 => part.split_whitespace().filter(|word| !word.contains(|c: char| c.is_ascii_digit())).collect::<Vec<_>>().join(" "),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("`")
}
