//! What a hold, a minimum, a tag or a policy covers: the rows it is about, whatever name leads to them.

use crate::support::engine::Engine;
use crate::support::house::{Ended, House, URL};

const POLICY: &str = "lifecycle:\n  - { name: orders, dataset: core.orders, clock: created_at, delete: { after: 1 year }, guard: { max_rows: 1000, max_percent: 100 } }\n";

/// Twenty orders, all of them due, and a job that removes them.
fn shop(engine: Engine) -> House {
    let house = House::new(engine);
    let (time, table) = (engine.word("datetime").expect("a word"), engine.word("table").expect("a word"));
    house.sql(&format!("CREATE TABLE orders (id integer NOT NULL PRIMARY KEY, customer varchar(40), created_at {time}) {table}"));
    let rows: Vec<String> = (1..=20).map(|id| format!("({id}, 'c{id}', '2020-01-{id:02} 00:00:00')")).collect();
    house.sql(&format!("INSERT INTO orders VALUES {}", rows.join(", ")));
    house.policy("orders", POLICY);
    house.job("nightly", "action: delete\npolicies: [orders]\nmode: enforce\n");
    house
}

fn orders(house: &House) -> u64 {
    house.database.count("SELECT COUNT(*) FROM orders")
}

/// Plan, validation and run all refuse, with these words, and nothing is gone.
#[track_caller]
fn must_refuse(house: &House, words: &[&str]) {
    let has_all = |ended: &Ended| words.iter().all(|word| ended.stdout.contains(word) || ended.stderr.contains(word));
    let valid = house.steward(["validate", "--connect"]).must_end(78);
    assert!(has_all(&valid), "{words:?} is not in\n{valid}");
    let plan = house.steward(["plan", "nightly"]).must_end(4);
    assert!(has_all(&plan), "{words:?} is not in\n{plan}");
    let run = house.steward(["run-job", "nightly"]).must_end(4);
    assert!(has_all(&run), "{words:?} is not in\n{run}");
    assert_eq!(orders(house), 20, "{run}");
}

#[test]
fn a_hold_on_what_is_not_there_refuses_every_removal_from_its_database() {
    for engine in Engine::all() {
        let house = shop(engine);
        for dataset in ["core.order", "core.Orders", "core.nowhere.orders"] {
            house.policy("holds", &format!("holds:\n  - {{ name: case-1, dataset: {dataset}, because: litigation }}\n"));
            must_refuse(&house, &["case-1", dataset]);
        }
        // Once seen it stays in force, and what was wrong with it too, until a person ends it.
        std::fs::remove_file(house.path("policies/holds.yaml")).expect("the holds");
        house.steward(["run-job", "nightly"]).must_end(4);
        house.steward(["hold", "release", "case-1", "--why", "misspelt"]).must_end(0);
        house.steward(["run-job", "nightly"]).must_end(0);
        assert_eq!(orders(&house), 0);
        house.steward(["hold", "add", "case-2", "--dataset", "core.order", "--because", "litigation"]).must_end(4);
    }
}

#[test]
fn a_hold_on_a_view_is_refused_for_it_keeps_no_rows() {
    for engine in Engine::all() {
        let house = shop(engine);
        house.sql("CREATE VIEW due_orders AS SELECT * FROM orders WHERE id < 5");
        house.policy("holds", "holds:\n  - { name: case-1, dataset: core.due_orders, because: litigation }\n");
        must_refuse(&house, &["case-1", "is a view"]);
        house.steward(["hold", "add", "case-2", "--dataset", "core.due_orders", "--because", "litigation"]).must_end(4);
    }
}

#[test]
fn a_tag_on_a_table_or_column_that_is_not_there_is_refused() {
    for engine in Engine::all() {
        let house = shop(engine);
        for (dataset, field) in [("core.order", "customer"), ("core.orders", "custmer")] {
            let tags = format!(
                "classification:\n  - {{ dataset: {dataset}, fields: {{ {field}: {{ sensitivity: high, retention: 1 day }} }} }}\n"
            );
            house.policy("tags", &tags);
            must_refuse(&house, &["the tag of", dataset]);
        }
    }
}

