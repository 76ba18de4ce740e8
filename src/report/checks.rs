//! What checks saw, told: by owner, the loud ones one by one, those that passed in a count, and what got no answer by store.

use super::finding::{Finding, FindingOutcome, Unit};
use super::format::{count, instant, plain, plain_to, plural};
use super::lines::{self, Line, Tone};
use super::run::{RunReport, Weight};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Findings told one by one at most; the rest is counted, and stands in the JSON.
const SHOWN: usize = 100;
/// Up to so many that passed are named; beyond, they are a count.
const NAMED: usize = 25;
/// Stores and reasons told one by one at most.
const REASONS: usize = 30;
/// Checks named in one line, samples in one finding, characters in one sample, in a note, in a query.
const LISTED: usize = 5;
const SAMPLES: usize = 5;
const LONGEST_SAMPLE: usize = 120;
const LONGEST_NOTE: usize = 240;
const LONGEST_QUERY: usize = 4_000;
/// Bytes that samples, notes and queries of all findings may take together, written as HTML. The worst findings come first.
const ROOM: usize = 300_000;

/// What a run's checks saw, told.
#[derive(Default)]
pub struct ChecksModel<'a> {
    /// By owner, those with trouble first.
    pub owners: Vec<OwnerModel<'a>>,
    /// What could not be answered, by store and reason.
    pub unanswered: Vec<Line>,
    /// Findings that are neither told one by one nor counted as passed.
    pub more: usize,
    /// How many ended how.
    pub totals: CheckTotals,
}

/// One owner's checks.
pub struct OwnerModel<'a> {
    /// Who answers for the data.
    pub owner: Option<&'a str>,
    /// ViewModel one by one: what failed, warned, or recovered; what passed too where there is little.
    pub told: Vec<FindingModel<'a>>,
    /// Passed and not told one by one.
    pub passed: u64,
    /// Not answered.
    pub unanswered: u64,
}

/// One finding, told.
pub struct FindingModel<'a> {
    /// The value it tells.
    pub finding: &'a Finding,
    /// How it weighs.
    pub tone: Tone,
    /// How it ended, in a word or two.
    pub word: &'static str,
    /// The value out of how many, and their share.
    pub value: String,
    /// `▲ 3`: how the value moved since the run before.
    pub moved: Option<String>,
    /// `since 3 nights`, `new`, `recovered`.
    pub since: Option<String>,
    /// A few, masked, short enough for a page.
    pub samples: Vec<String>,
    /// What a person should know to read the number.
    pub notes: Vec<String>,
    /// The query that gives the value again: whole, or not at all.
    pub query: Option<&'a str>,
}

/// How many checks ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CheckTotals {
    /// Within bounds.
    pub passed: u64,
    /// Past the warning bound.
    pub warned: u64,
    /// Past the failing bound.
    pub failed: u64,
    /// Could not be evaluated, or was not.
    pub unanswered: u64,
}

impl CheckTotals {
    /// The totals of a report.
    pub fn of(report: &RunReport) -> Self {
        let mut totals = Self::default();
        for finding in &report.findings {
            *match finding.outcome {
                FindingOutcome::Pass => &mut totals.passed,
                FindingOutcome::Warn => &mut totals.warned,
                FindingOutcome::Fail => &mut totals.failed,
                FindingOutcome::Error | FindingOutcome::Skipped => &mut totals.unanswered,
            } += 1;
        }
        totals
    }
}

impl<'a> ChecksModel<'a> {
    /// Tells the findings of a report.
    pub fn of(report: &'a RunReport) -> Self {
        let now = report.started.unwrap_or(report.as_of);
        // A plan is read for what each check would ask, so it names what passed too.
        let named = if report.outcome.is_none() { SHOWN } else { NAMED };
        let few = report.findings.len() <= named;
        let mut loud: Vec<&Finding> =
            report.findings.iter().filter(|finding| finding.outcome.is_measured() && (few || is_loud(finding))).collect();
        if loud.len() > SHOWN {
            loud.sort_by_key(|finding| rank(finding));
        }
        let more = loud.len().saturating_sub(SHOWN);
        loud.truncate(SHOWN);
        Self { owners: owners(report, &loud, few, now), unanswered: unanswered(report), more, totals: CheckTotals::of(report) }
    }

