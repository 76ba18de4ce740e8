//! A generated company over five real stores: what is found, and what is done in a night, is what was planned, and nothing else.

mod fill;
mod looking;
mod plan;
mod stores;

use crate::promises::settings::number;
use crate::support::wait::at_once;
use plan::Plan;
use serde_json::Value;
use std::path::Path;
use stores::Five;

/// The seeds of a longer night; `STEWARD_TEST_NIGHTS` says how many of them a run of the tests takes.
const SEEDS: [u64; 5] = [1, 7, 42, 2026, 90_210];

#[test]
fn a_night_over_five_stores_does_and_finds_what_was_planned_and_nothing_else() {
    at_once(SEEDS.into_iter().take(number("STEWARD_TEST_NIGHTS", 2) as usize), |seed| {
        let folder = tempfile::tempdir().expect("a folder");
        night(seed, folder.path());
    });
}

/// For people: keeps the folder, and says where the reports are. `tests/run company` runs it.
#[test]
#[ignore = "makes something to look at: tests/run company"]
fn one_night_to_look_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/company");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    night(SEEDS[0], &folder);
    println!("the reports of the night: {}", folder.join("state/reports").display());
}

fn night(seed: u64, folder: &Path) {
    let plan = Plan::of(seed);
    let five = Five::new(folder);
    five.fill(&plan);
    five.steward(["validate", "--connect"]).must_end(0);
    checks(&five, seed, &plan.findings());
    let mut reports = vec![];
    for job in five.jobs().into_iter().filter(|job| *job != "check-quality") {
        reports.push(five.steward(["run-job", job, "--json"]).must_end(0).json());
    }
    for (policy, count, wanted) in plan.done() {
        let told = reports.iter().flat_map(|report| report["datasets"].as_array().expect("datasets"));
        let told: Vec<&Value> = told.filter(|dataset| dataset["policy"] == policy).collect();
        assert_eq!(told.len(), 1, "seed {seed}: policy {policy}");
        assert_eq!(told[0][count].as_u64(), Some(wanted), "seed {seed}: policy {policy}, {count}: {}", told[0]);
    }
    let held = &reports
        .iter()
        .flat_map(|report| report["datasets"].as_array().expect("datasets"))
        .find(|one| one["policy"] == "web-sessions");
    assert_eq!(held.expect("sessions")["left"]["held"].as_u64(), Some(plan.held_sessions), "seed {seed}");
    kept(&five, seed, &plan);
    checks(&five, seed, &plan.findings_afterwards());
    again(&five, seed);
    five.steward(["audit", "verify"]).must_end(0);
}

/// Runs the checks; each must have found exactly this, and there are no others.
fn checks(five: &Five, seed: u64, planned: &[(&str, u64)]) {
    let ended = five.steward(["run-job", "check-quality", "--json"]).must_end(1);
    let told = ended.json();
    let findings = told["findings"].as_array().expect("findings");
    let found: Vec<(String, Option<u64>)> = findings
        .iter()
        .map(|finding| (finding["check"].as_str().unwrap_or_default().to_owned(), finding["value"].as_u64()))
        .collect();
    for (check, value) in planned {
        let one = found.iter().find(|(name, _)| name == check);
        assert_eq!(one.and_then(|(_, value)| *value), Some(*value), "seed {seed}: {check}: {findings:#?}");
    }
    assert_eq!(found.len(), planned.len(), "seed {seed}: {found:?}");
}

/// What had to stay is there.
fn kept(five: &Five, seed: u64, plan: &Plan) {
    let core = [
        ("users", plan.users),
        ("user_sessions", plan.live_sessions + plan.held_sessions),
        ("user_roles WHERE is_active = 1", plan.live_roles + plan.lost_roles),
        ("user_roles", plan.expired_roles + plan.ended_roles + plan.live_roles + plan.lost_roles),
        ("ai_cache", plan.fresh_ai),
    ];
    for (rows, wanted) in core {
        assert_eq!(five.core.count(&format!("SELECT count(*) FROM {rows}")), wanted, "seed {seed}: {rows}");
    }
    let platform = [
        ("financial_management.consumption_record", plan.young_records),
        ("archive.consumption_record_archive", plan.old_records),
    ];
    for (rows, wanted) in platform {
        assert_eq!(five.platform.count(&format!("SELECT count(*) FROM {rows}")), wanted, "seed {seed}: {rows}");
    }
    // Refreshed after the archiving, not before it.
    let total = five.platform.value("SELECT records::text FROM mv_workspace_totals");
    assert_eq!(total, Some(plan.young_records.to_string()), "seed {seed}");
    assert_eq!(five.small.count("SELECT count(*) FROM grading_results"), plan.young_grades + plan.wrong_grades, "seed {seed}");
    let events = five.graph.ask("MATCH (n:Event{{graph}}) RETURN count(n)");
    assert_eq!(events, [plan.young_events.to_string()], "seed {seed}");
    let keys = plan.cached + plan.cached_without_ttl + plan.cached_too_long + plan.resumes + plan.analytics_without_ttl;
    let keys = keys + plan.session_keys + plan.tokens + plan.tokens_without_ttl + plan.strays;
    assert_eq!(five.cache.ask::<u64>("DBSIZE"), keys, "seed {seed}");
}

/// A second night does nothing; views aside, which are filled anew.
fn again(five: &Five, seed: u64) {
    for job in five.jobs() {
        if job == "check-quality" || job == "refresh-views" {
            continue;
        }
        let report = five.steward(["run-job", job, "--json"]).must_end(0).json();
        for dataset in report["datasets"].as_array().expect("datasets") {
            for count in ["archived", "removed", "expired", "swept", "ttl_set"] {
                assert_eq!(dataset[count].as_u64().unwrap_or(0), 0, "seed {seed}: {job}: {dataset}");
            }
        }
    }
}
