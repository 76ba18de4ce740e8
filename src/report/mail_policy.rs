//! When a mail goes out: news, not repetition.

use super::finding::{Finding, FindingOutcome};
use super::run::{Reason, RunReport, Verdict, Weight};
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

/// True when the run changed rows or keys, or settled what another one had changed.
pub fn did_something(report: &RunReport) -> bool {
    // A view that is refreshed every hour is no news: it says again what its tables say.
    let touched = !report.is_prospect() && !report.refreshes() && report.datasets.iter().any(|dataset| dataset.done() > 0);
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
    let mut news: BTreeSet<String> = loud.map(seen).collect();
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

/// A finding as one line: its outcome and its value, or why there is none. A time or a size is another one every night;
/// what is news there is whether it is beyond its bound.
fn seen(finding: &Finding) -> String {
    let value = finding.value.filter(|_| !finding.unit.drifts()).map(|value| value.to_string()).unwrap_or_default();
    let why = finding.reason.as_ref().and_then(|reason| grave(&finding.check, reason)).unwrap_or_default();
    format!("finding {} {} {value} {why}", finding.check, finding.outcome.word())
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

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::counter::Counts;

    fn changed(this: &RunReport, last: Option<&RunReport>) -> bool {
        should_send(ReportWhen::Changed, this, last)
    }

    #[test]
    fn a_check_that_fails_for_the_tenth_night_is_quiet_and_its_recovery_is_told_once() {
        let failing = samples::found();
        let well = RunReport { findings: vec![], outcome: Some(Outcome::Done), ..failing.clone() };
        let nights = [&well, &failing, &failing, &failing, &well, &well];
        let told: Vec<bool> = nights.windows(2).map(|pair| changed(pair[1], Some(pair[0]))).collect();
        assert_eq!(told, [true, false, false, true, false]);
        assert!(changed(&failing, None) && !changed(&well, None));
    }

    #[test]
    fn a_finding_that_moves_is_news() {
        let mut more = samples::found();
        more.findings[0].value = Some(4);
        assert!(changed(&more, Some(&samples::found())));
        for finding in &mut more.findings {
            finding.unit = super::super::finding::Unit::Ms;
        }
        let mut slower = more.clone();
        slower.findings[0].value = Some(5);
        assert!(!changed(&slower, Some(&more)), "a time is another one every night");
    }

    #[test]
    fn a_guard_that_still_waits_is_not_news_though_its_count_moves() {
        let mut tomorrow = samples::guarded();
        let dataset = &mut tomorrow.datasets[0];
        dataset.left.guarded += 317;
        dataset.reasons[0].text = dataset.reasons[0].text.replace("1,204,112", "1,204,429");
        assert!(!changed(&tomorrow, Some(&samples::guarded())));
        assert!(changed(&samples::guarded(), Some(&samples::quiet())));
    }

    #[test]
    fn another_name_in_backticks_is_another_failure() {
        let mut other = samples::partial();
        other.datasets[0].counts = Counts::default();
        let one = other.clone();
        other.datasets[0].reasons[0].text = other.datasets[0].reasons[0].text.replace("orders-2f91", "orders-2f92");
        assert!(changed(&other, Some(&one)) && !changed(&one, Some(&one)));
    }

    #[test]
    fn what_was_done_is_always_told_and_what_would_be_is_not() {
        assert!(changed(&samples::done(), Some(&samples::done())));
        assert!(changed(&samples::settled(), None));
        assert!(!changed(&samples::observed(), None) && !changed(&samples::quiet(), None));
    }

    #[test]
    fn failed_means_not_done_and_always_means_always() {
        assert!(should_send(ReportWhen::Failed, &samples::guarded(), Some(&samples::guarded())));
        assert!(!should_send(ReportWhen::Failed, &samples::done(), None));
        assert!(should_send(ReportWhen::Always, &samples::quiet(), Some(&samples::quiet())));
    }
}
