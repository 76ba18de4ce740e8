//! A report on a terminal, 80 columns wide: headline, a table, the lines, where the rest is.

use super::format::{instant, known, plain};
use super::lines::{self, Line, Tone};
use super::run::RunReport;
use super::view_model::{DatasetModel, ViewModel};
use super::views;
use anstyle::{AnsiColor, Style as Paint};
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table};
use std::fmt::Write;

/// Columns of a terminal nobody has widened.
const WIDTH: u16 = 80;

/// Whether the text may hold colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// Text alone: a file, a pipe, a mail.
    #[default]
    Plain,
    /// ANSI colours.
    Color,
}

/// The report of one run, as `run-job` prints it. Ends with a line end.
pub fn run(report: &RunReport, style: Style) -> String {
    let model = ViewModel::of(report);
    let mut text = head(&model, style);
    body(&mut text, &model, style);
    foot(&mut text, report);
    text
}

/// What `plan` prints: what is due, how much, how old, which index finds it, what stands in the way.
pub fn plan(reports: &[RunReport], style: Style) -> String {
    let mut text = String::new();
    for report in reports {
        let model = ViewModel::of(report);
        text.push_str(&head(&model, style));
        body(&mut text, &model, style);
        text.push_str(&format!("as of {}\n\n", instant(report.as_of)));
    }
    text.push_str(if reports.is_empty() { "no job to plan\n" } else { "a plan: nothing was touched\n" });
    text
}

/// `archive-orders  done  1,204 archived, 12 kept by holds  (4.2 s)`, and loudly below when nothing was touched.
fn head(model: &ViewModel<'_>, style: Style) -> String {
    let headline = &model.headline;
    let verdict = paint(style, headline.tone, &headline.verdict.to_uppercase());
    let took = headline.took.as_ref().map(|took| format!(" ({took})")).unwrap_or_default();
    let mut text = format!("{}  {verdict}{took}\n{}\n", plain(&model.report.job), headline.sentence);
    if let Some(untouched) = headline.untouched.filter(|_| model.report.outcome.is_some()) {
        let _ = writeln!(text, "{}", paint(style, Tone::Warn, &format!("*** {} ***", untouched.to_uppercase())));
    }
    text
}

fn body(text: &mut String, model: &ViewModel<'_>, style: Style) {
    if let Some(table) = if model.report.refreshes() { table_of_views(model) } else { table(model) } {
        let _ = writeln!(text, "\n{table}");
        text.extend(model.datasets.rest().map(|rest| format!("{rest}, in the report's JSON\n")));
    }
    section(text, "the run", model.lines.iter().chain(&model.settled.items), model.settled.rest(), style);
    for dataset in &model.datasets.items {
        let name = format!(
            "{} (policy {}){}",
            plain(&dataset.dataset.dataset),
            plain(&dataset.dataset.policy),
            found_by(dataset, model)
        );
        section(text, &name, dataset.lines(), dataset.reasons.rest().map(|rest| format!("{rest} reasons")), style);
    }
    checks(text, model, style);
    text.push('\n');
}

/// What checks saw by owner, then what could not be answered. A plan shows what each would ask.
fn checks(text: &mut String, model: &ViewModel<'_>, style: Style) {
    let (checks, alone) = (&model.checks, model.checks.owners.len() < 2);
    for (at, owner) in checks.owners.iter().enumerate() {
        let lines = owner.lines(model.report.outcome.is_none());
        let title = if alone && owner.owner.is_none() { "checks".to_owned() } else { format!("checks of {}", owner.name()) };
        let rest = checks.rest().filter(|_| at + 1 == checks.owners.len());
        section(text, &title, lines.iter(), rest, style);
    }
    section(text, "what could not be answered", checks.unanswered.iter(), None, style);
}

/// Which index finds the rows, and the oldest of them: what a plan is read for.
fn found_by(dataset: &DatasetModel<'_>, model: &ViewModel<'_>) -> String {
    let known = |label: &str, value: &Option<String>| value.as_ref().map(|value| format!(", {label} {}", plain(value)));
    match model.report.outcome {
        Some(_) => String::new(),
        None => {
            [known("oldest", &dataset.dataset.oldest), known("index", &dataset.dataset.index)].into_iter().flatten().collect()
        }
    }
}

fn section<'a>(text: &mut String, title: &str, lines: impl Iterator<Item = &'a Line>, rest: Option<String>, style: Style) {
    let lines: Vec<&Line> = lines.collect();
    if lines.is_empty() {
        return;
    }
    let width = lines.iter().map(|line| line.figure().len()).max().unwrap_or(0);
    let _ = writeln!(text, "\n{title}");
    for line in lines {
        let figure = format!("{:>width$}", line.figure());
        let gap = if width == 0 { "" } else { " " };
        let _ = writeln!(text, "  {}{gap}{}", paint(style, line.tone, &figure), line.text);
        text.extend(line.help.iter().map(|help| format!("  {:width$}{gap}  {help}\n", "")));
    }
    text.extend(rest.map(|rest| format!("  {rest}\n")));
}

fn foot(text: &mut String, report: &RunReport) {
    let run = report.run.as_ref().map(|run| format!(", run {}", plain(run))).unwrap_or_default();
    let _ = writeln!(text, "as of {}{run}", instant(report.as_of));
    text.extend([lines::started(report), lines::approved(report)].into_iter().flatten().map(|line| line + "\n"));
    text.extend(report.ledger_head.as_ref().map(|head| format!("ledger head {}\n", plain(head))));
    let html = report.report.as_ref().and_then(|delivery| delivery.html.as_ref());
    text.extend(html.map(|html| format!("report {}\n", plain(html))));
}