/// A second store of the configuration that leads to the same database.
fn with_a_twin(house: &House) {
    house.write(
        "steward.yaml",
        &format!(
            "stores:\n  core: {{ url: {{ env: {URL} }} }}\n  twin: {{ url: {{ env: {URL} }} }}\nstate: state/\npolicies: [policies/]\njobs: jobs/\n"
        ),
    );
}

#[test]
fn a_hold_a_minimum_and_an_archive_count_through_a_second_store_name_of_the_same_database() {
    for engine in Engine::all() {
        let house = shop(engine);
        with_a_twin(&house);
        house.policy("other", "lifecycle:\n  - { name: kept, dataset: twin.orders, clock: created_at, archive: { after: 20 years, to: twin.orders_archive, create: true } }\n");
        must_refuse_run(&house, &["SW2112", "kept"]);
        house.policy(
            "other",
            "classification:\n  - { dataset: twin.orders, fields: { customer: { sensitivity: high, retention: 7 years } } }\n",
        );
        must_refuse_run(&house, &["SW2107", "7 years"]);
        house.policy("other", "holds:\n  - { name: case-1, dataset: twin.orders, where: \"id <= 3\", because: litigation }\n");
        let report = house.steward(["run-job", "nightly", "--json"]).must_end(0).json();
        assert_eq!((&report["datasets"][0]["left"]["held"], orders(&house)), (&3.into(), 3), "{report:#}");
        // A twin under another address that gives no answer keeps nobody from the store that is there.
        house.write(
            "steward.yaml",
            &std::fs::read_to_string(house.path("steward.yaml")).expect("it").replace(
                &format!("twin: {{ url: {{ env: {URL} }} }}"),
                if engine == Engine::Sqlite {
                    "twin: { url: \"sqlite:gone.db\" }"
                } else {
                    "twin: { url: \"mysql://a@127.0.0.1:1/x\" }"
                },
            ),
        );
        house.steward(["run-job", "nightly"]).must_end(0);
    }
}

#[test]
fn an_account_that_may_not_ask_for_the_clusters_identifier_removes_and_knows_its_database_under_two_names() {
    let house = shop(Engine::Postgres);
    with_a_twin(&house);
    house.least_privileged();
    house.sql("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");
    house.policy("other", "holds:\n  - { name: case-1, dataset: twin.orders, where: \"id <= 3\", because: litigation }\n");
    let report = house.steward(["run-job", "nightly", "--json"]).must_end(0).json();
    assert_eq!((&report["datasets"][0]["left"]["held"], orders(&house)), (&3.into(), 3), "{report:#}");
}

#[track_caller]
fn must_refuse_run(house: &House, words: &[&str]) {
    let plan = house.steward(["plan", "nightly"]).must_end(4);
    let run = house.steward(["run-job", "nightly"]).must_end(4);
    for word in words {
        assert!(plan.stdout.contains(word) && run.stdout.contains(word), "`{word}` is not in\n{plan}\n{run}");
    }
    assert_eq!(orders(house), 20);
}

#[test]
fn minimums_hold_for_sessions_caches_and_summaries_too() {
    for engine in Engine::all() {
        let house = shop(engine);
        house.policy(
            "tags",
            "classification:\n  - { dataset: core.orders, fields: { customer: { sensitivity: high, retention: 2555 days } } }\n",
        );
        for (section, action) in [("sessions", "expire-sessions"), ("cache", "sweep-cache")] {
            let entry = |more: &str| {
                format!(
                    "{section}:\n  - {{ name: orders, dataset: core.orders, expires: created_at{more}, guard: {{ max_rows: 1000, max_percent: 100 }} }}\n"
                )
            };
            house.job("nightly", &format!("action: {action}\npolicies: [orders]\nmode: enforce\n"));
            for more in ["", ", after: 6 years"] {
                house.policy("orders", &entry(more));
                let invalid = house.steward(["run-job", "nightly"]).must_end(78);
                assert!(invalid.stderr.contains("SW2107") && invalid.stderr.contains("tags.yaml"), "{invalid}");
            }
            assert_eq!(orders(&house), 20);
            // Marked rows stay.
            house.policy("orders", &entry(", set: { customer: gone }"));
            house.steward(["plan", "nightly"]).must_end(0);
        }
        house.policy("orders", "views:\n  - { name: orders, dataset: core.orders, statement: [\"DELETE FROM orders\"] }\n");
        house.job("nightly", "action: refresh-views\npolicies: [orders]\nmode: enforce\n");
        let invalid = house.steward(["run-job", "nightly"]).must_end(78);
        assert!(invalid.stderr.contains("SW2107"), "{invalid}");
        assert_eq!(orders(&house), 20);
    }
}

