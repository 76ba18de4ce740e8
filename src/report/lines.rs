//! The sentences of a report: a count, then what it is. They read alone and in a table.

use super::format::{count, instant, plain, short_run};
use super::presentation::Age;
use super::run::{DatasetReport, NotReached, Reason, RunReport, Settled, Verdict, Weight};
use super::views;
use crate::counter::Effect;
use crate::diagnostic::codes;
use crate::job::outcome::Outcome;
use std::fmt;

/// One line of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How it weighs; decides the colour, never the words.
    pub tone: Tone,
    /// What it counts, where it counts something.
    pub count: Option<u64>,
    /// What it says.
    pub text: String,
    /// The way out, on a second line.
    pub help: Option<String>,
}

/// How a line weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// Was done.
    Good,
    /// Stays by right: a hold.
    Kept,
    /// Worth knowing.
    Note,
    /// Worth a look.
    Warn,
    /// Needs a person, or failed.
    Bad,
}

impl Tone {
    /// The word that style sheets use for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Kept => "kept",
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

impl Line {
    /// A line that counts.
    pub fn counted(tone: Tone, count: u64, text: impl Into<String>) -> Self {
        Self { tone, count: Some(count), text: text.into(), help: None }
    }

    /// A line that only says.
    pub fn said(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, count: None, text: text.into(), help: None }
    }

    /// The same line with a way out.
    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The count as it is written; empty for a line that only says.
    pub fn figure(&self) -> String {
        self.count.map(count).unwrap_or_default()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            Some(number) => write!(f, "{} {}", count(number), self.text),
            None => f.write_str(&self.text),
        }
    }
}

/// What was done to a dataset, or would be.
///
/// A dry run and a plan say "would be", from `due` less what stays; see `would`.
pub fn done(dataset: &DatasetReport, report: &RunReport) -> Vec<Line> {
    if report.refreshes() {
        return views::done(dataset, report).map(|text| Line::said(Tone::Good, text)).into_iter().collect();
    }
    let why = why(dataset, report);
    if report.is_prospect() {
        let line = |(word, rows)| Line::counted(Tone::Good, rows, format!("{word}{why}{}", destination(dataset)));
        return foreseen(dataset, report).into_iter().map(line).chain(causes(dataset)).collect();
    }
    let mut lines = vec![];
    for (key, rows) in ordered(dataset, report).filter(|(_, rows)| *rows > 0) {
        let Some(counter) = report.presentation.counter(key) else {
            lines.push(Line::counted(Tone::Good, rows, key));
            continue;
        };
        let told: u64 = counter.told_by.iter().filter_map(|key| dataset.counts.by_key(key)).sum();
        if told == rows {
            continue;
        }
        let to = if counter.effect == Effect::Store { destination(dataset) } else { String::new() };
        let text = match counter.note {
            Some(note) => format!("{}: {note}", counter.done),
            None => format!("{}{why}{to}", counter.done),
        };
        lines.push(Line::counted(Tone::Good, rows, text));
    }
    lines.extend(causes(dataset));
    lines
}

/// The counts of a dataset in reading order: what the action is for comes first.
fn ordered<'d>(dataset: &'d DatasetReport, report: &RunReport) -> impl Iterator<Item = (&'d str, u64)> {
    let main = report.presentation.main.map(|main| main.key);
    let is_main = move |(key, _): &(&str, u64)| Some(*key) == main;
    dataset.counts.iter().filter(is_main).chain(dataset.counts.iter().filter(move |count| !is_main(count)))
}

