//! Statistics of a table that changed much are gathered anew, on every engine.

use crate::promises::orders_fixture;
use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox, URL};
use std::time::{Duration, Instant};

const NOTE: &str = "were gathered anew (ANALYZE)";

fn sandbox(engine: Engine, due: u64) -> Sandbox {
    let sandbox = orders_fixture::open_with(engine, due);
    sandbox.policy("orders", orders_fixture::DELETE);
    std::fs::remove_file(sandbox.path("jobs/archive-orders.yaml")).expect("the fixture's own job");
    sandbox.job("nightly", &orders_fixture::job("delete"));
    sandbox
}

/// What the engine itself says of when it gathered the statistics, or what it then found.
fn gathered(sandbox: &Sandbox) -> bool {
    match sandbox.database.engine {
        Engine::Sqlite => {
            sandbox.database.try_rows("SELECT 1 FROM sqlite_stat1 WHERE tbl = 'orders'").is_ok_and(|rows| !rows.is_empty())
        }
        Engine::Postgres => {
            sandbox.database.count("SELECT COUNT(*) FROM pg_stat_user_tables WHERE relname = 'orders' AND last_analyze IS NOT NULL") == 1
        }
        Engine::Mysql | Engine::Mariadb => {
            sandbox.database.count(
                "SELECT COUNT(*) FROM mysql.innodb_table_stats WHERE database_name = DATABASE() AND table_name = 'orders' AND n_rows < 100",
            ) == 1
        }
    }
}

fn wait_until_gathered(sandbox: &Sandbox) {
    let began = Instant::now();
    while !gathered(sandbox) {
        assert!(began.elapsed() < Duration::from_secs(20), "the statistics are as they were");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn every_engine(check: impl Fn(Engine)) {
    for engine in [Engine::Sqlite, Engine::Postgres, Engine::Mysql, Engine::Mariadb] {
        check(engine);
    }
}

#[test]
fn a_table_that_lost_most_of_its_rows_is_analyzed_and_the_report_says_so() {
    every_engine(|engine| {
        let sandbox = sandbox(engine, 3_000);
        let report = sandbox.steward(["run-job", "nightly", "--json"]).must_end(0).json();
        assert!(report["datasets"][0]["reasons"].to_string().contains(NOTE), "{engine:?}: {report:#}");
        wait_until_gathered(&sandbox);
    });
}

#[test]
fn a_table_that_lost_little_is_left_alone() {
    every_engine(|engine| {
        let sandbox = sandbox(engine, 900);
        let report = sandbox.steward(["run-job", "nightly", "--json"]).must_end(0).json();
        assert!(!report["datasets"][0]["reasons"].to_string().contains("ANALYZE"), "{engine:?}: {report:#}");
    });
}

#[test]
fn a_right_that_is_missing_is_a_note_and_the_work_is_done() {
    let sandbox = sandbox(Engine::Postgres, 2_000);
    let name = format!("s_{}", sandbox.database.name);
    sandbox.sql(&format!(
        "CREATE ROLE \"{name}\" LOGIN PASSWORD 'pw-of-a-test'; GRANT SELECT, UPDATE, DELETE ON orders TO \"{name}\""
    ));
    let url = sandbox.database.url();
    let (scheme, rest) = url.split_once("://").expect("a url");
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let ended: Ended = sandbox
        .command(["run-job", "nightly", "--json"])
        .env(URL, format!("{scheme}://{name}:pw-of-a-test@{host}"))
        .output()
        .expect("the binary starts")
        .into();
    let report = ended.must_end(0).json();
    sandbox.sql(&format!("DROP OWNED BY \"{name}\"; DROP ROLE \"{name}\""));
    assert_eq!(report["datasets"][0]["removed"], 2_000, "{report:#}");
    assert!(report["datasets"][0]["reasons"].to_string().contains("the right to gather them is missing"), "{report:#}");
    assert!(!gathered(&sandbox));
}
