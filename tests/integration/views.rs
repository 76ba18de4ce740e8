//! Views on a real PostgreSQL: what depends on time, on other sessions, and on the run before.

use crate::promises::fault_proxy::Session;
use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;
use serde_json::Value;
use std::time::{Duration, Instant};

const JOB: &str = "action: refresh-views\npolicies: [\"*\"]\nmode: enforce\n";

/// A table of three rows, and a materialized view of it that can be refreshed while others read it.
fn sandbox(view: &str) -> Sandbox {
    let sandbox = Sandbox::new(Engine::Postgres);
    sandbox.sql(
        "CREATE TABLE stats (id bigint PRIMARY KEY, calls bigint NOT NULL); INSERT INTO stats VALUES (1, 1), (2, 2), (3, 3); \
         CREATE MATERIALIZED VIEW mv AS SELECT id, calls FROM stats; CREATE UNIQUE INDEX ON mv (id)",
    );
    sandbox.policy("views", &format!("views:\n  - {{ name: mv, dataset: core.mv{view} }}\n"));
    sandbox.job("views", JOB);
    sandbox
}

fn run(sandbox: &Sandbox, code: i32) -> Value {
    sandbox.steward(["run-job", "views", "--json"]).must_end(code).json()
}

fn notes(report: &Value) -> String {
    report["datasets"][0]["reasons"].to_string()
}

