//! What people write in a store's own language: all of it counts or it is refused where it stands, and asking changes nothing.

use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;
use serde_json::Value;

const JOB: &str = "action: delete\npolicies: [\"*\"]\nmode: enforce\n";
const EVERY_GUARD: &str = "guard: { max_percent: 100 }";

/// A sandbox with three rows that are due, a place for what a function writes, and a job that removes.
fn open(engine: Engine) -> Sandbox {
    let sandbox = Sandbox::new(engine);
    sandbox.sql(&format!(
        "create table orders (id int not null primary key, status varchar(20), region varchar(20), created_at {});\
         insert into orders values (1, 'closed', 'EU', '2020-01-01 00:00:00'), (2, 'closed', 'US', '2020-01-01 00:00:00'), \
         (3, 'open', 'EU', '2020-01-01 00:00:00');\
         create table written (id int);",
        engine.word("datetime").expect("a type")
    ));
    sandbox.job("job", JOB);
    sandbox
}

fn entry(name: &str, condition: &str) -> String {
    let condition = Value::from(condition);
    format!(
        "  - {{ name: {name}, dataset: core.orders, clock: created_at, where: {condition}, delete: {{ after: 1 year }}, {EVERY_GUARD} }}\n"
    )
}

fn policy(condition: &str) -> String {
    format!("lifecycle:\n{}", entry("orders", condition))
}

fn untouched(sandbox: &Sandbox, what: &str) {
    assert_eq!(sandbox.database.count("select count(*) from orders"), 3, "{what}");
    assert_eq!(sandbox.database.count("select count(*) from written"), 0, "{what}: something was written");
}

/// The texts of which not all would count on this engine.
fn lost(engine: Engine) -> Vec<&'static str> {
    let mut texts = vec![
        "status = 'closed' -- AND region = 'EU'",
        "status = 'closed' /* AND region = 'EU' */",
        "status = 'closed' /*! AND region = 'EU' */",
        "status = 'closed'; DELETE FROM written",
        "status = 'closed') OR (1 = 1",
        "status = 'closed' AND id = :x",
    ];
    match engine {
        Engine::Sqlite => texts.extend(["id = ?", "id = ?1", "id = @x", "id = $x", "id = #x", "random() > 0"]),
        Engine::Postgres => texts.extend([
            "id = $1",
            "status = $$closed$$",
            "status = $a$closed$a$",
            "pg_sleep(0) IS NULL",
            "nextval('orders_id') > 0",
            "pg_try_advisory_lock(1)",
        ]),
        Engine::Mysql | Engine::Mariadb => texts.extend([
            "status = 'closed' # AND region = 'EU'",
            "id = ?",
            "id = @x",
            "@@version = '1'",
            "(@x := id) > 0",
            "SLEEP(0) = 0",
            "GET_LOCK('x', 0) = 1",
            "`sleep` (0) = 0",
        ]),
    }
    texts
}

#[test]
fn a_condition_of_which_not_all_would_count_is_refused_where_it_is_declared() {
    for engine in Engine::all() {
        let (sandbox, texts) = (open(engine), lost(engine));
        let hold = |(at, text): (usize, &&str)| {
            format!("  - {{ name: case-{at}, dataset: core.orders, where: {}, because: x }}\n", Value::from(*text))
        };
        let policies: String = texts.iter().enumerate().map(|(at, text)| entry(&format!("p{at}"), text)).collect();
        let holds: String = texts.iter().enumerate().map(hold).collect();
        sandbox.policy("orders", &format!("lifecycle:\n{policies}holds:\n{holds}"));
        let wrong = sandbox.steward(["validate"]).must_end(78);
        let told = format!("{}{}", wrong.stdout, wrong.stderr);
        for line in (2..2 + texts.len()).chain(3 + texts.len()..3 + 2 * texts.len()) {
            let place = format!("policies/orders.yaml:{line}:");
            assert!(told.contains(&place), "{engine:?}: nothing is said of line {line}: {wrong}");
        }
        assert_eq!(told.matches("SW2510").count(), 2 * texts.len(), "{engine:?}: {wrong}");
        sandbox.steward(["run-job", "job"]).must_end(78);
        std::fs::remove_file(sandbox.path("policies/orders.yaml")).expect("the policies");
        // From the command a hold would be put down for good, and free rows that it should keep.
        for text in [texts[0], texts[texts.len() - 1]] {
            sandbox.steward(["hold", "add", "case-1", "--dataset", "core.orders", "--because", "x", "--where", text]).must_end(4);
            assert!(!sandbox.path("state/steward.db").exists(), "{engine:?} {text}: a ledger was made for a hold that is none");
        }
        untouched(&sandbox, engine.name());
    }
}

