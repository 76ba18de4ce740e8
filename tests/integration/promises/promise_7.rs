//! Guards before damage: default caps, refuse rather than trim; what cannot work is refused with the reason.

use super::orders_fixture;
use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox};
use steward::ledger::event::Event;

mod guards_before_damage {
    use super::*;

    on_every_engine!(
        /// Scenario 14, the default: 20 % of the rows.
        more_than_a_fifth_of_the_rows_is_refused_by_default,
        |engine: Engine| {
            let sandbox = orders_fixture::open_with(engine, 20);
            sandbox.policy("orders", &orders_fixture::policy("").replace("    guard: { max_rows: 10000000, max_percent: 100 }\n", ""));
            for words in [&["run-job", "archive-orders"][..], &["run-job", "archive-orders", "--yes"]] {
                let told = refused(&sandbox, words);
                assert!(told.stdout.contains("--plan FILE"), "it does not say how to approve: {told}");
            }
            let report = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(4).json();
            assert_eq!(report["datasets"][0]["left"]["guarded"], 20, "{report:#}");
            // Four of twenty-nine are due: that may go without asking.
            sandbox.sql("UPDATE orders SET created_at = '2099-01-01 00:00:00' WHERE id > 5");
            sandbox.steward(["run-job", "archive-orders"]).must_end(0);
            assert_eq!(orders_fixture::orders(&sandbox), 20);
        }
    );

    on_every_engine!(
        /// It never takes a part.
        one_row_more_than_the_cap_and_none_goes,
        |engine: Engine| {
            let sandbox = orders_fixture::open_with(engine, 11);
            sandbox.policy("orders", &orders_fixture::policy("").replace("max_rows: 10000000", "max_rows: 10"));
            refused(&sandbox, &["run-job", "archive-orders"]);
            sandbox.sql("UPDATE orders SET created_at = NULL WHERE id = 1");
            sandbox.steward(["run-job", "archive-orders"]).must_end(0);
            assert_eq!(orders_fixture::orders(&sandbox), 6);
        }
    );

    on_every_engine!(
        /// A plan approves what a person has seen, and nothing else.
        a_plan_approves_exactly_what_it_lists,
        |engine: Engine| {
            let sandbox = orders_fixture::open_with(engine, 20);
            sandbox.policy("orders", &orders_fixture::policy("").replace("max_rows: 10000000", "max_rows: 10"));
            sandbox.steward(["plan", "archive-orders", "--out", "approved.plan"]).must_end(0);
            let approved = std::fs::read_to_string(sandbox.path("approved.plan")).expect("a plan");

            sandbox.write("edited.plan", &approved.replace("\"due\": 20", "\"due\": 21"));
            assert!(!approved.contains("\"due\": 21"));
            refused(&sandbox, &["run-job", "archive-orders", "--plan", "edited.plan"]);

            sandbox.sql(&orders_fixture::insert("orders", &[21]));
            refused(&sandbox, &["run-job", "archive-orders", "--plan", "approved.plan"]);
            sandbox.sql("DELETE FROM orders WHERE id = 21");

            sandbox.policy("holds", "holds:\n  - { name: late, dataset: core.orders, where: id = 3, because: litigation }\n");
            refused(&sandbox, &["run-job", "archive-orders", "--plan", "approved.plan"]);
            assert_eq!(orders_fixture::orders(&sandbox), 25);
        }
    );

    on_every_engine!(a_plan_that_still_fits_lets_it_pass, |engine: Engine| {
        let sandbox = orders_fixture::open_with(engine, 20);
        sandbox.policy("orders", &orders_fixture::policy("").replace("max_rows: 10000000", "max_rows: 10"));
        sandbox.steward(["plan", "archive-orders", "--out", "approved.plan"]).must_end(0);
        sandbox.steward(["run-job", "archive-orders", "--plan", "approved.plan"]).must_end(0);
        assert_eq!(orders_fixture::orders(&sandbox), 5);
    });

    on_every_engine!(
        /// The guarded dataset is left alone, the others run, and the code is 4.
        a_guard_stops_its_own_dataset_only,
        |engine: Engine| {
            let sandbox = orders_fixture::open_with(engine, 20);
            sandbox.sql(&orders_fixture::tables(engine, "invoices"));
            sandbox.sql(&orders_fixture::insert("invoices", &(1..=15).collect::<Vec<_>>()));
            sandbox.policy("orders", &orders_fixture::policy("").replace("max_rows: 10000000", "max_rows: 10"));
            sandbox.policy("invoices", &orders_fixture::policy("").replace("orders", "invoices"));
            sandbox.job("archive-orders", "action: archive\npolicies: [orders, invoices]\nmode: enforce\n");
            let report = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(4).json();
            assert_eq!(report["datasets"][1]["removed"], 15, "{report:#}");
            assert_eq!(orders_fixture::orders(&sandbox), 25);
            assert!(!orders_fixture::archive_is_there(&sandbox), "the guarded dataset's archive was made");
        }
    );

