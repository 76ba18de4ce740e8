//! Live traffic comes first: what ends keys, removes nodes or fills views waits as well, between batches.
//!
//! How long single calls take: `keys::pace`. Locks and limits of views: `views`.

use super::setup::{ENDING_KEYS, exact, web};
use crate::graph::users_fixture as nodes;
use crate::promises::orders_fixture;
use crate::support::keyspace::KeyServer;
use crate::support::sandbox::{Ended, Sandbox};

/// Somebody waits, and a job that heeds it for six seconds.
fn somebody_waits(sandbox: &Sandbox, job: &str) {
    sandbox.sql("CREATE TABLE waiting (id integer NOT NULL PRIMARY KEY); INSERT INTO waiting VALUES (1)");
    let file = format!("jobs/{job}.yaml");
    let said = std::fs::read_to_string(sandbox.path(&file)).expect("the job");
    let pause = "pause_when: { query: { store: core, sql: \"SELECT COUNT(*) FROM waiting\" } }\nbudget: 6 s\n";
    sandbox.write(&file, &format!("{said}{pause}"));
}

/// It was temporary, says why, and began nothing.
fn must_have_waited(sandbox: &Sandbox, job: &str, told: Ended) {
    let told = told.must_end(75);
    assert!(told.stdout.contains("query gives 1 on store `core`; waited "), "{told}");
    assert_eq!(orders_fixture::open_batches(sandbox, job), [], "{told}");
}

#[test]
fn live_traffic_comes_before_keys() {
    for server in KeyServer::all() {
        for (section, job, gone) in ENDING_KEYS {
            let sandbox = web(server, section, "");
            somebody_waits(&sandbox, job);
            let keys = exact(&sandbox);
            must_have_waited(&sandbox, job, sandbox.steward(["run-job", job, "--json"]));
            assert_eq!(exact(&sandbox), keys, "{server:?} {section}");
            sandbox.sql("DELETE FROM waiting");
            let done = sandbox.steward(["run-job", job, "--json"]).must_end(0).json();
            assert_eq!(done["datasets"][0][gone], super::setup::OWNERLESS, "{done:#}");
        }
    }
}

#[test]
fn live_traffic_comes_before_nodes() {
    let sandbox = nodes::open();
    nodes::policy(&sandbox, "");
    nodes::users(&sandbox, 50);
    somebody_waits(&sandbox, "clean-graph");
    let graph = nodes::graph(&sandbox).dump();
    let words = ["run-job", "clean-graph", "--as-of", "2026-05-01", "--json"];
    must_have_waited(&sandbox, "clean-graph", sandbox.steward(words));
    assert_eq!(nodes::graph(&sandbox).dump(), graph);
    sandbox.sql("DELETE FROM waiting");
    assert_eq!(nodes::run(&sandbox, 0)["removed"], 50);
}