#[test]
fn what_one_policy_archives_no_other_removes() {
    for engine in Engine::all() {
        let house = shop(engine);
        let archive = |condition: &str| {
            format!(
                "lifecycle:\n  - {{ name: kept, dataset: core.orders, clock: created_at, {condition}archive: {{ after: 3 years, to: core.orders_archive, create: true }} }}\n"
            )
        };
        house.policy("other", &archive(""));
        let invalid = house.steward(["run-job", "nightly"]).must_end(78);
        assert!(
            invalid.stderr.contains("SW2112") && invalid.stderr.contains("other.yaml") && invalid.stderr.contains("orders.yaml"),
            "{invalid}"
        );
        // By different conditions: the rows decide.
        house.policy("orders", &POLICY.replace("delete:", "where: \"id <= 10\", delete:"));
        house.policy("other", &archive("where: \"id >= 10\", "));
        must_refuse_run(&house, &["SW2112"]);
        house.policy("other", &archive("where: \"id > 10\", "));
        house.steward(["run-job", "nightly"]).must_end(0);
        assert_eq!(orders(&house), 10);
    }
}

#[test]
fn what_a_foreign_key_takes_along_keeps_its_own_minimum_and_its_own_archive() {
    for engine in Engine::all() {
        let house = shop(engine);
        let table = engine.word("table").expect("a word");
        house.sql(&format!(
            "CREATE TABLE order_lines (id integer NOT NULL PRIMARY KEY, order_id integer, note varchar(20), made {}, \
             FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE) {table}; \
             INSERT INTO order_lines VALUES (1, 3, 'x', '2020-01-01 00:00:00')",
            engine.word("datetime").expect("a word")
        ));
        house.policy("orders", &POLICY.replace("delete:", "cascade: allow, delete:"));
        let minimums = [
            "classification:\n  - { dataset: core.order_lines, fields: { note: { sensitivity: low, retention: 2555 days } } }\n",
            "lifecycle:\n  - { name: order_lines, dataset: core.order_lines, clock: made, delete: { after: 8 years }, keep_at_least: { for: 7 years, because: law } }\n",
            "lifecycle:\n  - { name: order_lines, dataset: core.order_lines, clock: made, archive: { after: 1 year, to: core.lines_archive, create: true } }\n",
        ];
        for minimum in minimums {
            house.policy("lines", minimum);
            must_refuse_run(&house, &["order_lines"]);
            assert_eq!(house.database.count("SELECT COUNT(*) FROM order_lines"), 1);
        }
        std::fs::remove_file(house.path("policies/lines.yaml")).expect("the policy");
        house.steward(["run-job", "nightly"]).must_end(0);
        assert_eq!((orders(&house), house.database.count("SELECT COUNT(*) FROM order_lines")), (0, 0));
    }
}

/// Orders of two years, each in a partition of its own.
fn partitioned() -> House {
    let house = House::new(Engine::Postgres);
    house.sql(
        "CREATE TABLE orders (id integer NOT NULL, customer text, created_at timestamp NOT NULL, PRIMARY KEY (id, created_at)) \
         PARTITION BY RANGE (created_at); \
         CREATE TABLE orders_2020 PARTITION OF orders FOR VALUES FROM ('2020-01-01') TO ('2021-01-01'); \
         CREATE TABLE orders_2021 PARTITION OF orders FOR VALUES FROM ('2021-01-01') TO ('2022-01-01') PARTITION BY RANGE (created_at); \
         CREATE TABLE orders_2021_h1 PARTITION OF orders_2021 FOR VALUES FROM ('2021-01-01') TO ('2021-07-01'); \
         INSERT INTO orders SELECT i, 'c', timestamp '2020-02-01' + i * interval '1 day' FROM generate_series(1, 10) i; \
         INSERT INTO orders SELECT i, 'c', timestamp '2021-02-01' + i * interval '1 day' FROM generate_series(11, 20) i",
    );
    house.policy("orders", POLICY);
    house.job("nightly", "action: delete\npolicies: [orders]\nmode: enforce\n");
    house
}