/// What stayed, by why: a line for every count that is not zero.
pub fn left(dataset: &DatasetReport, job: &str) -> Vec<Line> {
    let left = dataset.left;
    let mut lines = kept(dataset);
    let mut push = |rows: u64, tone, text: &str, help: Option<String>| {
        if rows > 0 {
            lines.push(Line { tone, count: Some(rows), text: text.to_owned(), help });
        }
    };
    let guarded = if dataset.done() > 0 {
        "left: came due during the run, beyond what its guard or plan allows"
    } else {
        "left: a guard leaves the whole dataset alone"
    };
    push(left.guarded, Tone::Bad, guarded, approvable(dataset).then(|| approve(job)));
    push(
        left.conflict,
        Tone::Bad,
        "left: the archive holds other content under the same key; nothing was overwritten",
        Some("compare the two rows: two things under one key need another key for the live one".into()),
    );
    push(left.failed, Tone::Bad, "left: a step failed", None);
    push(
        left.blocked,
        Tone::Warn,
        "left: rows of another table refer to them, by a foreign key that refuses their removal",
        None,
    );
    push(left.locked, Tone::Warn, "left: another transaction held them; the next run takes them", None);
    push(left.over_budget, Tone::Warn, "left: the time was used up, or the run was stopped; the next run goes on", None);
    push(left.not_reached, Tone::Warn, not_reached(dataset.not_reached), None);
    push(left.changed, Tone::Note, "left: changed by the application meanwhile; the next run looks again", None);
    push(left.undated, Tone::Warn, "left: no date, so never due", None);
    lines
}

/// Why the run did not come to these rows; the reason itself stands below.
const fn not_reached(why: Option<NotReached>) -> &'static str {
    match why {
        Some(NotReached::TooManyFailures) => "left: not reached, since too many rows before them failed",
        Some(NotReached::StoreAway) => "left: not reached, since the store was away or busy; the next run goes on",
        Some(NotReached::Waited) => "left: not reached, since `pause_when` said to wait for too long; the next run goes on",
        Some(NotReached::Refused) => "left: not reached, since the dataset was refused on the way",
        Some(NotReached::Failed) | None => "left: not reached, since a step failed for good",
    }
}

/// False where a plan file would not help: a cascade is a matter of the policy.
fn approvable(dataset: &DatasetReport) -> bool {
    let cascade = codes::CASCADE.as_str();
    !dataset.reasons.iter().any(|reason| reason.code.as_deref() == Some(cascade))
}

/// Rows kept by holds, one line per hold.
fn kept(dataset: &DatasetReport) -> Vec<Line> {
    let held = dataset.left.held;
    let named = dataset.holds.iter().filter(|hold| hold.rows > 0);
    let mut lines: Vec<Line> =
        named.map(|hold| Line::counted(Tone::Kept, hold.rows, format!("kept: hold `{}`", plain(&hold.hold)))).collect();
    let told = lines.iter().filter_map(|line| line.count).fold(0, u64::saturating_add);
    match held {
        0 => {}
        _ if told == 0 => lines.push(Line::counted(Tone::Kept, held, "kept: legal hold")),
        _ if told > held => lines.push(Line::counted(Tone::Kept, held, "kept in all: some rows are under more than one hold")),
        _ if told < held => lines.push(Line::counted(Tone::Kept, held - told, "kept: other holds")),
        _ => {}
    }
    lines
}

/// What is overdue now. `None` where the policy is kept to the row, or nothing is known.
pub fn debt(dataset: &DatasetReport) -> Option<Line> {
    let debt = dataset.debt.as_ref()?;
    let rows = debt.rows;
    let oldest = debt.oldest.as_ref().map(|oldest| format!(", the oldest from {}", plain(oldest)));
    let text = format!("overdue: due by the policy and still there{}", oldest.unwrap_or_default());
    (rows > 0).then(|| Line::counted(Tone::Warn, rows, text))
}

/// A reason, with its way out. Warnings say that they are; a code can be asked about.
pub fn reason(reason: &Reason) -> Line {
    let tone = match reason.weight {
        Weight::Note => Tone::Note,
        Weight::Warning | Weight::Temporary => Tone::Warn,
        Weight::Refused | Weight::Failed | Weight::Invalid => Tone::Bad,
    };
    let word = match reason.weight {
        Weight::Note => "note",
        Weight::Warning => "warning",
        Weight::Temporary => "temporary",
        Weight::Refused => "refused",
        Weight::Failed => "failed",
        Weight::Invalid => "invalid",
    };
    let code = reason.code.as_ref().map(|code| format!(" ({})", plain(code))).unwrap_or_default();
    let help = reason.help.as_ref().map(|help| plain(help));
    Line { tone, count: None, text: format!("{word}: {}{code}", plain(&reason.text)), help }
}