    /// True when no check was to be told.
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty() && self.unanswered.is_empty()
    }

    /// `and 4,900 more`; nothing when all are told.
    pub fn rest(&self) -> Option<String> {
        (self.more > 0).then(|| format!("and {} more", count(self.more as u64)))
    }
}

impl OwnerModel<'_> {
    /// As a heading names it.
    pub fn name(&self) -> String {
        self.owner.map_or_else(|| "no owner".to_owned(), plain)
    }

    /// `12 checks passed`, `3 checks got no answer`: what is not told one by one.
    pub fn counted(&self) -> Vec<Line> {
        let line = |number: u64, tone, what: &str| {
            let checks = if number == 1 { "check" } else { "checks" };
            (number > 0).then(|| Line::counted(tone, number, format!("{checks} {what}")))
        };
        [line(self.passed, Tone::Good, "passed"), line(self.unanswered, Tone::Warn, "got no answer")]
            .into_iter()
            .flatten()
            .collect()
    }

    /// Every line, for forms that know nothing but lines. A plan shows what each check would ask.
    pub fn lines(&self, with_query: bool) -> Vec<Line> {
        let told = self.told.iter().map(|told| told.line(with_query));
        told.chain(self.counted()).collect()
    }
}

impl<'a> FindingModel<'a> {
    fn of(finding: &'a Finding, now: DateTime<Utc>, room: &mut usize) -> Self {
        let (tone, word) = match finding.outcome {
            FindingOutcome::Pass => (Tone::Good, "passed"),
            FindingOutcome::Warn => (Tone::Warn, "warning"),
            FindingOutcome::Fail => (Tone::Bad, "failed"),
            FindingOutcome::Error => (Tone::Bad, "could not be evaluated"),
            FindingOutcome::Skipped => (Tone::Note, "skipped"),
        };
        let mut fits = |text: &String| {
            let left = room.checked_sub(written(text));
            *room = left.unwrap_or(*room);
            left.is_some()
        };
        let samples =
            finding.samples.iter().take(SAMPLES).map(|sample| plain_to(sample, LONGEST_SAMPLE)).filter(&mut fits).collect();
        let notes = finding.notes.iter().take(3).map(|note| plain_to(note, LONGEST_NOTE)).filter(&mut fits).collect();
        let query = finding.query.as_ref().filter(|query| query.chars().count() <= LONGEST_QUERY && fits(query));
        let value = finding.value.map(|value| finding.unit.say_of(value, finding.of)).unwrap_or_else(|| "–".into());
        Self {
            finding,
            tone,
            word,
            value,
            moved: moved(finding),
            since: since(finding, now),
            samples,
            notes,
            query: query.map(String::as_str),
        }
    }

    /// The finding in one line.
    fn line(&self, with_query: bool) -> Line {
        let finding = self.finding;
        let check = plain(&finding.check);
        let (figure, mut text) = match (finding.unit, finding.value) {
            (Unit::Count, Some(value)) => {
                let of = self.value.split_once(" of ").map(|(_, of)| format!("of {of} ")).unwrap_or_default();
                (Some(value), format!("{of}found by check `{check}`: {}", self.word))
            }
            _ => (None, format!("check `{check}`: {}, {}", self.value, self.word)),
        };
        text.extend(finding.bound.iter().map(|bound| format!(" ({})", plain(bound))));
        text.extend(self.moved.iter().chain(&self.since).map(|more| format!(", {more}")));
        if !self.samples.is_empty() {
            text += &format!(", such as {}", self.samples.iter().take(3).cloned().collect::<Vec<_>>().join("; "));
        }
        text.extend(self.notes.iter().take(2).map(|note| format!("; {note}")));
        let help = self.query.filter(|_| with_query).map(plain);
        Line { tone: self.tone, count: figure, text, help }
    }