/// Statistics come a moment after the commit.
fn wait_for_statistics(sandbox: &Sandbox, inserted: u64) {
    let began = Instant::now();
    while sandbox.database.count("SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'stats'") != inserted {
        assert!(began.elapsed() < Duration::from_secs(20), "the statistics never came");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_did_not_change_underneath_is_left_alone_and_said_so() {
    let sandbox = sandbox(", skip_unchanged: true");
    wait_for_statistics(&sandbox, 3);
    assert_eq!(run(&sandbox, 0)["datasets"][0]["refreshed"], 1, "the first run knows nothing and refreshes");

    let dry = sandbox.steward(["run-job", "views", "--dry-run", "--json"]).must_end(0).json();
    let second = run(&sandbox, 0);
    for report in [&dry, &second] {
        assert_eq!(report["datasets"][0]["due"], 0, "{report:#}");
        assert!(notes(report).contains("nothing underneath changed"), "{report:#}");
    }
    assert_eq!(second["datasets"][0]["refreshed"], 0);
    assert_eq!(run(&sandbox, 0)["datasets"][0]["refreshed"], 0, "what was left alone is still known");

    sandbox.sql("INSERT INTO stats VALUES (4, 4)");
    wait_for_statistics(&sandbox, 4);
    assert_eq!(run(&sandbox, 0)["datasets"][0]["refreshed"], 1);
    assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM mv"), 4);
    assert_eq!(run(&sandbox, 0)["datasets"][0]["refreshed"], 0);

    sandbox.sql("TRUNCATE stats");
    assert_eq!(run(&sandbox, 0)["datasets"][0]["refreshed"], 1, "TRUNCATE counts no rows, and is seen");
    assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM mv"), 0);

    sandbox.sql("DROP MATERIALIZED VIEW mv; CREATE MATERIALIZED VIEW mv AS SELECT id FROM stats; CREATE UNIQUE INDEX ON mv (id)");
    assert_eq!(run(&sandbox, 0)["datasets"][0]["refreshed"], 1, "another view of that name");
}

#[test]
fn a_refresh_that_failed_is_not_remembered_as_fresh() {
    let sandbox = sandbox(", skip_unchanged: true, lock_timeout: 1 s");
    wait_for_statistics(&sandbox, 3);
    let other = Session::begin(&sandbox.database, "REFRESH MATERIALIZED VIEW CONCURRENTLY mv");
    run(&sandbox, 75);
    drop(other);
    assert_eq!(run(&sandbox, 0)["datasets"][0]["refreshed"], 1);
}

#[test]
fn a_lock_that_is_not_to_be_had_ends_it_for_now() {
    let sandbox = sandbox(", lock_timeout: 1 s");
    sandbox.sql("INSERT INTO stats VALUES (4, 4)");
    let mut other = Session::begin(&sandbox.database, "REFRESH MATERIALIZED VIEW CONCURRENTLY mv");
    let report = run(&sandbox, 75);
    assert!(notes(&report).contains("lock timeout"), "{report:#}");
    assert_eq!(report["datasets"][0]["refreshed"], 0);
    assert_eq!(report["datasets"][0]["debt"]["rows"], 1);
    other.run("ROLLBACK").expect("the other's end");
    assert_eq!(run(&sandbox, 0)["datasets"][0]["refreshed"], 1);
    assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM mv"), 4);
}

#[test]
fn a_refresh_that_takes_too_long_is_given_up_once() {
    let sandbox = Sandbox::new(Engine::Postgres);
    sandbox.sql("CREATE MATERIALIZED VIEW mv AS SELECT 1 AS id, pg_sleep(3)::text AS slept WITH NO DATA");
    sandbox.policy("views", "views:\n  - { name: mv, dataset: core.mv, statement_timeout: 1 s }\n");
    sandbox.job("views", JOB);
    let began = Instant::now();
    let report = run(&sandbox, 3);
    assert!(notes(&report).contains("was not refreshed within 1 s"), "{report:#}");
    assert!(began.elapsed() < Duration::from_secs(3), "it was tried again: {:?}", began.elapsed());
}

#[test]
fn a_view_of_another_owner_is_refused_before_it_is_touched() {
    let sandbox = sandbox("");
    let (name, database) = (format!("r_{}", sandbox.database.name), sandbox.database.name.clone());
    sandbox.sql(&format!("CREATE ROLE \"{name}\" LOGIN PASSWORD 'pw-of-a-test'; GRANT SELECT ON mv TO \"{name}\""));
    let url = sandbox.database.url();
    let (scheme, rest) = url.split_once("://").expect("a url");
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let asked = sandbox
        .command(["run-job", "views", "--json"])
        .env(crate::support::sandbox::URL, format!("{scheme}://{name}:pw-of-a-test@{host}"))
        .output()
        .expect("the binary starts");
    let told: crate::support::sandbox::Ended = asked.into();
    let report = told.must_end(4).json();
    sandbox.sql(&format!("REVOKE ALL ON mv FROM \"{name}\"; DROP ROLE \"{name}\""));
    assert!(notes(&report).contains("belongs to another owner"), "{database}: {report:#}");
}

#[test]
fn a_view_that_is_filled_once_and_then_refused_says_so_before() {
    let sandbox = Sandbox::new(Engine::Postgres);
    sandbox.sql(
        "CREATE TABLE calls (day date, workspace bigint, n bigint); \
         INSERT INTO calls VALUES ('2025-01-01', 1, 5), ('2025-01-01', 2, 5), ('2025-01-02', 1, 5); \
         CREATE MATERIALIZED VIEW mv AS SELECT n * 0.5 AS half, day, workspace, n FROM calls WITH NO DATA",
    );
    sandbox.policy("views", "views:\n  - { name: mv, dataset: core.mv }\n");
    sandbox.job("views", JOB);
    let words = "has no unique index over plain columns, so it cannot be refreshed while others read it";

    let told = notes(&run(&sandbox, 0));
    assert!(told.contains("The next run will refuse it") && told.contains(words), "{told}");
    assert!(
        told.contains("for you to choose") && told.contains("concurrently: false"),
        "nothing is known of its rows yet: {told}"
    );

    let refused = run(&sandbox, 4);
    let reason = &refused["datasets"][0]["reasons"][0];
    assert!(reason["text"].as_str().is_some_and(|text| text.contains(words)), "{refused:#}");
    let help = reason["help"].as_str().expect("a way out");
    let index = &help[help.find("CREATE").expect("an index")..help.rfind(";").expect("its end")];
    assert!(index.ends_with(r#"("day", "workspace")"#), "no column alone tells its rows apart, and no sum is tried: {index}");
    sandbox.sql(index);
    let refresh = &run(&sandbox, 0)["datasets"][0]["refresh"];
    assert_eq!(
        (&refresh["how"], &refresh["rows_before"], &refresh["rows_after"]),
        (&"concurrently".into(), &3.into(), &3.into())
    );

    sandbox.sql("DROP MATERIALIZED VIEW mv; CREATE MATERIALIZED VIEW mv AS SELECT day FROM calls");
    let told = notes(&run(&sandbox, 4));
    assert!(told.contains("for you to choose") && told.contains("(…)"), "its rows do not differ: {told}");
}
