//! Foreign keys: over partitions both ways, back to their own table, and where the account has no right on the child.

use super::setup::{empty, governs, is_refused, sandbox, table, words};
use crate::support::engine::Engine;

#[test]
fn a_foreign_key_is_seen_through_partitions_in_both_directions_and_counted_once() {
    let sandbox = sandbox(
        Engine::Postgres,
        "CREATE TABLE m (id int PRIMARY KEY, created_at timestamptz) PARTITION BY RANGE (id); \
         CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10); CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (10) TO (20); \
         INSERT INTO m VALUES (1, '2020-01-01'), (11, '2020-01-01');",
    );
    // On the partition, the policy on its parent; on the parent, the policy on its partition; and between them.
    for (key, dataset) in [("m1", "m"), ("m", "m1"), ("m", "m"), ("m1", "m1")] {
        for (rule, what) in [("CASCADE", "removed"), ("SET NULL", "changed")] {
            sandbox.sql(&format!(
                "CREATE TABLE ch (id int PRIMARY KEY, pa int REFERENCES {key} (id) ON DELETE {rule}) PARTITION BY RANGE (id); \
                 CREATE TABLE ch1 PARTITION OF ch FOR VALUES FROM (0) TO (10); INSERT INTO ch VALUES (5, 1)"
            ));
            governs(&sandbox, &format!("core.{dataset}"), None, "");
            let said = sandbox.steward(["run-job", "j", "--json"]).must_end(4);
            let reasons = said.json()["datasets"][0]["reasons"].to_string();
            assert!(reasons.contains(&format!("1 row of `ch` would be {what} along")), "{key} {dataset}: {said}");
            assert_eq!(reasons.matches("would be").count(), 1, "{said}");
            assert_eq!(sandbox.database.rows("SELECT id::text, pa::text FROM ch"), [[Some("5".into()), Some("1".into())]]);
            sandbox.sql("DROP TABLE ch");
        }
    }
    assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM m"), 2);
}

#[test]
fn a_hold_on_a_child_is_seen_through_the_partition_that_its_key_points_at() {
    let sandbox = sandbox(
        Engine::Postgres,
        "CREATE TABLE m (id int PRIMARY KEY, created_at timestamptz) PARTITION BY RANGE (id); \
         CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10); INSERT INTO m VALUES (1, '2020-01-01'); \
         CREATE TABLE ch (id int PRIMARY KEY, pa int REFERENCES m1 (id) ON DELETE CASCADE); INSERT INTO ch VALUES (5, 1)",
    );
    governs(
        &sandbox,
        "core.m",
        None,
        "    cascade: allow\nholds:\n  - { name: case-1, dataset: core.ch, because: law, owner: l@example.com }\n",
    );
    is_refused(&sandbox, &["m", "ch"], &["`case-1`"]);
}

#[test]
fn a_foreign_key_that_leads_back_to_its_own_table_is_refused_even_where_cascade_is_allowed() {
    for engine in Engine::all() {
        for rule in ["CASCADE", "SET NULL"] {
            let sandbox = sandbox(
                engine,
                &format!(
                    "CREATE TABLE tree (id integer NOT NULL PRIMARY KEY, created_at {{{{datetime}}}}, note varchar(40), up integer, \
                     FOREIGN KEY (up) REFERENCES tree (id) ON DELETE {rule}) {{{{table}}}}; \
                     INSERT INTO tree VALUES (1, '2020-01-01 00:00:00', 'due', NULL), (2, '2099-01-01 00:00:00', 'young', 1);"
                ),
            );
            sandbox.sql(&words(engine, &(empty("arch") + "ALTER TABLE arch ADD COLUMN up integer;")));
            for archive in [None, Some("core.arch")] {
                governs(&sandbox, "core.tree", archive, "    cascade: allow\n");
                is_refused(&sandbox, &["tree", "arch"], &["SW4043", "leads back"]);
            }
            // Marking removes nothing, so nothing goes along.
            sandbox.policy(
                "p",
                "sessions:\n  - { name: p, dataset: core.tree, expires: created_at, set: { note: over }, guard: { max_percent: 100 } }\n",
            );
            sandbox.job("j", "action: expire-sessions\npolicies: [p]\nmode: enforce\n");
            sandbox.steward(["run-job", "j"]).must_end(0);
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM tree WHERE note = 'over'"), 1);
            sandbox.policy("p", "sessions:\n  - { name: p, dataset: core.tree, expires: created_at, cascade: allow, guard: { max_percent: 100 } }\n");
            is_refused(&sandbox, &["tree"], &["SW4043"]);
        }
    }
}

#[test]
fn a_chain_through_another_table_leads_back_too_and_one_that_refuses_does_not() {
    for engine in Engine::all() {
        let sandbox = sandbox(
            engine,
            &(table("pa")
                + "ALTER TABLE pa ADD COLUMN ch integer; \
                   CREATE TABLE ch (id integer NOT NULL PRIMARY KEY, pa integer, FOREIGN KEY (pa) REFERENCES pa (id) ON DELETE CASCADE) {{table}};"),
        );
        let back = |rule: &str| {
            match engine {
            // SQLite adds no constraint to a table.
            Engine::Sqlite => sandbox.sql(&format!(
                "DROP TABLE IF EXISTS pa2; CREATE TABLE pa2 AS SELECT * FROM pa; DROP TABLE pa; \
                 CREATE TABLE pa (id integer NOT NULL PRIMARY KEY, created_at text, note text, ch integer REFERENCES ch (id) ON DELETE {rule}); \
                 INSERT INTO pa SELECT * FROM pa2"
            )),
            Engine::Postgres => sandbox.sql(&format!("ALTER TABLE pa ADD CONSTRAINT back_{0} FOREIGN KEY (ch) REFERENCES ch (id) ON DELETE {rule}", rule.len())),
            _ => sandbox.sql(&format!("ALTER TABLE pa ADD CONSTRAINT back_{0} FOREIGN KEY (ch) REFERENCES ch (id) ON DELETE {rule}", rule.len())),
        }
        };
        governs(&sandbox, "core.pa", None, "    cascade: allow\n");
        back("CASCADE");
        is_refused(&sandbox, &["pa", "ch"], &["SW4043", "leads back"]);
        match engine {
            Engine::Sqlite => {}
            Engine::Postgres => sandbox.sql("ALTER TABLE pa DROP CONSTRAINT back_7"),
            _ => sandbox.sql("ALTER TABLE pa DROP FOREIGN KEY back_7"),
        }
        back("RESTRICT");
        sandbox.steward(["run-job", "j"]).must_end(0);
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM pa"), 1);
    }
}

#[test]
fn an_archive_whose_removal_would_take_live_rows_along_is_refused() {
    for engine in Engine::all() {
        let sandbox = sandbox(
            engine,
            &(table("arch")
                + "CREATE TABLE pa (id integer NOT NULL PRIMARY KEY, created_at {{datetime}}, note varchar(40), \
                   FOREIGN KEY (id) REFERENCES arch (id) ON DELETE CASCADE) {{table}}; INSERT INTO pa SELECT * FROM arch;"),
        );
        sandbox.policy(
            "p",
            "lifecycle:\n  - { name: p, dataset: core.pa, clock: created_at, cascade: allow, guard: { max_percent: 100 }, \
             archive: { after: 1 year, to: core.arch }, delete: { after: 2 years } }\n",
        );
        sandbox.job("j", "action: delete\npolicies: [p]\nmode: enforce\n");
        is_refused(&sandbox, &["pa", "arch"], &["SW5002", "rows of its archive"]);
    }
}
