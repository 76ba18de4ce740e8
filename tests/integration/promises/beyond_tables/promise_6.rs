//! Live traffic comes first: what ends keys, removes nodes or fills views waits as well, between batches.
//!
//! How long single calls take: `keys::pace`. Locks and limits of views: `views`.

use super::ground::{ENDING_KEYS, exact, web};
use crate::graph::shop as nodes;
use crate::promises::shop;
use crate::support::house::{Ended, House};
use crate::support::keyspace::KeyServer;

/// Somebody waits, and a job that heeds it for six seconds.
fn somebody_waits(house: &House, job: &str) {
    house.sql("CREATE TABLE waiting (id integer NOT NULL PRIMARY KEY); INSERT INTO waiting VALUES (1)");
    let file = format!("jobs/{job}.yaml");
    let said = std::fs::read_to_string(house.path(&file)).expect("the job");
    let pause = "pause_when: { query: { store: core, sql: \"SELECT COUNT(*) FROM waiting\" } }\nbudget: 6 s\n";
    house.write(&file, &format!("{said}{pause}"));
}

/// It was temporary, says why, and began nothing.
fn must_have_waited(house: &House, job: &str, told: Ended) {
    let told = told.must_end(75);
    assert!(told.stdout.contains("query gives 1 on store `core`; waited "), "{told}");
    assert_eq!(shop::open_batches(house, job), [], "{told}");
}

#[test]
fn live_traffic_comes_before_keys() {
    for server in KeyServer::all() {
        for (section, job, gone) in ENDING_KEYS {
            let house = web(server, section, "");
            somebody_waits(&house, job);
            let keys = exact(&house);
            must_have_waited(&house, job, house.steward(["run-job", job, "--json"]));
            assert_eq!(exact(&house), keys, "{server:?} {section}");
            house.sql("DELETE FROM waiting");
            let done = house.steward(["run-job", job, "--json"]).must_end(0).json();
            assert_eq!(done["datasets"][0][gone], super::ground::OWNERLESS, "{done:#}");
        }
    }
}

#[test]
fn live_traffic_comes_before_nodes() {
    let house = nodes::open();
    nodes::policy(&house, "");
    nodes::users(&house, 50);
    somebody_waits(&house, "clean-graph");
    let graph = nodes::graph(&house).dump();
    let words = ["run-job", "clean-graph", "--as-of", "2026-05-01", "--json"];
    must_have_waited(&house, "clean-graph", house.steward(words));
    assert_eq!(nodes::graph(&house).dump(), graph);
    house.sql("DELETE FROM waiting");
    assert_eq!(nodes::run(&house, 0)["removed"], 50);
}
