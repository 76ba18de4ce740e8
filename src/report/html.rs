//! The page: one file that needs nothing else, read in a minute, printed as it stands.

use super::columns::{self, CountColumn, Tile};
use super::format::{self, count, instant, known, plain, plain_to, short_hash, short_run};
use super::lines;
use super::run::{DatasetReport, RunReport};
use super::view_model::{DatasetModel, ViewModel, shares};
use super::views;
use askama::Template;
use chrono::{DateTime, Utc};
use std::borrow::Borrow;
use std::io::{self, Write};

/// The object is put into the page up to this size; beyond, it stands in the file beside.
const EMBEDDED: usize = 256 * 1024;

/// Characters of a query at most.
const LONGEST_QUERY: usize = 4_000;

/// The page's template.
#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    model: &'a ViewModel<'a>,
    report: &'a RunReport,
    /// JSON with `<`, `>` and `&` spelled out: nothing in it can end the element it stands in.
    object: String,
    object_file: String,
    complete: bool,
}

/// Renders the page.
pub fn page(report: &RunReport) -> Result<String, askama::Error> {
    let model = ViewModel::of(report);
    let (object, complete) = embedded(report);
    Page { model: &model, report, object, object_file: format!("{}.json", report.stem()), complete }.render()
}

/// The object for the page, and whether it is the whole one.
fn embedded(report: &RunReport) -> (String, bool) {
    let mut whole = Bounded(vec![]);
    if serde_json::to_writer(&mut whole, report).is_ok() {
        return (inert(&String::from_utf8_lossy(&whole.0)), true);
    }
    let head = serde_json::json!({
        "run": report.run, "job": report.job, "action": report.action, "mode": report.mode, "dry_run": report.dry_run,
        "outcome": report.outcome, "exit": report.exit, "as_of": report.as_of, "ledger_head": report.ledger_head,
    });
    (inert(&head.to_string()), false)
}

/// Takes bytes up to a bound, so that a huge object is given up early.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > EMBEDDED {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// JSON that no HTML parser can leave, and no reader is misled by: what one would look for, or obey, is written as an escape.
fn inert(json: &str) -> String {
    let mut inert = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' => inert.push_str(&format!("\\u{:04x}", u32::from(c))),
            c if format::turns_direction(c) => inert.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => inert.push(c),
        }
    }
    inert
}

/// Templates hand over a value or a reference as they please; these take either.
impl Page<'_> {
    fn count(&self, rows: impl Borrow<u64>) -> String {
        count(*rows.borrow())
    }

    fn known(&self, rows: impl Borrow<Option<u64>>) -> String {
        known(*rows.borrow())
    }

    fn instant(&self, at: impl Borrow<DateTime<Utc>>) -> String {
        instant(*at.borrow())
    }
}