/// What became of a batch that an interrupted run left open.
pub fn settled(settled: &Settled) -> Line {
    let run = short_run(&settled.run);
    let (tone, verdict) = match settled.verdict {
        Verdict::Applied => (Tone::Note, format!("carried out before run {run} broke off")),
        Verdict::RolledBack => (Tone::Note, format!("rolled back when run {run} broke off, and looked at anew")),
        Verdict::Unclear => {
            (Tone::Warn, format!("run {run} broke off and others have changed these rows since, so nothing is claimed"))
        }
    };
    let (dataset, batch) = (plain(&settled.dataset), plain(&settled.batch));
    Line::counted(tone, settled.rows, format!("settled in `{dataset}`: {verdict} (batch {batch})"))
}

/// Who started the run, from where, with which build.
pub fn started(report: &RunReport) -> Option<String> {
    report.started_by.as_ref().map(|by| format!("started {}", plain(&by.to_string())))
}

/// The plan file under which it acted, and who approved it.
pub fn approved(report: &RunReport) -> Option<String> {
    let approval = report.approval.as_ref()?;
    let made_by = approval.made_by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let text = format!("under plan {}, made {}{made_by}, approved by {}", approval.plan, instant(approval.made), approval.by);
    Some(plain(&text))
}

/// How a guard is approved: the plan says what a person agrees to, and the run does at most that.
pub fn approve(job: &str) -> String {
    let job = plain(job);
    format!("look, then approve: `steward plan {job} --out FILE`, then `steward run-job {job} --plan FILE`")
}

/// Rows that a dry run or a plan foresees: what is due, less what would stay. `None` where nothing was counted.
pub fn would(dataset: &DatasetReport) -> Option<u64> {
    let left = dataset.left;
    let stays = left.held
        + left.guarded
        + left.conflict
        + left.failed
        + left.blocked
        + left.locked
        + left.over_budget
        + left.not_reached
        + left.changed;
    match dataset.outcome {
        None | Some(Outcome::Done | Outcome::Due | Outcome::Findings | Outcome::Undelivered) => {
            dataset.due.map(|due| due.saturating_sub(stays))
        }
        // Of what nobody could count nothing is foreseen, not even zero.
        Some(_) => dataset.due.map(|_| 0),
    }
}

/// The same by what would become of them: keys that are only given a time to live stay for now.
pub fn foreseen(dataset: &DatasetReport, report: &RunReport) -> Vec<(&'static str, u64)> {
    let would = would(dataset).unwrap_or(0);
    let stays = dataset.to_be_given_ttl.unwrap_or(0).min(would);
    let apart = report.presentation.staying().map_or(report.presentation.would(), |counter| counter.would);
    let told = [(report.presentation.would(), would - stays), (apart, stays)];
    told.into_iter().filter(|(_, rows)| *rows > 0).collect()
}

/// Why rows went, after a colon; nothing where the causes have lines of their own, or where there is no age.
fn why(dataset: &DatasetReport, report: &RunReport) -> String {
    match report.presentation.age {
        _ if !dataset.causes.is_empty() => String::new(),
        Age::PastItsTime => format!(": {}", past_its_time(dataset)),
        Age::OlderThan => format!(": {}", older_than(dataset)),
    }
}

/// How much of what was due was due for which reason.
fn causes(dataset: &DatasetReport) -> impl Iterator<Item = Line> {
    let causes = dataset.causes.iter().filter(|due| due.count > 0);
    causes.map(|due| Line::counted(Tone::Note, due.count, format!("due: {}", plain(&due.cause))))
}

