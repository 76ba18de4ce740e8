//! The page: one file that needs nothing else, read in a minute, printed as it stands.

use super::figures::{self, count, instant, known, plain, short_hash, short_run};
use super::lines;
use super::run::{DatasetReport, RunReport};
use super::told::{self, DatasetTold, Told, shares};
use super::write::stem;
use askama::Template;
use chrono::{DateTime, Utc};
use std::borrow::Borrow;

/// The object is put into the page up to this size; beyond, it stands in the file beside.
const EMBEDDED: usize = 256 * 1024;

/// The page's template.
#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    told: &'a Told<'a>,
    report: &'a RunReport,
    /// JSON with `<`, `>` and `&` spelled out: nothing in it can end the element it stands in.
    object: String,
    object_file: String,
    complete: bool,
}

/// Renders the page.
pub fn page(report: &RunReport) -> Result<String, askama::Error> {
    let told = Told::of(report);
    let (object, complete) = embedded(report);
    Page { told: &told, report, object, object_file: format!("{}.json", stem(report)), complete }.render()
}

/// The object for the page, and whether it is the whole one.
fn embedded(report: &RunReport) -> (String, bool) {
    let whole = serde_json::to_string(report).unwrap_or_default();
    if whole.len() <= EMBEDDED {
        return (inert(&whole), true);
    }
    let mut head = report.clone();
    (head.datasets, head.findings, head.reasons, head.settled) = (vec![], vec![], vec![], vec![]);
    (inert(&serde_json::to_string(&head).unwrap_or_default()), false)
}

/// JSON that no HTML parser can leave: the three characters it would look for are written as escapes.
fn inert(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
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
        format!("{} {}", plain(&self.report.job), self.told.headline.verdict)
    }

    fn run_short(&self) -> String {
        self.report.run.as_deref().map(short_run).unwrap_or_default()
    }

    fn head_short(&self) -> String {
        self.report.ledger_head.as_deref().map(short_hash).unwrap_or_default()
    }

    /// The four numbers people look for, each with its name and tone.
    fn tiles(&self) -> Vec<(String, &'static str, &'static str)> {
        let sums = &self.told.sums;
        let acted = match (self.report.is_prospect(), self.report.removes_only()) {
            (true, true) => (count(sums.would), "would be removed", "note"),
            (true, false) => (count(sums.would), "would be archived", "note"),
            (false, true) => (count(sums.removed), "removed", "good"),
            (false, false) => (count(sums.archived), "archived", "good"),
        };
        let tone = |rows: u64, tone| if rows == 0 { "none" } else { tone };
        let acted = if acted.0 == "0" { (acted.0, acted.1, "none") } else { acted };
        vec![
            acted,
            (count(sums.held), "kept by holds", tone(sums.held, "kept")),
            (count(sums.left), "left, with a reason", tone(sums.left, "warn")),
            (count(sums.overdue), "overdue now", tone(sums.overdue, "warn")),
        ]
    }

    /// Datasets with something overdue.
    fn debts(&self) -> Vec<&DatasetReport> {
        self.told.datasets.items.iter().map(|told| told.dataset).filter(|dataset| dataset.debt.rows > 0).collect()
    }

    /// True when a guard waits for a person.
    fn guarded(&self) -> bool {
        self.told.sums.guarded > 0
    }

    fn head_full(&self) -> String {
        self.report.ledger_head.as_deref().map(plain).unwrap_or_default()
    }

    fn has_queries(&self) -> bool {
        self.told.datasets.items.iter().any(|told| told.dataset.query.is_some())
    }

    /// A query keeps its lines; it is long, and is bounded like every foreign text.
    fn query(&self, query: &str) -> String {
        query.lines().take(40).map(plain).collect::<Vec<_>>().join("\n")
    }

    fn has_holds(&self) -> bool {
        self.told.datasets.items.iter().any(|told| !told.dataset.holds.is_empty())
    }

    /// The parts of a bar, laid side by side on a width of 1000.
    fn bar(&self, dataset: &DatasetTold<'_>) -> Vec<Segment> {
        let mut x = 0;
        let parts = dataset.parts.iter().zip(shares(&dataset.parts));
        parts
            .map(|(part, width)| {
                let segment = Segment { kind: part.kind, label: part.label, rows: part.rows, x, width };
                x += width;
                segment
            })
            .collect()
    }

    /// The bar in words, for whoever does not see it.
    fn bar_said(&self, dataset: &DatasetTold<'_>) -> String {
        let parts: Vec<String> = dataset.parts.iter().map(|part| format!("{} {}", count(part.rows), part.label)).collect();
        parts.join(", ")
    }

    /// What is known of a dataset beside its counts: the period, the cutoff, the owner.
    fn facts(&self, dataset: &DatasetReport) -> String {
        let facts = [
            Some(format!("policy {}", plain(&dataset.policy))),
            dataset.period.as_ref().map(|period| format!("older than {}", plain(period))),
            dataset.cutoff.map(|cutoff| format!("dated before {}", instant(cutoff))),
            dataset
                .total
                .map(|total| format!("{}{} rows in all", if dataset.total_is_estimate { "about " } else { "" }, count(total))),
            dataset.owner.as_ref().map(|owner| format!("answers for it: {}", plain(owner))),
        ];
        facts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

/// A part of a bar and its place.
struct Segment {
    kind: &'static str,
    label: &'static str,
    rows: u64,
    x: u64,
    width: u64,
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    /// Writes every sample to `target/reports/`, to be looked at.
    #[test]
    fn samples_are_written_to_be_looked_at() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/reports");
        std::fs::create_dir_all(&folder).unwrap();
        for (name, report) in samples::all() {
            std::fs::write(folder.join(format!("{name}.html")), page(&report).unwrap()).unwrap();
            std::fs::write(
                folder.join(format!("{name}.txt")),
                super::super::text::run(&report, super::super::text::Style::Plain),
            )
            .unwrap();
        }
        std::fs::write(
            folder.join("plan.txt"),
            super::super::text::plan(&[samples::planned(), samples::observed()], super::super::text::Style::Plain),
        )
        .unwrap();
    }
}
