//! Checks by the binary itself: what is not there, what is empty, and what is too large to fetch.

use crate::graph::users_fixture as nodes;
use crate::support::engine::Engine;
use crate::support::keyspace::KeyServer;
use crate::support::sandbox::Sandbox;
use serde_json::Value;
use std::time::{Duration, Instant};

fn sandbox(engine: Engine, checks: &[(&str, String)]) -> Sandbox {
    let mut sandbox = Sandbox::new(engine);
    sandbox.add_cache(KeyServer::Redis);
    sandbox.add_graph();
    sandbox.sql("create table orders (id integer primary key, score integer, email varchar(40)); insert into orders values (1, 2, 'a@example.com'); create table bare (id integer primary key, score integer, email varchar(40))");
    sandbox.cache.as_ref().expect("a cache").seed("SET c:1 1 EX 100\n");
    let graph = nodes::graph(&sandbox);
    let line =
        |(name, check): &(&str, String)| format!("  - {{ name: {name}, {} }}\n", check.replace("{{graph}}", &graph.suffix));
    sandbox.policy("checks", &format!("checks:\n{}", checks.iter().map(line).collect::<String>()));
    sandbox.job("check", "action: check-quality\npolicies: [\"*\"]\n");
    sandbox
}

fn outcomes(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings").iter();
    findings.map(|finding| format!("{} {}", finding["check"].as_str().unwrap(), finding["outcome"].as_str().unwrap())).collect()
}

/// Scenario 41, on every kind of store: each check that has nothing to look at is an error, and every other one runs.
#[test]
fn what_is_missing_is_an_error_what_is_empty_is_no_pass_and_the_others_run() {
    let user = "graph.User{{graph}}";
    let checks = [
        ("fine-table", "dataset: core.orders, range: score, min: 0, max: 9".to_owned()),
        ("fine-keys", "dataset: cache, without_ttl: \"c:*\", warn: \"> 0\"".to_owned()),
        ("fine-label", format!("dataset: \"{user}\", range: level, min: 0, max: 9")),
        ("lost-table", "dataset: core.nowhere, missing: [email]".to_owned()),
        ("lost-column", "dataset: core.orders, range: scroe, min: 0, max: 9".to_owned()),
        ("lost-duplicate", "dataset: core.nowhere, duplicate: [email]".to_owned()),
        ("lost-side", "reference: { from: core.orders.id, to: core.nowhere.id }".to_owned()),
        ("lost-label", "dataset: \"graph.Nobody{{graph}}\", range: level, min: 0, max: 9".to_owned()),
        ("lost-orphans", "dataset: graph, orphan_nodes: [\"Nobody{{graph}}\"]".to_owned()),
        ("lost-relation", "dataset: graph, duplicate_relations: [\"NONE{{graph}}\"]".to_owned()),
        ("lost-property", format!("dataset: \"{user}\", missing: [emial]")),
        ("lost-node-side", "reference: { from: core.orders.id, to: \"graph.Nobody{{graph}}.id\" }".to_owned()),
        ("empty-table", "dataset: core.bare, range: score, min: 0, max: 9".to_owned()),
        ("empty-where", "dataset: core.orders, missing: [email], where: \"id > 99\"".to_owned()),
        ("empty-duplicate", "dataset: core.bare, duplicate: [email]".to_owned()),
        ("empty-keys", "dataset: cache, without_ttl: \"nobody:*\", warn: \"> 0\"".to_owned()),
        ("empty-sides", "reference: { from: core.bare.id, to: core.bare.id }".to_owned()),
        ("empty-nodes", format!("dataset: \"{user}\", range: level, min: 0, max: 9, where: \"n.id > 99\"")),
    ];
    for engine in Engine::all() {
        let sandbox = sandbox(engine, &checks);
        nodes::graph(&sandbox).seed("CREATE (:User{{graph}} {id: 1, level: 3, email: 'a@example.com'});");
        let told = sandbox.steward(["run-job", "check", "--json"]).must_end(3);
        let report = told.json();
        let mut others = vec![];
        for (name, outcome) in checks.iter().map(|(name, _)| *name).zip(outcomes(&report)) {
            // Whoever has nobody to refer to refers to nobody: an answer, and no pass.
            let wanted: &[&str] = match name {
                "lost-node-side" | "lost-property" => &["error", "warn", "fail"],
                _ if name.starts_with("fine") => &["pass"],
                _ => &["error"],
            };
            if !wanted.iter().any(|word| outcome == format!("{name} {word}")) {
                others.push(outcome);
            }
        }
        assert!(others.is_empty(), "{}: {others:?}: {told}", engine.name());
        for finding in report["findings"].as_array().expect("findings").iter().filter(|one| one["outcome"] == "error") {
            assert!(finding["reason"]["text"].as_str().is_some_and(|text| text.len() > 20), "{finding:#}");
        }
    }
}

/// Scenario 33: a hundred thousand nodes, every one of them at fault, for every kind that looks at nodes.
#[test]
fn a_label_of_a_hundred_thousand_faults_is_counted_where_it_is_and_told_in_few_samples() {
    let user = "dataset: \"graph.User{{graph}}\"";
    let checks = [
        ("orphans", "dataset: graph, orphan_nodes: [\"User{{graph}}\"]".to_owned()),
        ("missing", format!("{user}, missing: [email], samples: 100")),
        ("levels", format!("{user}, range: level, min: 0, max: 5")),
        ("rows", format!("{user}, row_count: true, fail: \"< 1\"")),
        (
            "own",
            "dataset: graph, cypher: \"MATCH (n:`User{{graph}}`) WHERE n.level > 5 RETURN count(n)\", warn: \"> 0\"".to_owned(),
        ),
        ("lost", "reference: { from: \"graph.User{{graph}}.id\", to: core.orders.id }, both_ways: true".to_owned()),
    ];
    let sandbox = sandbox(Engine::Sqlite, &checks);
    nodes::graph(&sandbox).seed(
        "UNWIND range(1, 100000) AS id CALL { WITH id CREATE (:User{{graph}} {id: id, level: 9, email: ' '}) } IN TRANSACTIONS OF 20000 ROWS;",
    );
    let began = Instant::now();
    let report = sandbox.steward(["run-job", "check", "--json"]).must_end(0).json();
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    for (finding, (name, _)) in report["findings"].as_array().expect("findings").iter().zip(&checks) {
        let wanted = if *name == "lost" { 99_999 } else { 100_000 };
        assert_eq!((&finding["check"], &finding["value"]), (&(*name).into(), &wanted.into()), "{finding:#}");
        let most = if *name == "missing" { 100 } else { 5 };
        assert!(finding["samples"].as_array().is_some_and(|all| all.len() <= most), "{name}: {finding:#}");
    }
    let page = sandbox.path(report["report"]["html"].as_str().expect("a page"));
    assert!(std::fs::metadata(page).expect("a page").len() < 1_000_000);
}
