//! What a hold, a minimum, a tag or a policy covers: the rows it is about, whatever name leads to them.

use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox, URL};

const POLICY: &str = "lifecycle:\n  - { name: orders, dataset: core.orders, clock: created_at, delete: { after: 1 year }, guard: { max_rows: 1000, max_percent: 100 } }\n";

/// Twenty orders, all of them due, and a job that removes them.
fn fixture(engine: Engine) -> Sandbox {
    let sandbox = Sandbox::new(engine);
    let (time, table) = (engine.word("datetime").expect("a word"), engine.word("table").expect("a word"));
    sandbox
        .sql(&format!("CREATE TABLE orders (id integer NOT NULL PRIMARY KEY, customer varchar(40), created_at {time}) {table}"));
    let rows: Vec<String> = (1..=20).map(|id| format!("({id}, 'c{id}', '2020-01-{id:02} 00:00:00')")).collect();
    sandbox.sql(&format!("INSERT INTO orders VALUES {}", rows.join(", ")));
    sandbox.policy("orders", POLICY);
    sandbox.job("nightly", "action: delete\npolicies: [orders]\nmode: enforce\n");
    sandbox
}

fn orders(sandbox: &Sandbox) -> u64 {
    sandbox.database.count("SELECT COUNT(*) FROM orders")
}

/// Plan, validation and run all refuse, with these words, and nothing is gone.
#[track_caller]
fn must_refuse(sandbox: &Sandbox, words: &[&str]) {
    let has_all = |ended: &Ended| words.iter().all(|word| ended.stdout.contains(word) || ended.stderr.contains(word));
    let valid = sandbox.steward(["validate", "--connect"]).must_end(78);
    assert!(has_all(&valid), "{words:?} is not in\n{valid}");
    let plan = sandbox.steward(["plan", "nightly"]).must_end(4);
    assert!(has_all(&plan), "{words:?} is not in\n{plan}");
    let run = sandbox.steward(["run-job", "nightly"]).must_end(4);
    assert!(has_all(&run), "{words:?} is not in\n{run}");
    assert_eq!(orders(sandbox), 20, "{run}");
}

#[test]
fn a_hold_on_what_is_not_there_refuses_every_removal_from_its_database() {
    for engine in Engine::all() {
        let sandbox = fixture(engine);
        for dataset in ["core.order", "core.Orders", "core.nowhere.orders"] {
            sandbox.policy("holds", &format!("holds:\n  - {{ name: case-1, dataset: {dataset}, because: litigation }}\n"));
            must_refuse(&sandbox, &["case-1", dataset]);
        }
        // Once seen it stays in force, and what was wrong with it too, until a person ends it.
        std::fs::remove_file(sandbox.path("policies/holds.yaml")).expect("the holds");
        sandbox.steward(["run-job", "nightly"]).must_end(4);
        sandbox.steward(["hold", "release", "case-1", "--why", "misspelt"]).must_end(0);
        sandbox.steward(["run-job", "nightly"]).must_end(0);
        assert_eq!(orders(&sandbox), 0);
        sandbox.steward(["hold", "add", "case-2", "--dataset", "core.order", "--because", "litigation"]).must_end(4);
    }
}

#[test]
fn a_hold_on_a_view_is_refused_for_it_keeps_no_rows() {
    for engine in Engine::all() {
        let sandbox = fixture(engine);
        sandbox.sql("CREATE VIEW due_orders AS SELECT * FROM orders WHERE id < 5");
        sandbox.policy("holds", "holds:\n  - { name: case-1, dataset: core.due_orders, because: litigation }\n");
        must_refuse(&sandbox, &["case-1", "is a view"]);
        sandbox.steward(["hold", "add", "case-2", "--dataset", "core.due_orders", "--because", "litigation"]).must_end(4);
    }
}

#[test]
fn a_tag_on_a_table_or_column_that_is_not_there_is_refused() {
    for engine in Engine::all() {
        let sandbox = fixture(engine);
        for (dataset, field) in [("core.order", "customer"), ("core.orders", "custmer")] {
            let tags = format!(
                "classification:\n  - {{ dataset: {dataset}, fields: {{ {field}: {{ sensitivity: high, retention: 1 day }} }} }}\n"
            );
            sandbox.policy("tags", &tags);
            must_refuse(&sandbox, &["the tag of", dataset]);
        }
    }
}

