//! A finding's life: what the check saw before, and since when it is as it is now.

use crate::ledger::finding::PastFinding;
use crate::report::finding::{Before, Finding, FindingOutcome, Since};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// Runs that are looked back at: as many as a line on a page can tell apart.
pub const RUNS: u32 = 20;

/// Notes on each finding what its check saw before. `past` is newest first, `now` when this run began.
///
/// A run in which the check was skipped saw nothing, so it neither begins nor ends anything.
pub fn remember(findings: &mut [Finding], past: &[PastFinding], now: DateTime<Utc>) {
    let mut of_check: HashMap<&str, Vec<&PastFinding>> = HashMap::new();
    for row in past {
        of_check.entry(row.check.as_str()).or_default().push(row);
    }
    for finding in findings {
        let rows = of_check.remove(finding.check.as_str()).unwrap_or_default();
        live_on(finding, &rows, now);
    }
}

fn live_on(finding: &mut Finding, past: &[&PastFinding], now: DateTime<Utc>) {
    let seen = |row: &&&PastFinding| outcome(row).is_some_and(|outcome| outcome != FindingOutcome::Skipped);
    let last = past.iter().find(seen);
    finding.history = past.iter().rev().map(|row| row.value).chain([finding.value]).collect();
    finding.before = last.and_then(|row| Some(Before { outcome: outcome(row)?, value: row.value, at: row.at }));
    finding.since = (finding.outcome != FindingOutcome::Skipped).then(|| match last {
        Some(row) if outcome(row) == Some(finding.outcome) => {
            let since = since(row);
            Since { at: since.at, runs: since.runs + 1 }
        }
        _ => Since { at: now, runs: 1 },
    });
}

fn outcome(row: &PastFinding) -> Option<FindingOutcome> {
    FindingOutcome::named(&row.outcome)
}

/// Each finding carries its own beginning on, so a failure of a year needs no look at a year of runs.
fn since(row: &PastFinding) -> Since {
    let carried = row.since.clone().and_then(|since| serde_json::from_value(since).ok());
    carried.unwrap_or(Since { at: row.at, runs: 1 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use FindingOutcome::{Error, Fail, Pass, Skipped};

    fn finding(outcome: FindingOutcome, value: Option<u64>) -> Finding {
        serde_json::from_value(serde_json::json!({ "check": "a", "outcome": outcome, "value": value })).unwrap()
    }

    fn night(day: u32) -> DateTime<Utc> {
        format!("2026-11-{day:02}T02:15:00Z").parse().unwrap()
    }

    /// Plays nights one after another, each remembering those before it.
    fn nights(seen: &[(FindingOutcome, Option<u64>)]) -> Vec<Finding> {
        let mut past: Vec<PastFinding> = vec![];
        let mut told = vec![];
        for (day, (outcome, value)) in (1..).zip(seen) {
            let mut tonight = [finding(*outcome, *value)];
            remember(&mut tonight, &past, night(day));
            let [tonight] = tonight;
            past.insert(
                0,
                PastFinding {
                    check: "a".into(),
                    outcome: outcome.word().into(),
                    value: *value,
                    since: serde_json::to_value(&tonight.since).ok().filter(|since| !since.is_null()),
                    at: night(day),
                },
            );
            past.truncate(2);
            told.push(tonight);
        }
        told
    }

    #[test]
    fn a_failure_counts_its_nights_beyond_what_is_looked_back_at() {
        let told = nights(&[(Pass, Some(0)), (Fail, Some(1)), (Fail, Some(4)), (Fail, Some(4)), (Fail, Some(2))]);
        let last = told.last().unwrap();
        assert_eq!(last.since, Some(Since { at: night(2), runs: 4 }));
        assert_eq!(last.before, Some(Before { outcome: Fail, value: Some(4), at: night(4) }));
        assert_eq!(last.moved().map(|moved| (moved.up, moved.by)), Some((false, 2)));
        assert_eq!(last.history, [Some(4), Some(4), Some(2)]);
    }

    #[test]
    fn a_recovery_begins_anew_and_a_first_run_has_no_before() {
        let told = nights(&[(Fail, Some(1)), (Pass, Some(0))]);
        assert_eq!((told[0].before.clone(), told[0].since.clone()), (None, Some(Since { at: night(1), runs: 1 })));
        assert_eq!(told[1].since, Some(Since { at: night(2), runs: 1 }));
    }

    #[test]
    fn a_night_that_was_skipped_neither_begins_nor_ends_anything_and_an_error_does() {
        let told = nights(&[(Fail, Some(1)), (Skipped, None), (Fail, Some(1))]);
        assert_eq!(told[1].since, None);
        assert_eq!(told[2].since, Some(Since { at: night(1), runs: 2 }));
        let told = nights(&[(Fail, Some(1)), (Error, None), (Fail, Some(1))]);
        assert_eq!(told[2].since, Some(Since { at: night(3), runs: 1 }));
        assert_eq!(told[2].moved(), None, "nothing is known of the night before");
    }
}
