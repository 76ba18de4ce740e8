//! Archives that take every row, one after the other.

use super::setup::words;
use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;

const COLUMNS: &str = "id integer NOT NULL PRIMARY KEY, name varchar(40), created_at {{datetime}}";

fn users(engine: Engine, to: &str) -> Sandbox {
    let sandbox = Sandbox::new(engine);
    sandbox.sql(&words(
        engine,
        &format!(
            "CREATE TABLE users ({COLUMNS}) {{{{table}}}}; CREATE UNIQUE INDEX users_name ON users (name); \
             CREATE INDEX users_created_at ON users (created_at); \
             INSERT INTO users VALUES (1, 'li', '2020-01-01 00:00:00'), (5, 'wang', '2099-01-01 00:00:00');"
        ),
    ));
    sandbox.policy("p", &policy("p", to));
    sandbox.job("j", "action: archive\npolicies: [p]\nmode: enforce\n");
    sandbox
}

fn policy(name: &str, to: &str) -> String {
    format!(
        "lifecycle:\n  - {{ name: {name}, dataset: core.users, clock: created_at, archive: {{ after: 1 year, to: core.{to} }}, \
         guard: {{ max_percent: 100 }} }}\n"
    )
}

on_every_engine!(
    /// A name that is free again is given to the next one, and that one is archived, too.
    an_archive_that_is_made_keeps_its_key_unique_and_nothing_else,
    |engine: Engine| {
        let sandbox = users(engine, "gone, create: true");
        sandbox.least_privileged();
        sandbox.steward(["run-job", "j"]).must_end(0);
        sandbox.sql("INSERT INTO users VALUES (2, 'li', '2020-02-01 00:00:00')");
        let told = sandbox.steward(["run-job", "j", "--json"]).must_end(0);
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM gone"), 2, "{told}");
        assert!(!told.stdout.contains("users_name"), "{told}");
        assert!(sandbox.database.try_sql("INSERT INTO gone (id) VALUES (1)").is_err(), "its key is not unique");
    }
);

on_every_engine!(
    /// One that somebody else made, with more than its key unique: the plan says so, and each row that meets it is named.
    an_archive_with_another_unique_index_is_told_in_the_plan_and_its_rows_are_named,
    |engine: Engine| {
        let sandbox = users(engine, "gone");
        sandbox.sql(&words(engine, &format!("CREATE TABLE gone ({COLUMNS}) {{{{table}}}}; CREATE UNIQUE INDEX gone_name ON gone (name);")));
        sandbox.sql("INSERT INTO gone VALUES (77, 'li', '2019-01-01 00:00:00'); INSERT INTO users VALUES (3, 'zhao', '2020-03-01 00:00:00')");
        let plan = sandbox.steward(["plan", "j"]).must_end(0);
        assert!(plan.stdout.contains("`gone_name` keeps (name) unique"), "{plan}");
        let told = sandbox.steward(["run-job", "j", "--json"]).must_end(3);
        let reasons = told.json()["datasets"][0]["reasons"].to_string();
        assert!(reasons.contains("1 row (id=1) stays") && !reasons.contains("'li'"), "{told}");
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM gone"), 2, "{told}");
    }
);

on_every_engine!(
    /// Whoever comes second takes what the first one made.
    two_jobs_that_make_one_archive_at_the_same_moment_both_work,
    |engine: Engine| {
        for _ in 0..3 {
            let sandbox = users(engine, "gone, create: true");
            sandbox.sql(&words(
                engine,
                &format!("CREATE TABLE others ({COLUMNS}) {{{{table}}}}; INSERT INTO others VALUES (9, 'x', '2020-01-01 00:00:00');"),
            ));
            sandbox.policy("q", &policy("q", "gone, create: true").replace("core.users", "core.others"));
            sandbox.job("k", "action: archive\npolicies: [q]\nmode: enforce\n");
            let runs: Vec<_> = ["j", "k"].map(|job| sandbox.command(["run-job", job]).spawn().expect("the binary starts")).into();
            for mut run in runs {
                let code = run.wait().expect("its end").code();
                // A file has one writer: whoever waits for it too long comes again.
                assert!(code == Some(0) || engine == Engine::Sqlite && code == Some(75), "{engine:?}: {code:?}");
            }
            assert!(sandbox.database.count("SELECT COUNT(*) FROM gone") >= 1);
        }
    }
);

/// SQLite gives the id of the newest row again once that is archived. The plan says so, until the policy keeps the newest row.
#[test]
fn ids_that_a_file_gives_again_are_told_in_the_plan_with_a_condition_that_keeps_them_apart() {
    let sandbox = users(Engine::Sqlite, "gone, create: true");
    let warned = |sandbox: &Sandbox| sandbox.steward(["plan", "j"]).must_end(0).stdout.contains("without AUTOINCREMENT");
    assert!(warned(&sandbox));
    sandbox
        .policy("p", &policy("p", "gone, create: true").replace("clock:", "where: \"id < (SELECT max(id) FROM users)\", clock:"));
    assert!(!warned(&sandbox));
    sandbox.sql("DROP TABLE users; CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, name text, created_at text)");
    sandbox.policy("p", &policy("p", "gone, create: true"));
    assert!(!warned(&sandbox));
}

/// Values of every class under one key, an infinite number and a text of digits included, go as they are.
#[test]
fn keys_of_any_class_in_a_file_are_moved_once() {
    for declared in ["ANY", "NUMERIC"] {
        let sandbox = users(Engine::Sqlite, "gone, create: true");
        let strict = if declared == "ANY" { "STRICT" } else { "" };
        sandbox.sql(&format!(
            "DROP TABLE users; CREATE TABLE users (id {declared} NOT NULL PRIMARY KEY, name TEXT, created_at TEXT) {strict}; \
             INSERT INTO users VALUES (1, 'a', '2020-01-01 00:00:00'), ('x', 'b', '2020-01-01 00:00:00'), (9e999, 'c', '2020-01-01 00:00:00'), \
             (-9e999, 'd', '2020-01-01 00:00:00'), (x'00ff', 'e', '2020-01-01 00:00:00'), ('02', 'f', '2020-01-01 00:00:00')"
        ));
        let kinds = |table: &str| sandbox.database.rows(&format!("SELECT typeof(id), name FROM {table} ORDER BY name"));
        let before = (kinds("users"), sandbox.database.count("SELECT COUNT(*) FROM users"));
        let told = sandbox.steward(["run-job", "j"]);
        assert_eq!(told.code, Some(0), "{declared}: {told}");
        assert_eq!((kinds("gone"), sandbox.database.count("SELECT COUNT(*) FROM users")), (before.0, 0), "{declared}: {told}");
        assert!(before.1 >= 5);
    }
}