    /// What the check looked at and how, for whoever reads more than its name.
    pub fn facts(&self) -> String {
        let finding = self.finding;
        let took = finding.elapsed_ms.map(|elapsed| format!("took {}", Unit::Ms.say(elapsed)));
        let facts = [Some(plain(&finding.kind)), Some(plain(&finding.dataset)), took];
        facts.into_iter().flatten().filter(|fact| !fact.is_empty()).collect::<Vec<_>>().join(" · ")
    }

    /// The values of the last runs as the points of a line, 100 wide and 20 high; nothing where there is no line to see.
    pub fn spark(&self) -> Vec<String> {
        spark(&self.finding.history)
    }
}

/// Runs of known values, each as the points of its own line: where nothing is known, there is a gap.
fn spark(history: &[Option<u64>]) -> Vec<String> {
    const WIDTH: u64 = 100;
    const HEIGHT: u64 = 20;
    let known = || history.iter().flatten();
    let (Some(least), Some(most)) = (known().min(), known().max()) else { return vec![] };
    if known().count() < 2 {
        return vec![];
    }
    let span = u128::from((most - least).max(1));
    let x = |at: usize| WIDTH * at as u64 / (history.len() as u64 - 1).max(1);
    let y = |value: u64| {
        let up = u128::from(value - least) * u128::from(HEIGHT) / span;
        HEIGHT - u64::try_from(up).unwrap_or(HEIGHT)
    };
    let mut lines: Vec<String> = vec![];
    let mut open = false;
    for (at, value) in history.iter().enumerate() {
        let Some(value) = value else {
            open = false;
            continue;
        };
        let point = format!("{},{}", x(at), y(*value));
        match lines.last_mut().filter(|_| open) {
            Some(line) => line.extend([" ", &point]),
            None => lines.push(point),
        }
        open = true;
    }
    lines
}

/// Bytes of a text once it is written into a page.
fn written(text: &str) -> usize {
    text.chars().map(|c| if matches!(c, '<' | '>' | '&' | '"' | '\'') { 6 } else { c.len_utf8() }).sum()
}

fn is_loud(finding: &Finding) -> bool {
    finding.outcome != FindingOutcome::Pass || recovered(finding)
}

/// It passes, and the time before it did not.
fn recovered(finding: &Finding) -> bool {
    let before = finding.before.as_ref().map(|before| before.outcome);
    finding.outcome == FindingOutcome::Pass && matches!(before, Some(FindingOutcome::Warn | FindingOutcome::Fail))
}

fn rank(finding: &Finding) -> u8 {
    match finding.outcome {
        FindingOutcome::Fail => 0,
        FindingOutcome::Warn => 1,
        _ => 2,
    }
}