#[test]
fn every_place_of_a_condition_or_query_is_read_like_that() {
    let sandbox = open(Engine::Mysql);
    let bad = "id = 1 # x";
    for section in [
        format!("sessions:\n  - {{ dataset: core.orders, expires: created_at, where: \"{bad}\" }}\n"),
        format!("cache:\n  - {{ dataset: core.orders, expires: created_at, where: \"{bad}\" }}\n"),
        format!("checks:\n  - {{ dataset: core.orders, row_count: true, warn: \"> 0\", where: \"{bad}\" }}\n"),
        format!("checks:\n  - {{ reference: {{ from: {{ field: core.orders.id, where: \"{bad}\" }}, to: core.orders.id }} }}\n"),
        format!("checks:\n  - {{ dataset: core.orders, dangling: id, to: {{ field: core.orders.id, where: \"{bad}\" }} }}\n"),
        "checks:\n  - { dataset: core, sql: \"SELECT COUNT(*) FROM orders WHERE id = ?\", warn: \"> 0\" }\n".to_owned(),
        "checks:\n  - { dataset: core, sql: \"SELECT 1; DELETE FROM orders\", warn: \"> 0\" }\n".to_owned(),
        "views:\n  - { dataset: core.written, statement: \"DELETE FROM written # WHERE id = 1\" }\n".to_owned(),
        "views:\n  - { dataset: core.written, statement: \"DELETE FROM written; DELETE FROM orders\" }\n".to_owned(),
    ] {
        sandbox.policy("orders", &section);
        let wrong = sandbox.steward(["validate"]).must_end(78);
        assert!(format!("{}{}", wrong.stdout, wrong.stderr).contains("SW2510"), "{section}: {wrong}");
    }
    sandbox.policy("orders", &policy("id > 0"));
    sandbox.job(
        "job",
        &format!("{JOB}pause_when: {{ query: {{ store: core, sql: \"SELECT COUNT(*) FROM orders WHERE id = ?\" }} }}\n"),
    );
    let wrong = sandbox.steward(["validate"]).must_end(78);
    assert!(format!("{}{}", wrong.stdout, wrong.stderr).contains("jobs/job.yaml:4:"), "{wrong}");
    untouched(&sandbox, "places");
}

#[test]
fn what_only_looks_like_a_comment_or_placeholder_stays_legal() {
    for (engine, text) in [
        (
            Engine::Postgres,
            "'{\"a\": 1}'::jsonb ? 'a' AND '{\"a\": 1}'::jsonb #>> '{a}' = '1' AND (array[id, 2])[1:1] = array[id] AND status = '# -- ? :x'",
        ),
        (Engine::Mysql, "status IN ('closed', 'open', '# -- ? :x @y') AND JSON_EXTRACT('{\"a\": 1}', '$.a') = 1"),
        (Engine::Mariadb, "status IN ('closed', 'open', '# -- ? :x @y') AND JSON_EXTRACT('{\"a\": 1}', '$.a') = 1"),
        (Engine::Sqlite, "[status] IN ('closed', 'open', '# -- ? :x @y') AND json_extract('{\"a\": 1}', '$.a') = 1"),
    ] {
        let sandbox = open(engine);
        sandbox.policy("orders", &policy(text));
        sandbox.steward(["validate", "--connect"]).must_end(0);
        sandbox.steward(["run-job", "job"]).must_end(0);
    }
}

#[test]
fn nonsense_in_a_where_is_an_error_on_every_kind_that_takes_one() {
    let kinds = [
        "row_count: true",
        "duplicate: [region]",
        "missing: [region]",
        "range: id, min: 1",
        "regex: x, column: status",
        "freshness: created_at",
        "expired: created_at",
        "dangling: id, to: core.orders.id",
        "unsealed: true",
    ];
    for engine in Engine::all() {
        let sandbox = open(engine);
        let check = |(at, kind): (usize, &&str)| {
            let bound = if kind.starts_with("freshness") { "> 1 h" } else { "> 100" };
            format!("  - {{ name: c{at}, dataset: core.orders, {kind}, where: \"utter nonsense\", fail: \"{bound}\" }}\n")
        };
        sandbox.policy("checks", &format!("checks:\n{}", kinds.iter().enumerate().map(check).collect::<String>()));
        sandbox.job("checks", "action: check-quality\npolicies: [\"*\"]\n");
        std::fs::remove_file(sandbox.path("jobs/job.yaml")).expect("the other job");
        let report = sandbox.steward(["run-job", "checks", "--json"]).must_end(3).json();
        for finding in report["findings"].as_array().expect("findings") {
            let text = finding["reason"]["text"].as_str().unwrap_or_default();
            assert!(finding["outcome"] == "error" && text.contains("condition of the check"), "{engine:?}: {finding:#}");
        }
        sandbox.steward(["validate", "--connect"]).must_end(78);
    }
}

