//! What a report tells of views: each is fresh or it is not, and nothing in it is due, kept or overdue.

use super::columns::Tile;
use super::format::{count, known, plain, plural, took};
use super::run::{DatasetReport, Refresh, RunReport};
use chrono::TimeDelta;

/// The heads of a table of views.
pub const HEADS: [&str; 5] = ["view", "what became of it", "rows before", "rows after", "took"];

/// What became of a view, and what it looks like beside others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    Refreshed,
    WouldBe,
    LeftAsItIs,
    NotRefreshed,
}

fn came(view: &DatasetReport, report: &RunReport) -> Came {
    match (view.counts.done(), view.due) {
        (1.., _) => Came::Refreshed,
        (_, Some(0)) => Came::LeftAsItIs,
        (_, Some(_)) if report.is_prospect() => Came::WouldBe,
        _ => Came::NotRefreshed,
    }
}

/// A row under [`HEADS`].
pub fn row(view: &DatasetReport, report: &RunReport) -> [String; 5] {
    let word = match (came(view, report), &view.refresh) {
        (Came::Refreshed, Some(refresh)) => format!("refreshed {}", plain(&refresh.how)),
        (Came::Refreshed, None) => "refreshed".to_owned(),
        (Came::WouldBe, _) => "would be refreshed".to_owned(),
        (Came::LeftAsItIs, _) => "left as it is".to_owned(),
        (Came::NotRefreshed, _) => "not refreshed".to_owned(),
    };
    let refresh = view.refresh.as_ref();
    let time = refresh.map_or_else(|| known(None), time);
    [
        plain(&view.dataset),
        word,
        known(refresh.and_then(|refresh| refresh.rows_before)),
        known(refresh.and_then(|refresh| refresh.rows_after)),
        time,
    ]
}

/// `refreshed concurrently: 48,002 rows before, 48,211 after (4.2 s)`. What was left as it is says why in a line of its own.
pub(super) fn done(view: &DatasetReport, report: &RunReport) -> Option<String> {
    Some(match (came(view, report), &view.refresh) {
        (Came::Refreshed, Some(refresh)) => {
            let rows = match (refresh.rows_before, refresh.rows_after) {
                (Some(before), Some(after)) => format!("{} before, {} after", plural(before, "row"), count(after)),
                (None, Some(after)) => plural(after, "row"),
                (_, None) => "its rows could not be counted".to_owned(),
            };
            format!("refreshed {}: {rows} ({})", plain(&refresh.how), time(refresh))
        }
        (Came::Refreshed, None) => "refreshed".to_owned(),
        (Came::WouldBe, _) => "would be refreshed".to_owned(),
        (Came::LeftAsItIs | Came::NotRefreshed, _) => return None,
    })
}

/// The numbers people look for, each with its name and tone.
pub(super) fn tiles(report: &RunReport) -> Vec<Tile> {
    let number = |wanted: Came| report.datasets.iter().filter(|view| came(view, report) == wanted).count() as u64;
    let tile =
        |wanted, what: &str, tone| (count(number(wanted)), what.to_owned(), if number(wanted) == 0 { "none" } else { tone });
    let acted = match report.is_prospect() {
        true => tile(Came::WouldBe, "would be refreshed", "note"),
        false => tile(Came::Refreshed, "refreshed", "good"),
    };
    let mut tiles =
        vec![acted, tile(Came::LeftAsItIs, "left as they are", "note"), tile(Came::NotRefreshed, "not refreshed", "bad")];
    let spent = report.datasets.iter().filter_map(|view| view.refresh.as_ref()).map(|refresh| refresh.took_ms);
    let spent = spent.fold(0, u64::saturating_add);
    tiles.extend(
        (!report.is_prospect())
            .then(|| (duration(spent), "spent refreshing".to_owned(), if spent == 0 { "none" } else { "note" })),
    );
    tiles
}

fn time(refresh: &Refresh) -> String {
    duration(refresh.took_ms)
}

fn duration(ms: u64) -> String {
    took(TimeDelta::milliseconds(i64::try_from(ms).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::super::html::page;
    use super::super::samples;
    use super::super::text::{self, Style};
    use super::*;

    #[test]
    fn a_page_of_views_tells_rows_and_times_and_nothing_that_views_have_not() {
        let page = page(&samples::refreshed()).unwrap();
        for part in [
            "refreshed concurrently: 48,002 rows before, 48,211 after (4.2 s)",
            "rows before",
            "not refreshed",
            "left as they are",
        ] {
            assert!(page.contains(part), "{part}");
        }
        let seen = page.split("<script").next().unwrap();
        for part in ["overdue", "kept by", "would go", "<th class=\"r\">due", "class=\"bar\""] {
            assert!(!seen.contains(part), "{part}");
        }
        let text = text::run(&samples::refreshed(), Style::Plain);
        assert!(!text.contains("overdue") && !text.contains("kept"), "{text}");
    }

    #[test]
    fn a_plan_says_what_would_become_of_each() {
        let mut plan = RunReport { outcome: None, run: None, ended: None, started: None, ..samples::refreshed() };
        plan.datasets.iter_mut().for_each(|view| (view.counts, view.refresh) = (Default::default(), None));
        let came: Vec<String> = plan.datasets.iter().map(|view| row(view, &plan)[1].clone()).collect();
        assert_eq!(came, ["would be refreshed", "would be refreshed", "left as it is", "not refreshed"]);
        assert_eq!(tiles(&plan).len(), 3);
    }

    #[test]
    fn a_view_whose_rows_nobody_could_count_says_so() {
        let mut report = samples::refreshed();
        report.datasets[0].refresh =
            Some(Refresh { how: "concurrently".into(), took_ms: 100, rows_before: Some(3), rows_after: None });
        let line = done(&report.datasets[0], &report).unwrap();
        assert_eq!(line, "refreshed concurrently: its rows could not be counted (0.1 s)");
    }
}
