//! What the demo prints: numbered steps, and under each a few aligned lines.

use super::audit::Accounted;
use super::faults::Compared;
use crate::job::outcome::Outcome;
use crate::report::format::count;
use crate::report::run::RunReport;
use crate::report::view_model::ViewModel;
use anstyle::{AnsiColor, Style};
use std::path::Path;

const STEP: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const QUIET: Style = Style::new().dimmed();

/// Begins a step.
pub(super) fn step(number: u8, what: &str) {
    anstream::println!("\n{STEP}{number}  {what}{STEP:#}");
}

/// Columns of a terminal nobody has widened.
const WIDTH: usize = 80;
const INDENT: usize = 3;

/// Lines under a step, the columns aligned; the last one goes on in the next line where it is too long.
pub(super) fn lines<const N: usize>(rows: &[[String; N]]) {
    for (before, last) in aligned(rows) {
        let indent = INDENT + before.chars().count();
        let mut said = format!("{:INDENT$}{before}", "");
        for (at, line) in wrapped(&last, WIDTH.saturating_sub(indent).max(30)).into_iter().enumerate() {
            if at > 0 {
                said.push_str(&format!("\n{:indent$}", ""));
            }
            said.push_str(&line);
        }
        anstream::println!("{}", said.trim_end());
    }
}

/// Every row as what stands before its last column, and the last column. A column of figures is set to the right.
fn aligned<const N: usize>(rows: &[[String; N]]) -> Vec<(String, String)> {
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let split = rows.iter().filter_map(|row| row.split_last());
    let has_figures = |at: usize| rows.iter().any(|row| row[at].starts_with(|c: char| c.is_ascii_digit()));
    let cell = |(at, cell): (usize, &String)| {
        let width = width(at);
        if has_figures(at) { format!("{cell:>width$}  ") } else { format!("{cell:<width$}  ") }
    };
    split.map(|(last, before)| (before.iter().enumerate().map(cell).collect(), last.clone())).collect()
}

/// A text in lines of at most so many characters, broken at spaces.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().filter(|line| line.is_empty() || line.chars().count() + 1 + word.chars().count() <= width);
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => line.push_str(&format!(" {word}")),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A line that explains, in the background.
pub(super) fn aside(text: &str) {
    anstream::println!("   {QUIET}{text}{QUIET:#}");
}

/// A plan or a run in one line, and the first thing to know about a refusal in another.
pub(super) fn jobs(reports: &[RunReport]) {
    let rows: Vec<[String; 3]> = reports.iter().map(job).collect();
    lines(&rows);
}

fn job(report: &RunReport) -> [String; 3] {
    let headline = ViewModel::of(report).headline;
    let verdict = if report.outcome.is_some() { headline.verdict } else { "" };
    let took = headline.took.filter(|_| report.outcome == Some(Outcome::Done)).map(|took| format!("  ({took})"));
    [report.job.clone(), verdict.to_owned(), format!("{}{}", headline.sentence, took.unwrap_or_default())]
}

/// Where every row of a table is: live, archived and removed add up to what there was.
pub(super) fn accounted(all: &[Accounted]) {
    let mut rows = vec![["", "at first", "live", "archived", "removed", ""].map(ToOwned::to_owned)];
    rows.extend(all.iter().map(|one| {
        let verdict = match (one.missing, one.surplus) {
            (0, 0) => "all as it should be".to_owned(),
            (missing, surplus) => format!("{missing} missing or altered, {surplus} too many"),
        };
        let archived = one.archived.map_or_else(|| "–".to_owned(), |rows| count(rows as u64));
        [one.table.clone(), count(one.began as u64), count(one.live as u64), archived, count(one.gone as u64), verdict]
    }));
    lines(&rows);
}

/// What each check found, and what is there.
pub(super) fn compared(all: &[Compared]) {
    let mut rows = vec![["", "found", "there", ""].map(ToOwned::to_owned)];
    rows.extend(all.iter().map(|one| {
        let found = one.found.map_or_else(|| "–".to_owned(), count);
        let verdict = if one.is_right() { "exactly" } else { "not the same" };
        [one.check.clone(), found, count(one.there), verdict.to_owned()]
    }));
    lines(&rows);
}

/// The last word.
pub(super) fn verdict(good: bool, text: &str) {
    let style = if good { GOOD } else { BAD };
    anstream::println!("\n{style}{}{style:#}", wrapped(text, WIDTH).join("\n"));
}

/// Paths and commands to go on with, under a word; never broken, so that they can be copied.
pub(super) fn section(word: &str, rows: &[[String; 2]]) {
    anstream::println!("\n{STEP}{word}{STEP:#}");
    for (before, last) in aligned(rows) {
        anstream::println!("{:INDENT$}{before}{last}", "");
    }
}

/// A path as people write it.
pub(super) fn path(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_long_texts_go_on_below() {
        let rows = [["a".to_owned(), "1,204".to_owned(), "x".to_owned()], ["long".to_owned(), "7".to_owned(), "y".to_owned()]];
        let told: Vec<String> = aligned(&rows).into_iter().map(|(before, last)| before + &last).collect();
        assert_eq!(told, ["a     1,204  x", "long      7  y"]);
        assert_eq!(wrapped("no word is lost or cut", 9), ["no word", "is lost", "or cut"]);
        assert_eq!(wrapped("unbreakable", 3), ["unbreakable"]);
    }
}
