//! What a report shows: the headline, and what each part has to say, bounded so that a page stays a page.

use super::checks::ChecksModel;
use super::format::count;
use super::headline::Headline;
use super::lines::{self, Line, Tone};
use super::run::{DatasetReport, RunReport};
use super::totals::Totals;
use crate::counter::Effect;
use crate::job::outcome::Outcome;

/// Datasets and settled batches shown at most. What is left out is counted, and stands in the JSON.
const SHOWN: usize = 100;
/// Reasons shown at most over the whole report, and at least per dataset.
const REASONS: (usize, usize) = (300, 3);

/// What a report shows.
pub struct ViewModel<'a> {
    /// The report or dataset that is shown.
    pub report: &'a RunReport,
    /// What to read first.
    pub headline: Headline,
    /// What the run as a whole has to say.
    pub lines: Vec<Line>,
    /// Batches of an interrupted run.
    pub settled: Shown<Line>,
    /// The datasets; in the job's order, unless there are too many: then the ones with trouble come first.
    pub datasets: Shown<DatasetModel<'a>>,
    /// What checks saw.
    pub checks: ChecksModel<'a>,
    /// Totals over every dataset, shown or not.
    pub totals: Totals,
}

/// What a report shows of one dataset.
pub struct DatasetModel<'a> {
    /// The report or dataset that is shown.
    pub dataset: &'a DatasetReport,
    /// What was done.
    pub done: Vec<Line>,
    /// What stayed, and why.
    pub left: Vec<Line>,
    /// What went wrong or deserves a look.
    pub reasons: Shown<Line>,
    /// What is overdue.
    pub debt: Option<Line>,
    /// Where every due row went; the parts add up to the bar.
    pub parts: Vec<Part>,
}

/// A list that was cut, and how many it lost.
pub struct Shown<T> {
    /// What is shown.
    pub items: Vec<T>,
    /// How many are not.
    pub more: usize,
}

/// A part of a bar.
pub struct Part {
    /// The style sheets' word for it.
    pub kind: &'static str,
    /// What the legend says.
    pub label: String,
    /// Rows.
    pub rows: u64,
}

impl<'a> ViewModel<'a> {
    /// Tells a report.
    pub fn of(report: &'a RunReport) -> Self {
        let datasets = pick(&report.datasets, |dataset| !dataset_troubles(dataset));
        let cap = (REASONS.0 / datasets.items.len().max(1)).clamp(REASONS.1, SHOWN);
        let settled = Shown::first(&report.settled, SHOWN, lines::settled);
        let reasons = Shown::first(&report.reasons, SHOWN, lines::reason);
        let mut run = reasons.items;
        run.extend(
            (reasons.more > 0).then(|| Line::said(Tone::Note, format!("and {} more reasons", count(reasons.more as u64)))),
        );
        Self {
            report,
            headline: Headline::of(report),
            lines: run,
            settled,
            datasets: datasets.map(|dataset| DatasetModel::of(dataset, report, cap)),
            checks: ChecksModel::of(report),
            totals: Totals::of(report),
        }
    }
}

impl<'a> DatasetModel<'a> {
    fn of(dataset: &'a DatasetReport, report: &RunReport, reasons: usize) -> Self {
        Self {
            dataset,
            done: lines::done(dataset, report),
            left: lines::left(dataset, &report.job),
            reasons: Shown::first(&dataset.reasons, reasons, lines::reason),
            debt: lines::debt(dataset).filter(|_| !report.refreshes()),
            parts: parts(dataset, report),
        }
    }

    /// Every line in reading order: done, stayed, overdue, and why.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.done.iter().chain(&self.left).chain(&self.debt).chain(&self.reasons.items)
    }

    /// True when there is nothing to say: nothing due, nothing done, nothing in the way.
    pub fn is_quiet(&self) -> bool {
        self.lines().next().is_none()
    }

    /// Rows in the bar.
    pub fn whole(&self) -> u64 {
        self.parts.iter().map(|part| part.rows).sum()
    }
}

impl<T> Shown<T> {
    /// The first of a list; what is cut is counted, never told.
    fn first<U>(all: &[U], most: usize, tell: impl FnMut(&U) -> T) -> Self {
        let items = all.iter().take(most).map(tell).collect();
        Self { items, more: all.len().saturating_sub(most) }
    }