    on_every_engine!(
        /// Each named, nothing touched.
        what_cannot_work_is_refused_with_its_name,
        |engine: Engine| {
            let gone = |policy: &str, from: &str, to: &str| policy.replace(from, to);
            let base = orders_fixture::policy("");
            let cases = [
                ("an unknown column", gone(&base, "clock: created_at", "clock: createdat"), "", "createdat"),
                ("a clock in another letter case", gone(&base, "clock: created_at", "clock: Created_At"), "", "Created_At"),
                ("a clock that is no time", gone(&base, "clock: created_at", "clock: customer"), "", "customer"),
                ("an unknown table", gone(&base, "dataset: core.orders\n", "dataset: core.order\n"), "", "core.order"),
                ("a table in another letter case", gone(&base, "dataset: core.orders\n", "dataset: core.Orders\n"), "", "core.Orders"),
                ("an archive that is not there", gone(&base, "create: true", "create: false"), "", "core.orders_archive"),
                (
                    "a hostile table",
                    gone(&base, "dataset: core.orders\n", "dataset: 'core.orders; drop table orders'\n"),
                    "",
                    "orders; drop table orders",
                ),
                ("a condition on an unknown column", base.clone() + "    where: \"stauts = 1\"\n", "", "stauts"),
                (
                    "no key",
                    gone(&base, "dataset: core.orders\n", "dataset: core.keyless\n"),
                    "CREATE TABLE keyless AS SELECT * FROM orders",
                    "core",
                ),
                (
                    "a view",
                    gone(&base, "dataset: core.orders\n", "dataset: core.seen\n"),
                    "CREATE VIEW seen AS SELECT * FROM orders",
                    "seen",
                ),
            ];
            for (what, policy, first, named) in cases {
                let sandbox = orders_fixture::open_with(engine, 20);
                if !first.is_empty() {
                    sandbox.sql(first);
                }
                sandbox.policy("orders", &policy);
                let told = refused(&sandbox, &["run-job", "archive-orders", "--json"]);
                let reason = &told.json()["datasets"][0]["reasons"][0];
                assert!(reason["text"].as_str().is_some_and(|text| text.contains(named)), "{what}: `{named}` is not named: {told}");
                assert!(reason["code"].as_str().is_some_and(|code| code.starts_with("SW")), "{what}: no code to explain: {told}");
            }
            // A condition that is two is seen where it is declared.
            let sandbox = orders_fixture::open_with(engine, 20);
            let before = orders_fixture::everything(&sandbox);
            sandbox.policy("orders", &(base + "    where: \"id > 0) or (1 = 1\"\n"));
            let told = sandbox.steward(["run-job", "archive-orders"]).must_end(78);
            assert!(told.stderr.contains("SW2510") && told.stderr.contains("policies/orders.yaml:7:12"), "{told}");
            assert_eq!(orders_fixture::everything(&sandbox), before);
        }
    );

    on_every_engine!(
        /// What a crash of the server could lose is no archive and no source.
        a_table_that_does_not_keep_its_word_is_refused,
        |engine: Engine| {
            let make = match engine {
                Engine::Sqlite => return,
                Engine::Postgres => "CREATE UNLOGGED TABLE orders_archive (LIKE orders INCLUDING ALL)",
                Engine::Mysql | Engine::Mariadb => "CREATE TABLE orders_archive LIKE orders; ALTER TABLE orders_archive ENGINE = MyISAM",
            };
            let sandbox = orders_fixture::open_with(engine, 20);
            sandbox.sql(make);
            let told = refused(&sandbox, &["run-job", "archive-orders"]);
            assert!(told.stdout.contains("orders_archive"), "{told}");
        }
    );

    on_every_engine!(
        /// Scenario 13: a cascade that nobody allowed.
        a_cascade_that_nobody_allowed_is_refused,
        |engine: Engine| {
            for rule in ["CASCADE", "SET NULL"] {
                let sandbox = orders_fixture::open_with(engine, 20);
                let tail = engine.word("table").expect("a word");
                sandbox.sql(&format!(
                    "CREATE TABLE order_lines (id integer NOT NULL PRIMARY KEY, order_id integer, \
                     FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE {rule}) {tail}; INSERT INTO order_lines VALUES (1, 3)"
                ));
                let told = refused(&sandbox, &["run-job", "archive-orders"]);
                assert!(told.stdout.contains("order_lines") && told.stdout.contains("cascade: allow"), "{told}");
                sandbox.steward(["plan", "archive-orders", "--out", "p.plan"]).must_end(0);
                refused(&sandbox, &["run-job", "archive-orders", "--plan", "p.plan"]);
                assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM order_lines WHERE order_id = 3"), 1);
            }
        }
    );

    /// Scenario 34: before any store is asked.
    #[test]
    fn a_policy_that_is_misspelt_or_has_no_clock_is_invalid() {
        for (from, to, named) in [
            ("clock: created_at", "clok: created_at", "clock"),
            ("    clock: created_at\n", "", "clock"),
            ("guard:", "filter: \"amount > 0\"\n    guard:", "filter"),
        ] {
            let sandbox = orders_fixture::open_with(Engine::Sqlite, 20);
            sandbox.policy("orders", &orders_fixture::policy("").replace(from, to));
            let told = sandbox.steward(["run-job", "archive-orders"]).must_end(78);
            assert!(told.stderr.contains(named) && told.stderr.contains("policies/orders.yaml:"), "{told}");
            assert_eq!(orders_fixture::orders(&sandbox), 25);
            assert!(!sandbox.path("state").exists(), "an invalid policy left something behind");
        }
    }
}

/// Ends with 4, and source and archive are as they were; not even a batch was meant.
#[track_caller]
fn refused(sandbox: &Sandbox, words: &[&str]) -> Ended {
    let (before, there) = (orders_fixture::everything(sandbox), orders_fixture::archive_is_there(sandbox));
    let told = sandbox.steward(words.iter().copied()).must_end(4);
    assert_eq!(orders_fixture::everything(sandbox), before);
    assert_eq!(orders_fixture::archive_is_there(sandbox), there, "an archive was made");
    if sandbox.path("state/steward.db").exists() {
        assert!(
            !orders_fixture::events(sandbox).iter().any(|event| matches!(event, Event::Intent { .. })),
            "a batch was begun: {told}"
        );
    }
    told
}
