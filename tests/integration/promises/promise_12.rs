//! Every number in a report can be asked for again with the query shown beside it. Checks: `kinds::sight` asks each of theirs.

use super::orders_fixture;
use super::promise_3::every_action;
use crate::graph::users_fixture as nodes;
use crate::support::engine::Engine;

on_every_engine!(every_number_in_a_report_can_be_asked_for_again, |engine: Engine| {
    let holds = "holds:\n  - { name: case-1, dataset: core.orders, where: \"id in (3, 17)\", because: litigation }\n";
    for (action, policy, _) in every_action() {
        let sandbox = orders_fixture::open_with(engine, 60);
        sandbox.policy("orders", &(policy + holds));
        std::fs::remove_file(sandbox.path("jobs/archive-orders.yaml")).expect("the fixture's own job");
        sandbox.job("nightly", &orders_fixture::job(action));
        for words in [["run-job", "nightly", "--dry-run", "--json"].as_slice(), &["run-job", "nightly", "--json"]] {
            let told = sandbox.steward(words.iter().copied()).must_end(0);
            let dataset = &told.json()["datasets"][0];
            let query = dataset["query"].as_str().expect("a query");
            assert_eq!(dataset["due"], 60, "{told}");
            // Before the work it gives what was due, held rows included; after it what was left of them.
            let left = if words.contains(&"--dry-run") { 60 } else { 2 };
            assert_eq!(sandbox.database.count(query), left, "{action}: {query}\n{told}");
        }
    }
});

#[test]
fn every_number_about_nodes_can_be_asked_for_again() {
    let sandbox = nodes::open();
    nodes::policy(&sandbox, "");
    nodes::users(&sandbox, 30);
    let words = ["run-job", "clean-graph", "--as-of", "2026-05-01", "--json", "--dry-run"];
    let told = sandbox.steward(words).must_end(0);
    let dataset = &told.json()["datasets"][0];
    assert_eq!(dataset["due"], 30, "{told}");
    let query = dataset["query"].as_str().expect("a query");
    assert_eq!(nodes::graph(&sandbox).ask(query), ["30"], "{query}");
}