/// `past its time for 1 day`, or the instant.
fn past_its_time(dataset: &DatasetReport) -> String {
    match (&dataset.period, dataset.cutoff) {
        (Some(period), _) => format!("past its time for {}", plain(period)),
        (None, Some(cutoff)) => format!("past its time before {}", instant(cutoff)),
        (None, None) => "past its time".into(),
    }
}

/// `older than 6 months`, or the instant when the period is not known in words.
fn older_than(dataset: &DatasetReport) -> String {
    match (&dataset.period, dataset.cutoff) {
        (Some(period), _) => format!("older than {}", plain(period)),
        (None, Some(cutoff)) => format!("dated before {}", instant(cutoff)),
        (None, None) => "due by the policy".into(),
    }
}

/// Where archived rows are now.
fn destination(dataset: &DatasetReport) -> String {
    dataset.archive.as_ref().map(|archive| format!(", to `{}`", plain(archive))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::run::{HeldBy, Left};
    use super::super::samples;
    use super::*;
    use crate::counter::Counts;

    #[test]
    fn every_count_of_what_stayed_has_its_line() {
        let mut dataset = samples::quiet().datasets.remove(0);
        dataset.left = Left {
            held: 1,
            undated: 2,
            changed: 3,
            conflict: 4,
            failed: 5,
            blocked: 9,
            locked: 10,
            over_budget: 6,
            not_reached: 8,
            guarded: 7,
        };
        let counts: Vec<u64> = left(&dataset, "a").iter().filter_map(|line| line.count).collect();
        assert_eq!(counts, [1, 7, 4, 5, 9, 10, 6, 8, 3, 2]);
        dataset.left = Left::default();
        assert_eq!(left(&dataset, "a"), []);
    }

    #[test]
    fn holds_add_up_to_what_is_held() {
        let mut dataset = samples::quiet().datasets.remove(0);
        let mut said = |held, holds: &[(&str, u64)]| {
            dataset.left.held = held;
            dataset.holds = holds.iter().map(|(hold, rows)| HeldBy { hold: (*hold).into(), rows: *rows }).collect();
            left(&dataset, "a").iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(said(12, &[("case-114", 12)]), "12 kept: hold `case-114`");
        assert_eq!(said(12, &[]), "12 kept: legal hold");
        assert_eq!(said(12, &[("a", 5)]), "5 kept: hold `a`; 7 kept: other holds");
        assert_eq!(
            said(6, &[("a", 5), ("b", 5)]),
            "5 kept: hold `a`; 5 kept: hold `b`; 6 kept in all: some rows are under more than one hold"
        );
    }

    #[test]
    fn a_guard_says_how_it_is_approved() {
        let report = samples::guarded();
        let line = &left(&report.datasets[0], &report.job)[0];
        let help = line.help.as_ref().unwrap();
        assert!(
            help.contains(
                "`steward plan archive-consumption --out FILE`, then `steward run-job archive-consumption --plan FILE`"
            )
        );
    }

    #[test]
    fn a_dry_run_foresees_what_is_due_less_what_stays() {
        assert_eq!(would(&samples::observed().datasets[0]), Some(1_204));
        assert_eq!(would(&samples::guarded().datasets[0]), Some(0));
        let report = samples::observed();
        assert_eq!(
            done(&report.datasets[0], &report)[0].to_string(),
            "1,204 would be archived: older than 2 years, to `core.orders_archive`"
        );
    }

    #[test]
    fn a_removal_that_is_not_the_archiving_is_told_apart() {
        let mut report = samples::done();
        report.datasets[0].counts = samples::archived(1_204, 0, 1_200);
        let said: Vec<String> = done(&report.datasets[0], &report).iter().map(ToString::to_string).collect();
        assert_eq!(said[1], "1,200 removed: older than 2 years");
        report.presentation = &samples::REMOVING;
        report.datasets[0].counts = Counts::from([("removed", 1_200)]);
        assert_eq!(done(&report.datasets[0], &report)[0].to_string(), "1,200 removed: older than 2 years");
    }
}
