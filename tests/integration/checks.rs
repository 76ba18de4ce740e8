//! Jobs that check: what is found, what gets no answer, and what of it is remembered. By `row_count`, which every engine has.

use crate::promises::{black_hole, dead_port};
use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox, URL};
use serde_json::Value;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A store that is away, however it is away, keeps a run no longer than this.
const AT_MOST: Duration = Duration::from_secs(30);

const CHECKS: &str = "owner: dpo@example.com
checks:
  - { name: enough-orders, dataset: core.orders, row_count: true, fail: \"< 3\" }
  - { name: few-orders, dataset: core.orders, row_count: true, where: \"id > 1\", warn: \"> 5\", fail: \"> 9\" }
";

/// A sandbox with two orders and a job that checks them.
fn open(engine: Engine) -> Sandbox {
    let sandbox = Sandbox::new(engine);
    sandbox.sql("create table orders (id integer primary key); insert into orders values (1), (2);");
    sandbox.policy("checks", CHECKS);
    sandbox.job("check", "action: check-quality\npolicies: [\"*\"]\n");
    sandbox
}

/// The same beside a second store.
fn beside(engine: Engine, url: &str) -> Sandbox {
    let sandbox = open(engine);
    sandbox.write(
        "steward.yaml",
        &format!(
            "stores:\n  core: {{ url: {{ env: {URL} }} }}\n  other: {{ url: \"{url}\" }}\nstate: state/\nledger: \"sqlite:state/steward.db\"\npolicies: [policies/]\njobs: jobs/\n"
        ),
    );
    let checks: String =
        (1..=4).map(|n| format!("  - {{ name: other-{n}, dataset: other.t, row_count: true, warn: \"> 0\" }}\n")).collect();
    sandbox.policy("other", &format!("checks:\n{checks}"));
    sandbox.job("other-only", "action: check-quality\npolicies: [\"other-*\"]\n");
    sandbox
}

/// The finding of a check.
#[track_caller]
fn finding<'r>(report: &'r Value, check: &str) -> &'r Value {
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().find(|finding| finding["check"] == check).unwrap_or_else(|| panic!("no finding of `{check}`: {report:#}"))
}

fn outcomes(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings").iter();
    findings.map(|finding| format!("{} {}", finding["check"].as_str().unwrap(), finding["outcome"].as_str().unwrap())).collect()
}

fn last_line(ended: &Ended) -> &str {
    ended.stderr.lines().last().unwrap_or_default()
}