/// A second store of the configuration that leads to the same database.
fn with_a_twin(sandbox: &Sandbox) {
    sandbox.write(
        "steward.yaml",
        &format!(
            "stores:\n  core: {{ url: {{ env: {URL} }} }}\n  twin: {{ url: {{ env: {URL} }} }}\nstate: state/\npolicies: [policies/]\njobs: jobs/\n"
        ),
    );
}

#[test]
fn a_hold_a_minimum_and_an_archive_count_through_a_second_store_name_of_the_same_database() {
    for engine in Engine::all() {
        let sandbox = fixture(engine);
        with_a_twin(&sandbox);
        sandbox.policy("other", "lifecycle:\n  - { name: kept, dataset: twin.orders, clock: created_at, archive: { after: 20 years, to: twin.orders_archive, create: true } }\n");
        must_refuse_run(&sandbox, &["SW2112", "kept"]);
        sandbox.policy(
            "other",
            "classification:\n  - { dataset: twin.orders, fields: { customer: { sensitivity: high, retention: 7 years } } }\n",
        );
        must_refuse_run(&sandbox, &["SW2107", "7 years"]);
        sandbox.policy("other", "holds:\n  - { name: case-1, dataset: twin.orders, where: \"id <= 3\", because: litigation }\n");
        let report = sandbox.steward(["run-job", "nightly", "--json"]).must_end(0).json();
        assert_eq!((&report["datasets"][0]["left"]["held"], orders(&sandbox)), (&3.into(), 3), "{report:#}");
        // A twin under another address that gives no answer keeps nobody from the store that is there.
        sandbox.write(
            "steward.yaml",
            &std::fs::read_to_string(sandbox.path("steward.yaml")).expect("it").replace(
                &format!("twin: {{ url: {{ env: {URL} }} }}"),
                if engine == Engine::Sqlite {
                    "twin: { url: \"sqlite:gone.db\" }"
                } else {
                    "twin: { url: \"mysql://a@127.0.0.1:1/x\" }"
                },
            ),
        );
        sandbox.steward(["run-job", "nightly"]).must_end(0);
    }
}

#[test]
fn an_account_that_may_not_ask_for_the_clusters_identifier_removes_and_knows_its_database_under_two_names() {
    let sandbox = fixture(Engine::Postgres);
    with_a_twin(&sandbox);
    sandbox.least_privileged();
    sandbox.sql("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");
    sandbox.policy("other", "holds:\n  - { name: case-1, dataset: twin.orders, where: \"id <= 3\", because: litigation }\n");
    let report = sandbox.steward(["run-job", "nightly", "--json"]).must_end(0).json();
    assert_eq!((&report["datasets"][0]["left"]["held"], orders(&sandbox)), (&3.into(), 3), "{report:#}");
}

#[track_caller]
fn must_refuse_run(sandbox: &Sandbox, words: &[&str]) {
    let plan = sandbox.steward(["plan", "nightly"]).must_end(4);
    let run = sandbox.steward(["run-job", "nightly"]).must_end(4);
    for word in words {
        assert!(plan.stdout.contains(word) && run.stdout.contains(word), "`{word}` is not in\n{plan}\n{run}");
    }
    assert_eq!(orders(sandbox), 20);
}

#[test]
fn minimums_hold_for_sessions_caches_and_summaries_too() {
    for engine in Engine::all() {
        let sandbox = fixture(engine);
        sandbox.policy(
            "tags",
            "classification:\n  - { dataset: core.orders, fields: { customer: { sensitivity: high, retention: 2555 days } } }\n",
        );
        for (section, action) in [("sessions", "expire-sessions"), ("cache", "sweep-cache")] {
            let entry = |more: &str| {
                format!(
                    "{section}:\n  - {{ name: orders, dataset: core.orders, expires: created_at{more}, guard: {{ max_rows: 1000, max_percent: 100 }} }}\n"
                )
            };
            sandbox.job("nightly", &format!("action: {action}\npolicies: [orders]\nmode: enforce\n"));
            for more in ["", ", after: 6 years"] {
                sandbox.policy("orders", &entry(more));
                let invalid = sandbox.steward(["run-job", "nightly"]).must_end(78);
                assert!(invalid.stderr.contains("SW2107") && invalid.stderr.contains("tags.yaml"), "{invalid}");
            }
            assert_eq!(orders(&sandbox), 20);
            // Marked rows stay.
            sandbox.policy("orders", &entry(", set: { customer: gone }"));
            sandbox.steward(["plan", "nightly"]).must_end(0);
        }
        sandbox.policy("orders", "views:\n  - { name: orders, dataset: core.orders, statement: [\"DELETE FROM orders\"] }\n");
        sandbox.job("nightly", "action: refresh-views\npolicies: [orders]\nmode: enforce\n");
        let invalid = sandbox.steward(["run-job", "nightly"]).must_end(78);
        assert!(invalid.stderr.contains("SW2107"), "{invalid}");
        assert_eq!(orders(&sandbox), 20);
    }
}

