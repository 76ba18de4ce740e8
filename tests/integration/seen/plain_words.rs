//! Refusals and hints that say what is there, and a way out that fits.

use super::setup::{empty, governs, is_refused, sandbox, table};
use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;

#[test]
fn a_key_over_the_beginning_of_a_column_is_told_as_what_it_is() {
    for engine in [Engine::Mysql, Engine::Mariadb] {
        let sandbox =
            sandbox(engine, "CREATE TABLE pa (id varchar(40) NOT NULL, created_at datetime, PRIMARY KEY (id(8))) {{table}};");
        governs(&sandbox, "core.pa", None, "");
        is_refused(&sandbox, &["pa"], &["key `PRIMARY` of `core.", "covers only the beginning of a column"]);
    }
}

#[test]
fn an_unlogged_table_is_emptied_and_never_archived() {
    let script = table("pa").replace("CREATE TABLE", "CREATE UNLOGGED TABLE") + &empty("arch");
    let sandbox = sandbox(Engine::Postgres, &script);
    governs(&sandbox, "core.pa", Some("core.arch"), "");
    is_refused(&sandbox, &["pa"], &["is an unlogged table", " SET LOGGED;"]);
    sandbox.policy("p", "sessions:\n  - { name: p, dataset: core.pa, expires: created_at, guard: { max_percent: 100 } }\n");
    sandbox.job("j", "action: expire-sessions\npolicies: [p]\nmode: enforce\n");
    sandbox.steward(["run-job", "j"]).must_end(0);
    assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM pa"), 1);
    sandbox.sql("ALTER TABLE pa SET LOGGED; ALTER TABLE arch SET UNLOGGED");
    governs(&sandbox, "core.pa", Some("core.arch"), "");
    is_refused(&sandbox, &["pa"], &["`core.public.arch` is an unlogged table"]);
}

#[test]
fn where_no_table_is_the_schema_that_was_looked_in_is_named() {
    for engine in [Engine::Postgres, Engine::Mysql, Engine::Mariadb] {
        let sandbox = Sandbox::new(engine);
        governs(&sandbox, "core.pa", None, "");
        let words = match engine {
            Engine::Postgres => {
                "`public`, the schema of this connection (`search_path` is `\"$user\", public`), has no tables".to_owned()
            }
            _ => format!("`{}`, the schema of this connection, has no tables", sandbox.database.name),
        };
        let said = sandbox.steward(["run-job", "j"]).must_end(4);
        assert!(said.to_string().contains(&words) && said.to_string().contains("name the schema: `core.schema.pa`"), "{said}");
        if engine == Engine::Postgres {
            sandbox.sql(&format!("ALTER DATABASE {} SET search_path = nowhere", sandbox.database.name));
            let said = sandbox.steward(["run-job", "j"]).must_end(4);
            assert!(said.to_string().contains("this connection has no schema (`search_path` is `nowhere`)"), "{said}");
        }
    }
}

#[test]
fn dates_that_all_lie_in_1970_or_beyond_3000_are_told_with_the_unit_that_was_meant() {
    for engine in Engine::all() {
        let sandbox = sandbox(
            engine,
            "CREATE TABLE pa (id integer NOT NULL PRIMARY KEY, created_at bigint) {{table}}; INSERT INTO pa VALUES (1, 1600000000), (2, 1700000000);",
        );
        let said_of = |unit: &str| {
            governs(&sandbox, &format!("core.pa\n    clock: {{ column: created_at, unit: {unit} }}"), None, "");
            let policy = std::fs::read_to_string(sandbox.path("policies/p.yaml")).expect("the policy");
            sandbox.policy("p", &policy.replace("    clock: created_at\n", ""));
            sandbox.steward(["plan", "j"]).to_string()
        };
        let said = said_of("ms");
        assert!(said.contains("lie in 1970 or before, read as milliseconds") && said.contains("write `unit: s`"), "{said}");
        assert!(!said_of("s").contains("read as"), "the unit is right");
        sandbox.sql("UPDATE pa SET created_at = created_at * 1000");
        let said = said_of("s");
        assert!(said.contains("lie beyond the year 3000, read as seconds") && said.contains("write `unit: ms`"), "{said}");
        // One date of our time is enough.
        sandbox.sql("INSERT INTO pa VALUES (3, 1650000000)");
        assert!(!said_of("s").contains("read as"));
    }
}

#[test]
fn a_table_of_ours_is_no_largest_table() {
    for engine in Engine::all() {
        let sandbox = sandbox(engine, &table("pa"));
        governs(&sandbox, "core.pa", None, "");
        sandbox.steward(["run-job", "j"]).must_end(0);
        sandbox.policy("c", "checks:\n  - { name: c, dataset: core, table_size: true, fail: \"> 900 GB\", samples: 9 }\n");
        sandbox.job("c", "action: check-quality\npolicies: [c]\n");
        let said = sandbox.steward(["run-job", "c", "--json"]).must_end(0).to_string();
        assert!(said.contains("pa: ") && !said.contains("steward_batches: "), "{said}");
    }
}