fn owners<'a>(report: &'a RunReport, told: &[&'a Finding], few: bool, now: DateTime<Utc>) -> Vec<OwnerModel<'a>> {
    let mut by_owner: BTreeMap<Option<&str>, OwnerModel<'_>> = BTreeMap::new();
    for finding in &report.findings {
        let owner = finding.owner.as_deref();
        let group = by_owner.entry(owner).or_insert_with(|| OwnerModel { owner, told: vec![], passed: 0, unanswered: 0 });
        match finding.outcome {
            FindingOutcome::Error | FindingOutcome::Skipped => group.unanswered += 1,
            FindingOutcome::Pass if !few && !recovered(finding) => group.passed += 1,
            _ => {}
        }
    }
    let mut room = ROOM;
    let mut told = told.to_vec();
    told.sort_by_key(|finding| rank(finding));
    for finding in told {
        if let Some(group) = by_owner.get_mut(&finding.owner.as_deref()) {
            group.told.push(FindingModel::of(finding, now, &mut room));
        }
    }
    let mut owners: Vec<OwnerModel<'_>> = by_owner.into_values().collect();
    owners.sort_by_key(|owner| owner.told.iter().map(|told| rank(told.finding)).min().unwrap_or(3));
    owners.truncate(SHOWN);
    owners
}

/// One line for each store that gave no answer, or each other reason, with the checks it concerns.
fn unanswered(report: &RunReport) -> Vec<Line> {
    let mut by_reason: BTreeMap<(String, String), Vec<&Finding>> = BTreeMap::new();
    for finding in report.findings.iter().filter(|finding| !finding.outcome.is_measured()) {
        let text = finding.reason.as_ref().map(|reason| reason.text.clone()).unwrap_or_default();
        let store = finding.silent.clone().unwrap_or_else(|| finding.stores.join("`, `"));
        by_reason.entry((store, text)).or_default().push(finding);
    }
    let mut lines: Vec<Line> = by_reason.into_iter().map(|((store, _), findings)| no_answer(&store, &findings)).collect();
    lines.sort_by_key(|line| (std::cmp::Reverse(line.tone), std::cmp::Reverse(line.count)));
    let rest = lines.split_off(lines.len().min(REASONS));
    let more: u64 = rest.iter().filter_map(|line| line.count).sum();
    lines.extend((more > 0).then(|| Line::counted(Tone::Bad, more, "more unanswered, for other reasons, in the report's JSON")));
    lines
}

fn no_answer(store: &str, findings: &[&Finding]) -> Line {
    let names: Vec<String> = findings.iter().take(LISTED).map(|finding| format!("`{}`", plain_to(&finding.check, 80))).collect();
    let more = findings.len().saturating_sub(LISTED);
    let more = if more > 0 { format!(" and {} more", count(more as u64)) } else { String::new() };
    let at = if store.is_empty() { String::new() } else { format!(" at store `{}`", plain_to(store, 80)) };
    let why = findings.first().and_then(|finding| finding.reason.as_ref()).map(lines::reason);
    let tone = why.as_ref().map_or(Tone::Warn, |why| why.tone);
    let text =
        format!("unanswered{at}: {}{more}: {}", names.join(", "), why.as_ref().map(|why| why.text.as_str()).unwrap_or_default());
    Line { tone, count: Some(findings.len() as u64), text, help: why.and_then(|why| why.help) }
}

fn moved(finding: &Finding) -> Option<String> {
    let moved = finding.moved()?;
    Some(format!("{} {}", if moved.up { '▲' } else { '▼' }, finding.unit.say(moved.by)))
}

fn since(finding: &Finding, now: DateTime<Utc>) -> Option<String> {
    if recovered(finding) {
        return Some("recovered".to_owned());
    }
    let since = finding.since.as_ref().filter(|_| finding.outcome != FindingOutcome::Pass)?;
    let nights = u64::try_from((now.date_naive() - since.at.date_naive()).num_days()).unwrap_or(0);
    match (since.runs, nights) {
        (0 | 1, _) => finding.before.as_ref().filter(|before| before.outcome == FindingOutcome::Pass).map(|_| "new".to_owned()),
        (runs, 0) => Some(format!("for {} now, since {}", plural(runs, "run"), instant(since.at))),
        (_, nights) => Some(format!("since {}", plural(nights, "night"))),
    }
}

/// The run in one sentence: who gave no answer, what failed, warned and passed.
pub fn sentence(report: &RunReport) -> String {
    let totals = CheckTotals::of(report);
    let loud: Vec<&Finding> = report.findings.iter().filter(|finding| finding.outcome == FindingOutcome::Fail).collect();
    let failed = match loud.as_slice() {
        [] => None,
        [one] => Some(format!("check `{}` failed", plain(&one.check))),
        many => Some(format!("{} failed", plural(many.len() as u64, "check"))),
    };
    let also = |number: u64, what: &str| (number > 0).then(|| format!("{} {what}", count(number)));
    let unanswered = (totals.unanswered > 0).then(|| format!("{} unanswered", plural(totals.unanswered, "check")));
    // The first of the numbers says what is counted.
    let quiet = totals.failed + totals.unanswered == 0;
    let warned = match (quiet, totals.warned) {
        (true, 1..) => Some(format!("{} with a warning", plural(totals.warned, "check"))),
        (_, warned) => also(warned, "with a warning"),
    };
    let passed = match (quiet, totals.warned) {
        (true, 0) => Some(format!("{} passed", plural(totals.passed, "check"))),
        _ => also(totals.passed, "passed"),
    };
    let head = [away(report), unanswered, failed].into_iter().flatten();
    head.chain([warned, passed].into_iter().flatten()).collect::<Vec<_>>().join(", ")
}

/// `store `graph` gave no answer`; with a reason of the run as a whole, that one.
fn away(report: &RunReport) -> Option<String> {
    let heavy = |weight| !matches!(weight, Weight::Note | Weight::Warning);
    if let Some(reason) = report.reasons.iter().find(|reason| heavy(reason.weight)) {
        return Some(plain(&reason.text));
    }
    let mut stores: Vec<&str> = report.findings.iter().filter_map(|finding| finding.silent.as_deref()).collect();
    stores.sort_unstable();
    stores.dedup();
    let named = stores.iter().take(LISTED).map(|store| format!("`{}`", plain(store))).collect::<Vec<_>>().join(", ");
    match stores.len() {
        0 => None,
        1 => Some(format!("store {named} gave no answer")),
        _ => Some(format!("stores {named} gave no answer")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn a_line_says_value_bound_trend_and_since() {
        let report = samples::found();
        let told = ChecksModel::of(&report);
        let lines: Vec<String> = told.owners.iter().flat_map(|owner| owner.lines(false)).map(|line| line.to_string()).collect();
        assert!(
            lines.contains(&"41 of 5,000 (0.82 %) found by check `users-in-graph`: failed (> 0), ▲ 3, since 3 nights".to_owned()),
            "{lines:#?}"
        );
        assert_eq!(told.unanswered.len(), 1);
        let line = told.unanswered[0].to_string();
        assert!(line.starts_with("1 unanswered at store `graph`: `orphan-nodes`: temporary: store `graph` is away"), "{line}");
    }

    #[test]
    fn those_with_trouble_come_first_and_the_rest_is_a_count() {
        let report = samples::many_checks(5_000);
        let told = ChecksModel::of(&report);
        assert!(told.owners.iter().map(|owner| owner.told.len()).sum::<usize>() <= SHOWN);
        let counted: u64 = told.owners.iter().map(|owner| owner.passed + owner.unanswered + owner.told.len() as u64).sum();
        assert_eq!(counted + told.more as u64, 5_000, "every check is told or counted");
    }

    #[test]
    fn a_recovery_is_told_by_name_even_among_thousands() {
        let mut report = samples::many_checks(5_000);
        let now = report.as_of;
        for finding in &mut report.findings {
            finding.outcome = FindingOutcome::Pass;
        }
        let before = super::super::finding::Before { outcome: FindingOutcome::Fail, value: Some(3), at: now };
        report.findings[4_711].before = Some(before);
        let told = ChecksModel::of(&report);
        let named: Vec<_> = told.owners.iter().flat_map(|owner| &owner.told).collect();
        assert_eq!((named.len(), named[0].since.as_deref()), (1, Some("recovered")));
    }

    #[test]
    fn a_line_of_values_has_a_gap_where_nothing_is_known() {
        assert_eq!(spark(&[Some(0), Some(10), None, Some(5), Some(5)]), ["0,20 25,0", "75,10 100,10"]);
        assert!(spark(&[Some(3)]).is_empty() && spark(&[]).is_empty() && spark(&[None, None]).is_empty());
        assert_eq!(spark(&[Some(u64::MAX), Some(0)]), ["0,0 100,20"]);
    }
}