#[test]
fn what_one_policy_archives_no_other_removes() {
    for engine in Engine::all() {
        let sandbox = fixture(engine);
        let archive = |condition: &str| {
            format!(
                "lifecycle:\n  - {{ name: kept, dataset: core.orders, clock: created_at, {condition}archive: {{ after: 3 years, to: core.orders_archive, create: true }} }}\n"
            )
        };
        sandbox.policy("other", &archive(""));
        let invalid = sandbox.steward(["run-job", "nightly"]).must_end(78);
        assert!(
            invalid.stderr.contains("SW2112") && invalid.stderr.contains("other.yaml") && invalid.stderr.contains("orders.yaml"),
            "{invalid}"
        );
        // By different conditions: the rows decide.
        sandbox.policy("orders", &POLICY.replace("delete:", "where: \"id <= 10\", delete:"));
        sandbox.policy("other", &archive("where: \"id >= 10\", "));
        must_refuse_run(&sandbox, &["SW2112"]);
        sandbox.policy("other", &archive("where: \"id > 10\", "));
        sandbox.steward(["run-job", "nightly"]).must_end(0);
        assert_eq!(orders(&sandbox), 10);
    }
}

#[test]
fn what_a_foreign_key_takes_along_keeps_its_own_minimum_and_its_own_archive() {
    for engine in Engine::all() {
        let sandbox = fixture(engine);
        let table = engine.word("table").expect("a word");
        sandbox.sql(&format!(
            "CREATE TABLE order_lines (id integer NOT NULL PRIMARY KEY, order_id integer, note varchar(20), made {}, \
             FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE) {table}; \
             INSERT INTO order_lines VALUES (1, 3, 'x', '2020-01-01 00:00:00')",
            engine.word("datetime").expect("a word")
        ));
        sandbox.policy("orders", &POLICY.replace("delete:", "cascade: allow, delete:"));
        let minimums = [
            "classification:\n  - { dataset: core.order_lines, fields: { note: { sensitivity: low, retention: 2555 days } } }\n",
            "lifecycle:\n  - { name: order_lines, dataset: core.order_lines, clock: made, delete: { after: 8 years }, keep_at_least: { for: 7 years, because: law } }\n",
            "lifecycle:\n  - { name: order_lines, dataset: core.order_lines, clock: made, archive: { after: 1 year, to: core.lines_archive, create: true } }\n",
        ];
        for minimum in minimums {
            sandbox.policy("lines", minimum);
            must_refuse_run(&sandbox, &["order_lines"]);
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM order_lines"), 1);
        }
        std::fs::remove_file(sandbox.path("policies/lines.yaml")).expect("the policy");
        sandbox.steward(["run-job", "nightly"]).must_end(0);
        assert_eq!((orders(&sandbox), sandbox.database.count("SELECT COUNT(*) FROM order_lines")), (0, 0));
    }
}

/// Orders of two years, each in a partition of its own.
fn partitioned() -> Sandbox {
    let sandbox = Sandbox::new(Engine::Postgres);
    sandbox.sql(
        "CREATE TABLE orders (id integer NOT NULL, customer text, created_at timestamp NOT NULL, PRIMARY KEY (id, created_at)) \
         PARTITION BY RANGE (created_at); \
         CREATE TABLE orders_2020 PARTITION OF orders FOR VALUES FROM ('2020-01-01') TO ('2021-01-01'); \
         CREATE TABLE orders_2021 PARTITION OF orders FOR VALUES FROM ('2021-01-01') TO ('2022-01-01') PARTITION BY RANGE (created_at); \
         CREATE TABLE orders_2021_h1 PARTITION OF orders_2021 FOR VALUES FROM ('2021-01-01') TO ('2021-07-01'); \
         INSERT INTO orders SELECT i, 'c', timestamp '2020-02-01' + i * interval '1 day' FROM generate_series(1, 10) i; \
         INSERT INTO orders SELECT i, 'c', timestamp '2021-02-01' + i * interval '1 day' FROM generate_series(11, 20) i",
    );
    sandbox.policy("orders", POLICY);
    sandbox.job("nightly", "action: delete\npolicies: [orders]\nmode: enforce\n");
    sandbox
}