#[test]
fn a_hold_on_a_partition_and_on_its_parent_keep_the_same_rows_by_whatever_name_they_are_removed() {
    for (hold, condition, left) in
        [("core.orders_2021", "", 10), ("core.orders_2021", "where: \"id = 15\", ", 1), ("core.public.orders_2021_h1", "", 10)]
    {
        let house = partitioned();
        house.policy("holds", &format!("holds:\n  - {{ name: case-1, dataset: {hold}, {condition}because: litigation }}\n"));
        let report = house.steward(["run-job", "nightly", "--json"]).must_end(0).json();
        assert_eq!(report["datasets"][0]["left"]["held"], left, "{report:#}");
        assert_eq!(house.database.count("SELECT COUNT(*) FROM orders_2020"), 0);
        assert_eq!(house.database.count("SELECT COUNT(*) FROM orders_2021"), left);
    }
    for dataset in ["core.orders_2021", "core.orders_2021_h1"] {
        let house = partitioned();
        house.policy("orders", &POLICY.replace("dataset: core.orders", &format!("dataset: {dataset}")));
        house.policy(
            "holds",
            "holds:\n  - { name: case-1, dataset: core.orders, where: \"id in (15, 16)\", because: litigation }\n",
        );
        house.steward(["run-job", "nightly"]).must_end(0);
        assert_eq!(house.database.count("SELECT COUNT(*) FROM orders"), 12);
        assert_eq!(house.database.count("SELECT COUNT(*) FROM orders WHERE id IN (15, 16)"), 2);
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
        let house = partitioned();
        house.policy("orders", &POLICY.replace("dataset: core.orders", &format!("dataset: {governed}")));
        house.policy("kept", &keep(kept));
        must_refuse_run(&house, &["SW2106", "8 years"]);
        house.policy("kept", &format!("classification:\n  - {{ dataset: {kept}, fields: {{ customer: {{ sensitivity: low, retention: 2555 days }} }} }}\n"));
        must_refuse_run(&house, &["SW2107", "2555 days"]);
    }
}

#[test]
fn a_hold_on_a_table_above_an_inherited_one_keeps_its_rows() {
    let house = House::new(Engine::Postgres);
    house.sql(
        "CREATE TABLE orders (id integer PRIMARY KEY, customer text, created_at timestamp); \
         CREATE TABLE app_orders (extra text, PRIMARY KEY (id)) INHERITS (orders); \
         INSERT INTO app_orders SELECT i, 'c', '2020-01-01', 'x' FROM generate_series(1, 20) i",
    );
    house.policy("orders", &POLICY.replace("dataset: core.orders", "dataset: core.app_orders"));
    house.job("nightly", "action: delete\npolicies: [orders]\nmode: enforce\n");
    house.policy("holds", "holds:\n  - { name: case-1, dataset: core.orders, where: \"id < 4\", because: litigation }\n");
    house.steward(["run-job", "nightly"]).must_end(0);
    assert_eq!(orders(&house), 3);
}

#[test]
fn a_stale_estimate_of_the_rows_lifts_no_guard() {
    for engine in [Engine::Postgres, Engine::Mysql, Engine::Mariadb] {
        let house = shop(engine);
        house.policy("orders", &POLICY.replace(", guard: { max_rows: 1000, max_percent: 100 }", ""));
        match engine {
            Engine::Postgres => house.sql("UPDATE pg_class SET reltuples = 5000000 WHERE relname = 'orders'"),
            _ => house.sql(&format!(
                "UPDATE mysql.innodb_table_stats SET n_rows = 5000000 WHERE database_name = '{}' AND table_name = 'orders'; FLUSH TABLE orders",
                house.database.name
            )),
        }
        let report = house.steward(["run-job", "nightly", "--json"]).must_end(4).json();
        let dataset = &report["datasets"][0];
        assert_eq!((&dataset["total"], &dataset["left"]["guarded"], orders(&house)), (&20.into(), &20.into(), 20), "{report:#}");
    }
}