/// One row per view. A plan knows of no rows; how long each took stands in its line.
fn table_of_views(model: &ViewModel<'_>) -> Option<String> {
    let shown = if model.report.is_prospect() { 2 } else { 4 };
    let rows: Vec<Vec<String>> =
        model.datasets.items.iter().map(|view| views::row(view.dataset, model.report)[..shown].to_vec()).collect();
    (!rows.is_empty()).then(|| laid_out(&views::HEADS[..shown], rows, 2))
}

/// One row per dataset. A column nobody has a number for is not there, and without columns there is no table.
fn table(model: &ViewModel<'_>) -> Option<String> {
    type Column<'a> = (&'a str, Box<dyn Fn(&DatasetModel<'_>) -> Option<u64> + 'a>);
    let prospect = model.report.is_prospect();
    let mut columns: Vec<Column<'_>> = vec![
        ("due", Box::new(|model| model.dataset.due)),
        ("would go", Box::new(move |model| super::lines::would(model.dataset).filter(|_| prospect))),
        ("kept", Box::new(|model| model.dataset.held())),
        ("left", Box::new(|model| model.dataset.stayed())),
        ("overdue", Box::new(|model| model.dataset.overdue())),
    ];
    let done = super::columns::columns(model.report).into_iter().filter(|_| !prospect);
    columns.splice(2..2, done.map(|done| -> Column<'_> { (done.head, Box::new(move |model| done.count(model.dataset))) }));
    let shown = |column: &&Column<'_>| model.datasets.items.iter().any(|dataset| column.1(dataset).is_some());
    let columns: Vec<&Column<'_>> = columns.iter().filter(shown).collect();
    if columns.is_empty() {
        return None;
    }
    let heads: Vec<&str> = std::iter::once("dataset").chain(columns.iter().map(|column| column.0)).collect();
    let row = |dataset: &DatasetModel<'_>| {
        let figures = columns.iter().map(|column| known(column.1(dataset)));
        std::iter::once(dataset.dataset.dataset.clone()).chain(figures).collect()
    };
    Some(laid_out(&heads, model.datasets.items.iter().map(row).collect(), 1))
}

/// A table as wide as a terminal; the first column may break after dots, and those behind the first few hold numbers.
fn laid_out(heads: &[&str], rows: Vec<Vec<String>>, words: usize) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    table.set_header(heads);
    for row in rows {
        let cells = row.iter().enumerate().map(|(at, text)| if at == 0 { breakable(text) } else { text.clone() });
        table.add_row(cells.map(Cell::new));
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if at == 0 {
            column.set_delimiter(BREAK);
        } else if at >= words {
            column.set_cell_alignment(CellAlignment::Right);
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.trim_fmt().replace(BREAK, "")
}

/// A place where a name may go on in the next line, invisible and taken out again.
const BREAK: char = '\u{200b}';

/// A name that breaks after its dots, and keeps them.
fn breakable(name: &str) -> String {
    plain(name).replace(BREAK, "").replace('.', &format!(".{BREAK}"))
}

fn paint(style: Style, tone: Tone, text: &str) -> String {
    let color = match tone {
        Tone::Good => AnsiColor::Green,
        Tone::Kept => AnsiColor::Magenta,
        Tone::Note => AnsiColor::Cyan,
        Tone::Warn => AnsiColor::Yellow,
        Tone::Bad => AnsiColor::Red,
    };
    let paint = Paint::new().fg_color(Some(color.into())).bold();
    match style {
        Style::Plain => text.to_owned(),
        Style::Color => format!("{paint}{text}{paint:#}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn texts_read_as_they_were_agreed() {
        let agreed = [
            (samples::done(), include_str!("testdata/done.txt")),
            (samples::guarded(), include_str!("testdata/guarded.txt")),
            (samples::partial(), include_str!("testdata/partial.txt")),
            (samples::observed(), include_str!("testdata/observed.txt")),
            (samples::settled(), include_str!("testdata/settled.txt")),
            (samples::found(), include_str!("testdata/found.txt")),
            (samples::swept(), include_str!("testdata/swept.txt")),
            (samples::refreshed(), include_str!("testdata/refreshed.txt")),
        ];
        for (report, agreed) in agreed {
            assert_eq!(run(&report, Style::Plain), agreed);
        }
        assert_eq!(plan(&[samples::planned()], Style::Plain), include_str!("testdata/plan.txt"));
    }

    #[test]
    fn colour_is_there_when_asked_for_and_changes_no_word() {
        let (bare, coloured) = (run(&samples::partial(), Style::Plain), run(&samples::partial(), Style::Color));
        assert!(!bare.contains('\u{1b}') && coloured.contains('\u{1b}'));
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), bare);
    }

    #[test]
    fn the_table_fits_a_terminal() {
        for (name, report) in samples::all() {
            let model = ViewModel::of(&report);
            for line in table(&model).unwrap_or_default().lines() {
                let wide = line.chars().filter(|c| !c.is_ascii()).count();
                assert!(line.chars().count() + wide <= usize::from(WIDTH) + 2 * wide, "{name}: {line}");
            }
        }
    }

    #[test]
    fn nothing_to_plan_is_said() {
        assert_eq!(plan(&[], Style::Plain), "no job to plan\n");
    }
}