/// The page of a run.
fn page(sandbox: &Sandbox, report: &Value) -> String {
    let path = sandbox.path(report["report"]["html"].as_str().expect("a page"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Rows of the ledger.
fn ledger(sandbox: &Sandbox, query: &str) -> Vec<Vec<Option<String>>> {
    use sqlx::{Connection, Row};
    let url = format!("sqlite:{}?mode=ro", sandbox.path("state/steward.db").display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut link = sqlx::sqlite::SqliteConnection::connect(&url).await.expect("the ledger");
        let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(query.to_owned())).fetch_all(&mut link).await.expect("rows");
        rows.iter().map(|row| (0..row.len()).map(|at| row.get_unchecked(at)).collect()).collect()
    })
}

fn a_bound_decides(engine: Engine) {
    let sandbox = open(engine);
    let told = sandbox.steward(["run-job", "check", "--json"]).must_end(1);
    assert!(last_line(&told).starts_with("findings (exit 1): check `enough-orders` failed"), "{told}");
    let report = told.json();
    assert_eq!(outcomes(&report), ["enough-orders fail", "few-orders pass"], "{told}");
    let failed = finding(&report, "enough-orders");
    assert_eq!((&failed["value"], &failed["bound"], &failed["unit"]), (&2.into(), &"< 3".into(), &"count".into()));
    assert_eq!((&failed["kind"], &failed["owner"]), (&"row_count".into(), &"dpo@example.com".into()));
    assert!(failed["before"].is_null() && failed["since"]["runs"] == 1 && failed["elapsed_ms"].is_u64(), "{failed}");
    // Promise 12: the number can be asked for again.
    assert_eq!(sandbox.database.count(failed["query"].as_str().expect("a query")), 2);

    sandbox.sql("insert into orders values (3), (4), (5), (6), (7), (8)");
    let second = sandbox.steward(["run-job", "check", "--json"]).must_end(0).json();
    assert_eq!(outcomes(&second), ["enough-orders pass", "few-orders warn"]);
    let recovered = finding(&second, "enough-orders");
    assert_eq!((&recovered["before"]["outcome"], &recovered["before"]["value"]), (&"fail".into(), &2.into()));
    sandbox.steward(["run-job", "check", "--fail-on", "warn"]).must_end(1);
    let fourth = sandbox.steward(["run-job", "check", "--json"]).must_end(0).json();
    assert_eq!(finding(&fourth, "few-orders")["since"]["runs"], 3, "{fourth:#}");
    sandbox.steward(["audit", "verify"]).must_end(0);
    let page = page(&sandbox, &fourth);
    assert!(page.contains("<polyline") && page.contains("few-orders"), "no line of what was seen before");
}

#[test]
fn a_bound_decides_on_every_engine_and_what_was_seen_is_remembered() {
    Engine::all().into_iter().for_each(a_bound_decides);
}

/// Scenario 41.
#[test]
fn a_missing_table_is_an_error_and_the_others_run() {
    for engine in Engine::all() {
        let sandbox = open(engine);
        sandbox.policy("gone", "checks:\n  - { name: lost, dataset: core.nowhere, row_count: true, fail: \"> 0\" }\n");
        let told = sandbox.steward(["run-job", "check", "--json"]).must_end(3);
        let report = told.json();
        assert_eq!(outcomes(&report), ["enough-orders fail", "few-orders pass", "lost error"]);
        let lost = finding(&report, "lost");
        assert!(lost["value"].is_null(), "nothing is known of it, not even that there is nothing: {lost}");
        assert!(lost["reason"]["text"].as_str().is_some_and(|text| text.contains("nowhere")), "{lost}");
        assert_eq!(lost["reason"]["weight"], "failed");
        // The declarations alone are sound; held against the store they are not.
        sandbox.steward(["validate"]).must_end(0);
        let wrong = sandbox.steward(["validate", "--connect"]).must_end(78);
        assert!(wrong.stdout.contains("job `check`, check `lost`, dataset `core.nowhere`"), "{wrong}");
    }
}

/// Scenario 42, for a store that is away and one that accepts and never answers.
#[test]
fn a_frozen_store_delays_nobody_else_and_is_never_success() {
    let (_silent, frozen) = black_hole();
    for (what, url) in [
        ("frozen", format!("postgres://steward@127.0.0.1:{frozen}/x")),
        ("frozen, MySQL", format!("mysql://steward@127.0.0.1:{frozen}/x")),
        ("away", format!("postgres://steward@127.0.0.1:{}/x", dead_port())),
    ] {
        let sandbox = beside(Engine::Sqlite, &url);
        let began = Instant::now();
        let told = sandbox.steward(["run-job", "check", "--json"]).must_end(3);
        assert!(began.elapsed() < AT_MOST, "{what}: it took {:?}", began.elapsed());
        assert!(last_line(&told).contains("store `other` gave no answer, 4 checks unanswered"), "{what}: {told}");
        let report = told.json();
        assert_eq!(finding(&report, "enough-orders")["outcome"], "fail", "{what}: {told}");
        let own = finding(&report, "enough-orders")["elapsed_ms"].as_u64().expect("a time");
        assert!(own < 5_000, "{what}: the frozen store delayed another by {own} ms");
        for n in 1..=4 {
            let other = finding(&report, &format!("other-{n}"));
            assert_eq!((&other["outcome"], &other["silent"]), (&"error".into(), &"other".into()), "{what}: {other}");
            assert_eq!(other["reason"]["weight"], "temporary", "{what}: {other}");
        }
        if what != "frozen, MySQL" {
            let alone = sandbox.steward(["run-job", "other-only", "--json"]).must_end(75);
            assert_eq!(alone.json()["outcome"], "temporary", "{what}");
        }
        if what == "away" {
            sandbox.steward(["plan", "other-only"]).must_end(75);
        }
    }
}

/// A check has a deadline; the job's budget is one.
#[test]
fn a_budget_ends_a_check_that_gets_no_answer() {
    let (_silent, frozen) = black_hole();
    let sandbox = beside(Engine::Sqlite, &format!("postgres://steward@127.0.0.1:{frozen}/x"));
    sandbox.job("check", "action: check-quality\npolicies: [\"*\"]\nbudget: 2 s\n");
    let began = Instant::now();
    let told = sandbox.steward(["run-job", "check", "--json"]).must_end(3);
    assert!(began.elapsed() < Duration::from_secs(8), "it took {:?}", began.elapsed());
    let report = told.json();
    let (first, second) = (finding(&report, "other-1"), finding(&report, "other-2"));
    assert_eq!((&first["outcome"], &second["outcome"]), (&"error".into(), &"skipped".into()), "{told}");
    assert!(
        first["reason"]["text"]
            .as_str()
            .is_some_and(|text| text.contains("no answer from `other` within the check's deadline of 2 s")),
        "{first}"
    );
    assert!(second["reason"]["text"].as_str().is_some_and(|text| text.contains("the budget of 2 s")), "{second}");
    assert_eq!(finding(&report, "few-orders")["outcome"], "pass");
}

#[test]
fn a_signal_skips_what_was_not_evaluated_and_says_so() {
    let (_silent, frozen) = black_hole();
    let sandbox = beside(Engine::Sqlite, &format!("postgres://steward@127.0.0.1:{frozen}/x"));
    let run =
        sandbox.command(["run-job", "check", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a run");
    std::thread::sleep(Duration::from_secs(2));
    let began = Instant::now();
    let pid = run.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
    let told = Ended::from(run.wait_with_output().expect("its end")).must_end(75);
    assert!(began.elapsed() < Duration::from_secs(3), "it took {:?}", began.elapsed());
    let report = told.json();
    assert_eq!(finding(&report, "enough-orders")["outcome"], "fail", "what was evaluated stays: {told}");
    assert_eq!(finding(&report, "other-4")["outcome"], "skipped", "{told}");
    assert!(finding(&report, "other-4")["reason"]["text"].to_string().contains("signal"), "{told}");
}

#[test]
fn a_dry_run_and_a_plan_see_everything_and_remember_nothing() {
    let sandbox = open(Engine::Sqlite);
    let plan = sandbox.steward(["plan", "check"]).must_end(0);
    assert!(plan.stdout.contains("SELECT COUNT(*)") && plan.stdout.contains("2 found by check `enough-orders`"), "{plan}");
    assert!(!sandbox.path("state").exists(), "a plan left something behind");
    let sql = sandbox.steward(["plan", "check", "--sql"]).must_end(0);
    assert!(sql.stdout.contains("SELECT COUNT(*)"), "{sql}");
    let dry = sandbox.steward(["run-job", "check", "--dry-run", "--json"]).must_end(1).json();
    assert_eq!(finding(&dry, "enough-orders")["value"], 2);
    assert_eq!(ledger(&sandbox, "SELECT count(*) FROM finding")[0][0].as_deref(), Some("0"));
    let real = sandbox.steward(["run-job", "check", "--json"]).must_end(1).json();
    assert!(finding(&real, "enough-orders")["before"].is_null(), "a dry run was remembered: {real:#}");
    let rows = ledger(&sandbox, "SELECT check_name, outcome, json_extract(body, '$.value') FROM finding ORDER BY position");
    assert_eq!(rows[0], [Some("enough-orders".into()), Some("fail".into()), Some("2".into())]);
    assert_eq!(rows.len(), 2);
}

/// Scenario 48, told to a folder of mails.
#[test]
fn a_check_that_fails_night_after_night_is_one_mail_and_its_recovery_another() {
    let sandbox = open(Engine::Sqlite);
    sandbox.config("mail: { url: \"file:mails\", from: \"steward@example.com\", to: [\"dpo@example.com\"] }\n");
    let mails = || std::fs::read_dir(sandbox.path("mails")).map_or(0, Iterator::count);
    let mut seen = vec![];
    for night in 0..10 {
        if night == 7 {
            sandbox.sql("insert into orders values (3)");
        }
        let ended = sandbox.steward(["run-job", "check"]);
        assert_eq!(ended.code, Some(i32::from(night < 7)), "night {night}: {ended}");
        seen.push(mails());
    }
    assert_eq!(seen, [1, 1, 1, 1, 1, 1, 1, 2, 2, 2]);
    let runs = sandbox.steward(["runs", "--json"]).must_end(0).json();
    assert_eq!(runs["runs"].as_array().expect("runs").len(), 10);
}

/// Scenario 43, from the declaration to the page.
#[test]
fn a_hostile_name_is_inert() {
    let sandbox = open(Engine::Sqlite);
    sandbox.policy(
        "hostile",
        "owner: dpo@example.com\nchecks:\n  - { name: '</script><img src=x onerror=alert(1)>', dataset: core.orders, row_count: true, fail: \"> 0\" }\n",
    );
    let report = sandbox.steward(["run-job", "check", "--json"]).must_end(1).json();
    let page = page(&sandbox, &report);
    assert!(page.contains("onerror=alert(1)") && !page.contains("<img"), "{page}");
    assert_eq!(page.matches("</script").count(), 1);
}

#[test]
fn listings_show_what_checks_are_and_what_they_saw() {
    let sandbox = open(Engine::Sqlite);
    sandbox.steward(["run-job", "check"]).must_end(1);
    let jobs = sandbox.steward(["jobs"]).must_end(0);
    assert!(jobs.stdout.contains("check-quality") && !jobs.stdout.contains("nothing is touched"), "{jobs}");
    let runs = sandbox.steward(["runs"]).must_end(0);
    assert!(runs.stdout.contains("1 failed, 1 passed"), "{runs}");
    let story = sandbox.steward(["runs", runs.stdout.lines().nth(1).and_then(|line| line.split(' ').next()).expect("a run")]);
    assert!(story.clone().must_end(0).stdout.contains("found by check `enough-orders`: failed (< 3)"), "{story}");
    let policies = sandbox.steward(["policies"]).must_end(0);
    assert!(policies.stdout.contains("enough-orders") && policies.stdout.contains("policies/checks.yaml:3:"), "{policies}");
    let one = sandbox.steward(["policies", "few-*", "--json"]).must_end(0).json();
    assert_eq!(one["checks"][0]["name"], "few-orders", "{one:#}");
    assert_eq!(one["checks"].as_array().map(Vec::len), Some(1), "{one:#}");
}