    fn map<U>(self, tell: impl FnMut(T) -> U) -> Shown<U> {
        Shown { items: self.items.into_iter().map(tell).collect(), more: self.more }
    }

    /// `and 4,900 more`; nothing when all are shown.
    pub fn rest(&self) -> Option<String> {
        (self.more > 0).then(|| format!("and {} more", count(self.more as u64)))
    }
}

/// All of a list in its order, or, when it is too long, the loud ones first and as many as are shown.
fn pick<T>(all: &[T], quiet: impl Fn(&T) -> bool) -> Shown<&T> {
    let mut all: Vec<&T> = all.iter().collect();
    if all.len() > SHOWN {
        all.sort_by_key(|item| quiet(item));
    }
    let more = all.len().saturating_sub(SHOWN);
    all.truncate(SHOWN);
    Shown { items: all, more }
}

fn dataset_troubles(dataset: &DatasetReport) -> bool {
    let left = dataset.left;
    let went_wrong = !matches!(dataset.outcome, None | Some(Outcome::Done | Outcome::Due));
    went_wrong
        || left.conflict + left.failed + left.blocked + left.locked + left.guarded + left.not_reached > 0
        || dataset.overdue().is_some_and(|rows| rows > 0)
        || !dataset.reasons.is_empty()
}

/// Where the due rows of a dataset went, and beside them those without a date.
fn parts(dataset: &DatasetReport, report: &RunReport) -> Vec<Part> {
    if report.refreshes() {
        // One view, refreshed or not: a bar of it says nothing.
        return vec![];
    }
    let left = dataset.left;
    let acted: Vec<(&'static str, String, u64)> = match report.is_prospect() {
        true => lines::foreseen(dataset, report).into_iter().map(|(word, rows)| ("would", word.to_owned(), rows)).collect(),
        false => dataset.counts.iter().filter_map(|(key, rows)| counted(key, rows, report)).collect(),
    };
    let stayed = [
        ("held", "kept by a hold", left.held),
        ("changed", "changed meanwhile", left.changed),
        ("conflict", "in conflict", left.conflict),
        ("failed", "failed", left.failed),
        ("blocked", "blocked", left.blocked),
        ("locked", "locked", left.locked),
        ("over-budget", "out of time", left.over_budget),
        ("not-reached", "not reached", left.not_reached),
        ("guarded", "guarded", left.guarded),
        ("undated", "without a date", left.undated),
    ];
    let stayed = stayed.map(|(kind, label, rows)| (kind, label.to_owned(), rows));
    let told = acted.iter().chain(&stayed).filter(|part| part.0 != "undated").fold(0u64, |sum, part| sum.saturating_add(part.2));
    let untold = ("untold", "not accounted for".to_owned(), dataset.due.unwrap_or(0).saturating_sub(told));
    let all = acted.into_iter().chain(stayed).chain([untold]);
    all.filter(|part| part.2 > 0).map(|(kind, label, rows)| Part { kind, label, rows }).collect()
}

/// A count as a part of a bar; none where others tell of the same rows.
fn counted(key: &str, rows: u64, report: &RunReport) -> Option<(&'static str, String, u64)> {
    let Some(counter) = report.presentation.counter(key) else { return Some(("removed", key.to_owned(), rows)) };
    let is_told = counter.told_by.iter().any(|by| report.presentation.counter(by).is_some());
    let kind = match counter.effect {
        Effect::Rows => "removed",
        Effect::Store => "archived",
        Effect::None => "before",
    };
    (!is_told).then(|| (kind, counter.done.to_owned(), rows))
}

