//! What to read first: one word, one sentence, and whether anything could be touched.

use super::checks;
use super::columns;
use super::format::{count, plain, plural, took};
use super::lines::Tone;
use super::run::{RunReport, Weight};
use super::totals::Totals;
use crate::job::outcome::Outcome;

/// What to read first.
pub struct Headline {
    /// One word: `done`, `refused`, `observed`, `dry run`, `plan`.
    pub verdict: &'static str,
    /// How it weighs.
    pub tone: Tone,
    /// The run in one sentence.
    pub sentence: String,
    /// How long it took.
    pub took: Option<String>,
    /// Said loudly when nothing could be touched.
    pub untouched: Option<&'static str>,
}

impl Headline {
    /// The headline of a report.
    pub fn of(report: &RunReport) -> Self {
        let (verdict, tone) = verdict(report);
        let took = report.started.zip(report.ended).map(|(started, ended)| took(ended - started));
        Self { verdict, tone, sentence: sentence(report), took, untouched: untouched(report) }
    }
}

fn verdict(report: &RunReport) -> (&'static str, Tone) {
    match report.outcome {
        Some(Outcome::Done) if report.mode == crate::job::spec::Mode::Observe && !report.inspects() => ("observed", Tone::Note),
        Some(Outcome::Done) if report.dry_run => ("dry run", Tone::Note),
        Some(Outcome::Done) => ("done", Tone::Good),
        Some(outcome @ (Outcome::Findings | Outcome::Undelivered | Outcome::Temporary | Outcome::Due)) => {
            (outcome.word(), Tone::Warn)
        }
        Some(outcome) => (outcome.word(), Tone::Bad),
        None => ("plan", Tone::Note),
    }
}

fn untouched(report: &RunReport) -> Option<&'static str> {
    match report.outcome {
        None => Some("a plan: nothing was touched"),
        Some(_) if report.inspects() => None,
        Some(_) if report.mode == crate::job::spec::Mode::Observe => Some("observe: nothing was touched"),
        Some(_) if report.dry_run => Some("dry run: nothing was touched"),
        Some(_) => None,
    }
}

/// The run in one sentence, without its verdict.
fn sentence(report: &RunReport) -> String {
    if report.inspects() && !report.findings.is_empty() {
        return checks::sentence(report);
    }
    let sums = Totals::of(report);
    match report.outcome {
        Some(Outcome::Refused) => because(report, Weight::Refused, &sums, "a person decides"),
        Some(Outcome::Temporary) => because(report, Weight::Temporary, &sums, "it may pass by itself"),
        Some(Outcome::Invalid) => because(report, Weight::Invalid, &sums, "the declarations are invalid"),
        Some(Outcome::Partial) => {
            let parts = [acted(report, &sums), troubles(&sums)].into_iter().flatten();
            let told = joined(parts);
            if troubles(&sums).is_some() { told } else { because(report, Weight::Failed, &sums, "a step failed") }
        }
        None if report.datasets.iter().any(|dataset| dataset.due.is_none()) => unseen(report, &sums),
        _ => calm(report, &sums),
    }
}

/// What a plan says where a dataset could not be counted: never that nothing is due.
fn unseen(report: &RunReport, sums: &Totals) -> String {
    let unknown = report.datasets.iter().filter(|dataset| dataset.due.is_none()).count() as u64;
    let unknown = format!("{} could not be looked at", plural(unknown, "dataset"));
    joined([acted(report, sums), Some(unknown)].into_iter().flatten())
}

/// What a run without trouble says: what was done, and else why nothing was.
fn calm(report: &RunReport, sums: &Totals) -> String {
    let held = (sums.held > 0).then(|| format!("{} kept by holds", count(sums.held)));
    let is = if report.outcome.is_some() { "was" } else { "is" };
    // A notice about a job that runs again is no run: its first reason is all there is to say.
    if let (Some(Outcome::Done), None, Some(reason)) = (report.outcome, &report.run, report.reasons.first()) {
        return plain(&reason.text);
    }
    let nothing = match (held.is_some(), report.datasets.is_empty()) {
        (_, true) => "nothing to do".to_owned(),
        _ if report.refreshes() => "nothing had changed underneath".to_owned(),
        (true, _) => format!("nothing else {is} due"),
        (false, _) => format!("nothing {is} due"),
    };
    let guarded = (sums.guarded > 0).then(|| format!("{} guarded", count(sums.guarded)));
    match acted(report, sums) {
        Some(acted) => joined([Some(acted), held, guarded].into_iter().flatten()),
        None => joined([held, guarded.or(Some(nothing))].into_iter().flatten()),
    }
}

/// `1,204 archived`; `1,204 would be archived`; `30 given a time to live, 12 swept`; nothing when nothing was.
fn acted(report: &RunReport, sums: &Totals) -> Option<String> {
    let said = |rows: u64, word: &str| (rows > 0).then(|| format!("{} {word}", count(rows)));
    if report.is_prospect() {
        let main = report.presentation.would();
        let apart = report.presentation.staying().map_or(main, |counter| counter.would);
        let told: Vec<String> = [(sums.would - sums.would_stay, main), (sums.would_stay, apart)]
            .iter()
            .filter_map(|(rows, word)| said(*rows, word))
            .collect();
        return (!told.is_empty()).then(|| told.join(", "));
    }
    let done: Vec<String> = columns::done(report).iter().filter_map(|(column, sum)| said(*sum, column.done)).collect();
    (!done.is_empty()).then(|| done.join(", "))
}

/// `2 in conflict, 5 failed`.
fn troubles(sums: &Totals) -> Option<String> {
    let counts = [
        (sums.conflict, "in conflict"),
        (sums.failed, "failed"),
        (sums.blocked, "blocked"),
        (sums.locked, "locked"),
        (sums.guarded, "guarded"),
        (sums.over_budget, "out of time"),
        (sums.not_reached, "not reached"),
    ];
    let said: Vec<String> =
        counts.iter().filter(|(rows, _)| *rows > 0).map(|(rows, word)| format!("{} {word}", count(*rows))).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// The first reason of a weight, after what was done before it.
fn because(report: &RunReport, weight: Weight, sums: &Totals, otherwise: &str) -> String {
    let mut reasons = report.all_reasons().filter(|reason| reason.weight == weight);
    let first = reasons.next().map(|reason| plain(&reason.text));
    let more = reasons.count();
    let why = match (first, sums.guarded) {
        (Some(first), _) if more > 0 => format!("{first}, and {}", plural(more as u64, "more reason")),
        (Some(first), _) => first,
        (None, 0) => otherwise.to_owned(),
        (None, guarded) => format!("{} left alone by a guard", count(guarded)),
    };
    match acted(report, sums).filter(|_| !report.is_prospect()) {
        Some(acted) => format!("{acted}, then: {why}"),
        None => why,
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