/// What the page asks for beside the told report.
impl Page<'_> {
    fn title(&self) -> String {
        format!("{} {}", plain(&self.report.job), self.model.headline.verdict)
    }

    fn run_short(&self) -> String {
        self.report.run.as_deref().map(short_run).unwrap_or_default()
    }

    fn head_short(&self) -> String {
        self.report.ledger_head.as_deref().map(short_hash).unwrap_or_default()
    }

    /// The columns of what was done.
    fn columns(&self) -> Vec<CountColumn<'_>> {
        columns::columns(self.report)
    }

    /// The four numbers people look for, each with its name and tone.
    fn tiles(&self) -> Vec<Tile> {
        if self.report.inspects() {
            return self.check_tiles();
        }
        if self.report.refreshes() {
            return views::tiles(self.report);
        }
        let totals = &self.model.totals;
        let said = self.report.presentation;
        // A notice is about no run: there is nothing to count.
        let Some(main) = said.main else { return vec![] };
        let acted = match (self.report.is_prospect(), said.staying().filter(|_| totals.would_stay > 0)) {
            (true, Some(apart)) => (count(totals.would), format!("{}, or {}", main.would, apart.would), "note"),
            (true, None) => (count(totals.would), main.would.to_owned(), "note"),
            (false, _) => (count(CountColumn::from(main).sum(self.report)), main.done.to_owned(), "good"),
        };
        if self.report.datasets.iter().all(|dataset| dataset.due.is_none()) {
            let unknown = |what: &str| ("–".to_owned(), what.to_owned(), "none");
            return vec![unknown(&acted.1), unknown("kept by holds"), unknown("left, with a reason"), unknown("overdue now")];
        }
        let tone = |rows: u64, tone| if rows == 0 { "none" } else { tone };
        let acted = if acted.0 == "0" { (acted.0, acted.1, "none") } else { acted };
        vec![
            acted,
            (count(totals.held), "kept by holds".to_owned(), tone(totals.held, "kept")),
            (count(totals.left), "left, with a reason".to_owned(), tone(totals.left, "warn")),
            (count(totals.overdue), "overdue now".to_owned(), tone(totals.overdue, "warn")),
        ]
    }

    fn check_tiles(&self) -> Vec<Tile> {
        let totals = self.model.checks.totals;
        let tile = |number: u64, what: &str, tone| (count(number), what.to_owned(), if number == 0 { "none" } else { tone });
        vec![
            tile(totals.failed, "failed", "bad"),
            tile(totals.warned, "with a warning", "warn"),
            tile(totals.passed, "passed", "good"),
            tile(totals.unanswered, "unanswered", "warn"),
        ]
    }

    /// Datasets with something overdue.
    fn debts(&self) -> Vec<&DatasetReport> {
        if self.refreshes() {
            return vec![];
        }
        self.model
            .datasets
            .items
            .iter()
            .map(|model| model.dataset)
            .filter(|dataset| dataset.overdue().is_some_and(|rows| rows > 0))
            .collect()
    }

    /// The oldest overdue row's clock.
    fn oldest(&self, dataset: &DatasetReport) -> String {
        let oldest = dataset.debt.as_ref().and_then(|debt| debt.oldest.as_ref());
        oldest.map_or_else(|| "–".to_owned(), |oldest| format::plain(oldest).to_string())
    }

    /// Who started the run, and under which plan.
    fn origin(&self) -> Vec<String> {
        [lines::started(self.report), lines::approved(self.report)].into_iter().flatten().collect()
    }

    /// True when a guard waits for a person.
    fn guarded(&self) -> bool {
        self.model.totals.guarded > 0
    }

    fn head_full(&self) -> String {
        self.report.ledger_head.as_deref().map(plain).unwrap_or_default()
    }

    fn has_queries(&self) -> bool {
        self.model.datasets.items.iter().any(|model| model.dataset.query.is_some())
    }

    /// True where views are refreshed: their query counts the rows in them, and no rows that are due.
    fn refreshes(&self) -> bool {
        self.report.refreshes()
    }

    fn views(&self) -> Vec<[String; 5]> {
        self.model.datasets.items.iter().map(|model| views::row(model.dataset, self.report)).collect()
    }

    /// What a guard left alone.
    fn guarded_noun(&self) -> &'static str {
        let mut guarded = self.report.datasets.iter().filter(|dataset| dataset.left.guarded > 0);
        if guarded.all(DatasetReport::is_of_keys) { "keys" } else { "rows" }
    }

    /// A query keeps its lines, and is shown whole or not at all: half a query counts something else.
    fn query(&self, query: &str) -> String {
        if query.chars().count() > LONGEST_QUERY {
            return format!("too long for a page: it is in {}", self.object_file);
        }
        query.lines().map(|line| plain_to(line, LONGEST_QUERY)).collect::<Vec<_>>().join("\n")
    }

    fn has_holds(&self) -> bool {
        self.model.datasets.items.iter().any(|model| !model.dataset.holds.is_empty())
    }

    /// The parts of a bar, laid side by side on a width of 1000.
    fn bar(&self, dataset: &DatasetModel<'_>) -> Vec<Segment> {
        let mut x = 0;
        let parts = dataset.parts.iter().zip(shares(&dataset.parts));
        parts
            .map(|(part, width)| {
                let segment = Segment { kind: part.kind, label: part.label.clone(), rows: part.rows, x, width };
                x += width;
                segment
            })
            .collect()
    }

    /// The bar in words, for whoever does not see it.
    fn bar_said(&self, dataset: &DatasetModel<'_>) -> String {
        let parts: Vec<String> = dataset.parts.iter().map(|part| format!("{} {}", count(part.rows), part.label)).collect();
        parts.join(", ")
    }

    /// What is known of a dataset beside its counts: the period, the cutoff, the owner.
    fn facts(&self, dataset: &DatasetReport) -> String {
        // A view is one view, and a key has no date.
        let (views, keys) = (self.refreshes(), dataset.is_of_keys());
        let about = if dataset.total_is_estimate { "about " } else { "" };
        let period = dataset.period.as_ref().filter(|_| !views);
        let facts = [
            Some(format!("policy {}", plain(&dataset.policy))),
            period.map(|period| if keys { plain(period) } else { format!("older than {}", plain(period)) }),
            dataset.cutoff.filter(|_| !views && !keys).map(|cutoff| format!("dated before {}", instant(cutoff))),
            dataset.total.filter(|_| !views).map(|total| format!("{about}{} {} in all", count(total), dataset.noun())),
            dataset.owner.as_ref().map(|owner| format!("owner {}", plain(owner))),
        ];
        facts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

/// A part of a bar and its place.
struct Segment {
    kind: &'static str,
    label: String,
    rows: u64,
    x: u64,
    width: u64,
}

#[cfg(test)]
mod tests {
    use super::super::mail::html_part;
    use super::super::samples;
    use super::super::text::{self, Style};
    use super::*;

    /// Writes every sample to `target/reports/`, to be looked at.
    #[test]
    fn samples_are_written_to_be_looked_at() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/reports");
        std::fs::create_dir_all(&folder).unwrap();
        for (name, report) in samples::all() {
            std::fs::write(folder.join(format!("{name}.html")), page(&report).unwrap()).unwrap();
            std::fs::write(folder.join(format!("mail-{name}.html")), html_part(&report).unwrap()).unwrap();
            std::fs::write(folder.join(format!("{name}.txt")), text::run(&report, Style::Plain)).unwrap();
        }
        let plans = [samples::planned()];
        std::fs::write(folder.join("plan.txt"), text::plan(&plans, Style::Plain)).unwrap();
    }

    #[test]
    fn hostile_strings_are_inert() {
        let report = samples::hostile();
        let (page, letter) = (page(&report).unwrap(), html_part(&report).unwrap());
        for html in [&page, &letter] {
            assert!(!html.contains("<img") && !html.contains('\u{202e}') && !html.contains('\u{1b}'));
        }
        assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (1, 1));
        assert!(!letter.contains("<script") && !letter.contains("</script"));
        assert!(!text::run(&report, Style::Plain).contains(['\u{1b}', '\r', '\u{202e}']));
    }

    #[test]
    fn the_object_in_the_page_reads_back_as_it_was() {
        let report = samples::hostile();
        let page = page(&report).unwrap();
        let object = page.split_once("data-complete=\"true\">").unwrap().1.split_once("</script>").unwrap().0;
        let read: serde_json::Value = serde_json::from_str(object).unwrap();
        assert_eq!(read, serde_json::to_value(&report).unwrap());
    }

    #[test]
    fn the_page_needs_nothing_else() {
        for (_, report) in samples::all() {
            let page = page(&report).unwrap();
            assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'"));
            for outside in ["http:", "https:", " href=", "url(", "@import", "<link", "<iframe"] {
                assert!(!page.contains(outside), "{outside}");
            }
        }
    }

    #[test]
    fn a_huge_report_is_a_small_page_in_time() {
        let report = samples::huge(10_000, 5_000, 5_000);
        let began = std::time::Instant::now();
        let (page, letter, text) = (page(&report).unwrap(), html_part(&report).unwrap(), text::run(&report, Style::Plain));
        assert!(began.elapsed() < std::time::Duration::from_secs(2), "{:?}", began.elapsed());
        assert!(
            page.len() < 1_000_000 && letter.len() < 1_000_000 && text.len() < 500_000,
            "{} {} {}",
            page.len(),
            letter.len(),
            text.len()
        );
        assert!(page.contains("and 9,900 more") && page.contains("and 4,900 more") && page.contains("data-complete=\"false\""));
        assert!(page.contains("core.table_9999"), "the one with trouble comes first");
    }

    #[test]
    fn five_thousand_checks_are_a_small_page_in_time() {
        let report = samples::many_checks(5_000);
        let began = std::time::Instant::now();
        let (page, letter, text) = (page(&report).unwrap(), html_part(&report).unwrap(), text::run(&report, Style::Plain));
        assert!(began.elapsed() < std::time::Duration::from_secs(2), "{:?}", began.elapsed());
        assert!(page.len() < 1_000_000 && letter.len() < 1_000_000, "{} {}", page.len(), letter.len());
        assert!(page.contains("and 900 more") && text.contains("and 900 more"), "what is not shown is counted");
        assert!(page.contains("check-4990") || page.contains("check-0"), "the failed ones are named");
    }

    #[test]
    fn what_a_check_saw_is_on_the_page_with_its_line_and_its_query_under_a_fold() {
        let page = page(&samples::found()).unwrap();
        for part in
            ["41 of 5,000 (0.82 %)", "▲ 3", "since 3 nights", "<polyline points=", "<details><summary>", "What could not be"]
        {
            assert!(page.contains(part), "{part}");
        }
        let letter = html_part(&samples::found()).unwrap();
        assert!(!letter.contains("<svg") && letter.contains("store <code"), "mail programs drop drawings");
    }

    #[test]
    fn a_query_is_shown_whole_or_not_at_all() {
        let mut report = samples::done();
        report.datasets[0].query = Some(format!("SELECT count(*) FROM t WHERE id NOT IN ({}0)", "42, ".repeat(500)));
        assert!(page(&report).unwrap().contains("42, 0)</code>"));
        report.datasets[0].query = Some("x".repeat(4_001));
        assert!(page(&report).unwrap().contains("too long for a page: it is in 20261120T181500Z-archive-orders-1e2fbeef.json"));
    }

    #[test]
    fn every_number_has_the_query_that_counts_it_again_and_the_head_stands_in_full() {
        let report = samples::done();
        let page = page(&report).unwrap();
        assert!(page.contains("SELECT count(*) FROM core.orders\nWHERE created_at &#60; "));
        assert!(page.contains(report.ledger_head.as_ref().unwrap()) && page.contains(report.run.as_ref().unwrap()));
    }
}