/// Widths of a bar's parts in thousandths: they add up to the whole, and nothing that is there is too thin to see.
pub fn shares(parts: &[Part]) -> Vec<u64> {
    const THINNEST: u64 = 6;
    let whole = parts.iter().fold(0u128, |sum, part| sum + u128::from(part.rows));
    let Some(widest) = (0..parts.len()).max_by_key(|at| parts[*at].rows).filter(|_| whole > 0) else {
        return vec![0; parts.len()];
    };
    let share = |part: &Part| u64::try_from(u128::from(part.rows) * 1000 / whole).unwrap_or(1000).max(THINNEST);
    let mut shares: Vec<u64> = parts.iter().map(share).collect();
    let others: u64 = shares.iter().enumerate().filter(|(at, _)| *at != widest).map(|(_, share)| share).sum();
    shares[widest] = 1000u64.saturating_sub(others);
    shares
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::counter::Counts;

    fn part(rows: u64) -> Part {
        Part { kind: "held", label: "kept by a hold".into(), rows }
    }

    #[test]
    fn a_bar_is_whole_and_its_thinnest_part_is_seen() {
        for rows in [vec![1_000_000, 1, 1], vec![5], vec![1, 1, 1], vec![u64::MAX, u64::MAX, 1], vec![1; 12]] {
            let shares = shares(&rows.iter().map(|rows| part(*rows)).collect::<Vec<_>>());
            assert_eq!(shares.iter().sum::<u64>(), 1000, "{rows:?}");
            assert!(shares.iter().all(|share| *share >= 6), "{shares:?}");
        }
        assert_eq!((shares(&[]), shares(&[part(0)])), (vec![], vec![0]));
    }

    #[test]
    fn the_parts_of_a_bar_are_the_due_rows_and_those_without_a_date() {
        for report in [samples::done(), samples::partial(), samples::guarded(), samples::observed(), samples::stopped()] {
            let told = ViewModel::of(&report);
            for dataset in &told.datasets.items {
                let undated = dataset.dataset.left.undated;
                assert_eq!(dataset.whole(), dataset.dataset.due.unwrap_or(0) + undated, "{}", report.job);
            }
        }
    }

    #[test]
    fn rows_nobody_accounts_for_are_not_hidden() {
        let mut report = samples::done();
        report.datasets[0].due = Some(1_300);
        let told = ViewModel::of(&report);
        let untold = told.datasets.items[0].parts.iter().find(|part| part.kind == "untold").unwrap();
        assert_eq!(untold.rows, 1_300 - 1_216);
    }

    #[test]
    fn the_job_s_order_is_kept_until_there_are_too_many() {
        let report = samples::huge(100, 1, 0);
        assert_eq!(ViewModel::of(&report).datasets.items[0].dataset.dataset, "core.table_0");
        let report = samples::huge(101, 1, 0);
        let told = ViewModel::of(&report);
        assert_eq!((told.datasets.items[0].dataset.dataset.as_str(), told.datasets.more), ("core.table_100", 1));
        assert_eq!(told.report.datasets.len(), 101);
        assert_eq!(told.totals.due, (0..101).sum::<u64>(), "sums are over every dataset");
    }

    #[test]
    fn checks_that_only_warn_are_told_before_those_that_passed() {
        let mut report = samples::found();
        (report.outcome, report.findings) =
            (Some(Outcome::Done), vec![report.findings.remove(0), report.findings.pop().unwrap()]);
        assert_eq!(ViewModel::of(&report).headline.sentence, "1 check with a warning, 1 passed");
    }

    #[test]
    fn a_key_that_only_gets_a_time_to_live_is_not_said_to_be_swept() {
        let mut report = RunReport { dry_run: true, ..samples::swept() };
        let cache = &mut report.datasets[0];
        (cache.counts, cache.to_be_given_ttl) = (Counts::default(), Some(30));
        assert_eq!(ViewModel::of(&report).headline.sentence, "120 would be swept, 30 would be given a time to live");
        report.datasets[0].left.guarded = 150;
        assert_eq!(ViewModel::of(&report).headline.sentence, "150 guarded");
    }

    #[test]
    fn what_could_not_be_counted_is_never_said_to_be_nothing() {
        let mut plan = samples::planned();
        plan.datasets.truncate(1);
        plan.datasets[0].due = None;
        plan.datasets[0].outcome = Some(Outcome::Temporary);
        assert_eq!(ViewModel::of(&plan).headline.sentence, "1 dataset could not be looked at");
        assert_eq!(lines::would(&plan.datasets[0]), None);
        let page = super::super::html::page(&plan).unwrap();
        assert!(page.contains("<dd>–</dd><dt>would be archived") && !page.contains("nothing is due"));
    }

    #[test]
    fn nothing_touched_is_said_for_plans_dry_runs_and_observers_alone() {
        let said = |report: &RunReport| ViewModel::of(report).headline.untouched;
        assert_eq!(said(&samples::observed()), Some("observe: nothing was touched"));
        assert_eq!(said(&RunReport { dry_run: true, ..samples::done() }), Some("dry run: nothing was touched"));
        assert_eq!((said(&samples::planned()), said(&samples::done())), (Some("a plan: nothing was touched"), None));
    }
}