#[test]
fn a_hold_on_a_partition_and_on_its_parent_keep_the_same_rows_by_whatever_name_they_are_removed() {
    for (hold, condition, left) in
        [("core.orders_2021", "", 10), ("core.orders_2021", "where: \"id = 15\", ", 1), ("core.public.orders_2021_h1", "", 10)]
    {
        let sandbox = partitioned();
        sandbox.policy("holds", &format!("holds:\n  - {{ name: case-1, dataset: {hold}, {condition}because: litigation }}\n"));
        let report = sandbox.steward(["run-job", "nightly", "--json"]).must_end(0).json();
        assert_eq!(report["datasets"][0]["left"]["held"], left, "{report:#}");
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders_2020"), 0);
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders_2021"), left);
    }
    for dataset in ["core.orders_2021", "core.orders_2021_h1"] {
        let sandbox = partitioned();
        sandbox.policy("orders", &POLICY.replace("dataset: core.orders", &format!("dataset: {dataset}")));
        sandbox.policy(
            "holds",
            "holds:\n  - { name: case-1, dataset: core.orders, where: \"id in (15, 16)\", because: litigation }\n",
        );
        sandbox.steward(["run-job", "nightly"]).must_end(0);
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders"), 12);
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders WHERE id IN (15, 16)"), 2);
    }
}

#[test]
fn minimums_reach_through_partitions_in_both_directions() {
    let keep = |dataset: &str| {
        format!(
            "lifecycle:\n  - {{ name: kept, dataset: {dataset}, clock: created_at, delete: {{ after: 9 years }}, keep_at_least: {{ for: 8 years, because: law }} }}\n"
        )
    };
    for (governed, kept) in
        [("core.orders", "core.orders_2020"), ("core.orders_2020", "core.orders"), ("core.orders", "core.orders_2021_h1")]
    {
        let sandbox = partitioned();
        sandbox.policy("orders", &POLICY.replace("dataset: core.orders", &format!("dataset: {governed}")));
        sandbox.policy("kept", &keep(kept));
        must_refuse_run(&sandbox, &["SW2106", "8 years"]);
        sandbox.policy("kept", &format!("classification:\n  - {{ dataset: {kept}, fields: {{ customer: {{ sensitivity: low, retention: 2555 days }} }} }}\n"));
        must_refuse_run(&sandbox, &["SW2107", "2555 days"]);
    }
}

#[test]
fn a_hold_on_a_table_above_an_inherited_one_keeps_its_rows() {
    let sandbox = Sandbox::new(Engine::Postgres);
    sandbox.sql(
        "CREATE TABLE orders (id integer PRIMARY KEY, customer text, created_at timestamp); \
         CREATE TABLE app_orders (extra text, PRIMARY KEY (id)) INHERITS (orders); \
         INSERT INTO app_orders SELECT i, 'c', '2020-01-01', 'x' FROM generate_series(1, 20) i",
    );
    sandbox.policy("orders", &POLICY.replace("dataset: core.orders", "dataset: core.app_orders"));
    sandbox.job("nightly", "action: delete\npolicies: [orders]\nmode: enforce\n");
    sandbox.policy("holds", "holds:\n  - { name: case-1, dataset: core.orders, where: \"id < 4\", because: litigation }\n");
    sandbox.steward(["run-job", "nightly"]).must_end(0);
    assert_eq!(orders(&sandbox), 3);
}

#[test]
fn a_stale_estimate_of_the_rows_lifts_no_guard() {
    for engine in [Engine::Postgres, Engine::Mysql, Engine::Mariadb] {
        let sandbox = fixture(engine);
        sandbox.policy("orders", &POLICY.replace(", guard: { max_rows: 1000, max_percent: 100 }", ""));
        match engine {
            Engine::Postgres => sandbox.sql("UPDATE pg_class SET reltuples = 5000000 WHERE relname = 'orders'"),
            _ => sandbox.sql(&format!(
                "UPDATE mysql.innodb_table_stats SET n_rows = 5000000 WHERE database_name = '{}' AND table_name = 'orders'; FLUSH TABLE orders",
                sandbox.database.name
            )),
        }
        let report = sandbox.steward(["run-job", "nightly", "--json"]).must_end(4).json();
        let dataset = &report["datasets"][0];
        assert_eq!(
            (&dataset["total"], &dataset["left"]["guarded"], orders(&sandbox)),
            (&20.into(), &20.into(), 20),
            "{report:#}"
        );
    }
}