/// Functions that write when they are asked, in the ways that each engine knows, and conditions that call them.
fn writers(engine: Engine) -> (&'static str, Vec<&'static str>) {
    match engine {
        Engine::Sqlite => ("", vec![]),
        Engine::Postgres => (
            "create sequence s;\
             create function w(a int) returns int language plpgsql as 'begin insert into written values (a); return a; end';\
             create function hidden(a int) returns int language plpgsql stable as 'begin perform w(a); return a; end';\
             create function of_row(orders) returns int language sql as 'select w($1.id)';\
             create function same(int, int) returns bool language plpgsql as 'begin perform w($1); return true; end';\
             create operator === (leftarg = int, rightarg = int, procedure = same);\
             create view looks as select w(id) as id from orders;",
            vec![
                "w(id) > 0",
                "hidden(id) > 0",
                "orders.of_row > 0",
                "id === 1",
                "id IN (SELECT id FROM looks)",
                "created_at < clock_timestamp()",
            ],
        ),
        Engine::Mysql | Engine::Mariadb => (
            "create function w(a int) returns int deterministic begin insert into written values (a); return a; end;\
             create function hidden(a int) returns int deterministic return w(a);\
             create view looks as select w(id) as id from orders;",
            vec!["w(id) > 0", "hidden(id) > 0", "w(1) > 0", "id IN (SELECT id FROM looks)"],
        ),
    }
}

#[test]
fn a_look_cannot_write() {
    for engine in Engine::all() {
        let sandbox = open(engine);
        let (functions, conditions) = writers(engine);
        sandbox.sql(functions);
        let names: Vec<String> = (0..conditions.len()).map(|at| format!("p{at}")).collect();
        let policies: String = names.iter().zip(&conditions).map(|(name, text)| entry(name, text)).collect();
        sandbox.policy("orders", &format!("lifecycle:\n{policies}"));
        for words in [
            vec!["validate", "--connect"],
            vec!["plan"],
            vec!["run-job", "job", "--dry-run"],
            vec!["run-job", "job"],
            vec!["doctor"],
        ] {
            let ended = sandbox.steward(words.iter().copied());
            untouched(&sandbox, &format!("{engine:?} {words:?}"));
            match words.as_slice() {
                // What a function declared STABLE hides is only seen when it is asked about a row.
                ["validate", ..] if !conditions.is_empty() => drop(ended.must_end(78)),
                ["run-job", ..] | ["plan"] if !conditions.is_empty() => {
                    let ended = ended.must_end(4);
                    for (name, text) in names.iter().zip(&conditions) {
                        let told = format!("(policy {name})\n  refused: ");
                        assert!(ended.stdout.contains(&told), "{engine:?} {words:?} {text}: {ended}");
                    }
                }
                _ => {}
            }
        }
        let check = |(at, text): (usize, &&str)| {
            format!(
                "  - {{ name: c{at}, dataset: core.orders, row_count: true, where: {}, fail: \"> 9\" }}\n  - {{ name: q{at}, dataset: core, sql: {}, fail: \"> 9\" }}\n",
                Value::from(*text),
                Value::from(format!("SELECT COUNT(*) AS n FROM orders WHERE {text}"))
            )
        };
        if !conditions.is_empty() {
            sandbox.policy("orders", &format!("checks:\n{}", conditions.iter().enumerate().map(check).collect::<String>()));
            sandbox.job("job", "action: check-quality\npolicies: [\"*\"]\n");
            sandbox.steward(["run-job", "job"]).must_end(3);
            untouched(&sandbox, "checks");
        }
        sandbox.job("job", JOB);
        if let Some(text) = conditions.first() {
            let hold = format!("holds:\n  - {{ name: h, dataset: core.orders, where: {}, because: x }}\n", Value::from(*text));
            sandbox.policy("orders", &format!("{}{hold}", policy("id > 0")));
            sandbox.steward(["run-job", "job"]).must_end(4);
            untouched(&sandbox, "a hold in a file");
            sandbox.policy("orders", &policy("id > 0"));
            sandbox.steward(["hold", "release", "h", "--why", "over"]).must_end(0);
            sandbox.steward(["hold", "add", "k", "--dataset", "core.orders", "--because", "x", "--where", text]).must_end(4);
            untouched(&sandbox, "hold add");
        }
        // The connections that only read are those that write afterwards.
        sandbox.policy("orders", &policy("status = 'closed'"));
        sandbox.steward(["run-job", "job"]).must_end(0);
        assert_eq!(sandbox.database.count("select count(*) from orders"), 1, "{engine:?}");
    }
}
