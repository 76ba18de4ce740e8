//! A second run does nothing, and a dry run touches nothing: keys, nodes, views.

use super::setup::{ENDING_KEYS, OWNERLESS, TO_LIVE, exact, web};
use crate::graph::users_fixture as nodes;
use crate::promises::orders_fixture;
use crate::promises::promise_3::{everything, files};
use crate::support::engine::Engine;
use crate::support::keyspace::KeyServer;
use crate::support::sandbox::Sandbox;

/// What a dry run and the real run must agree about.
const SAME: [&str; 7] = ["due", "left", "causes", "holds", "total", "oldest", "query"];

#[test]
fn a_second_run_does_nothing_to_keys() {
    for server in KeyServer::all() {
        for (section, job, gone) in ENDING_KEYS {
            let sandbox = web(server, section, "");
            let run = || sandbox.steward(["run-job", job, "--json"]).must_end(0).json()["datasets"][0].clone();
            let first = run();
            assert_eq!((first["ttl_set"].as_u64(), first[gone].as_u64()), (Some(TO_LIVE), Some(OWNERLESS)), "{first:#}");
            let (keys, events) = (exact(&sandbox), orders_fixture::events(&sandbox).len());
            let second = run();
            for count in ["due", "ttl_set", gone] {
                assert_eq!(second[count], 0, "{server:?} {section}: {second:#}");
            }
            assert_eq!(exact(&sandbox), keys, "{server:?} {section}");
            assert_eq!(orders_fixture::events(&sandbox).len(), events + 3, "that it began, its lock, and how it ended");
            orders_fixture::must_be_whole(&sandbox);
        }
    }
}

#[test]
fn a_dry_run_touches_no_key() {
    for server in KeyServer::all() {
        for (section, job, gone) in ENDING_KEYS {
            let hold = "holds: [{ name: case-1, dataset: 'cache.\"{{prefix}}c:3\"', because: litigation }]\n";
            let sandbox = web(server, section, hold);
            let (keys, files_before) = (exact(&sandbox), files(&sandbox));
            let dry = sandbox.steward(["run-job", job, "--dry-run", "--json"]).must_end(0).json();
            assert_eq!(exact(&sandbox), keys, "{server:?} {section}");
            assert_eq!(files(&sandbox), files_before, "{server:?} {section}: files were left behind");
            let real = sandbox.steward(["run-job", job, "--json"]).must_end(0).json();
            let (dry, real) = (&dry["datasets"][0], &real["datasets"][0]);
            for number in SAME {
                assert_eq!(dry[number], real[number], "{server:?} {section}: `{number}` is another in the dry run");
            }
            assert_eq!((real["ttl_set"].as_u64(), real[gone].as_u64()), (Some(TO_LIVE - 1), Some(OWNERLESS)), "{real:#}");
            assert!(dry[gone].is_null() || dry[gone] == 0, "{dry:#}");
        }
    }
}

/// Two hundred old users with a relation each, twenty of them under a hold.
fn graph() -> Sandbox {
    let sandbox = nodes::open();
    nodes::policy(&sandbox, "cascade: allow");
    nodes::users(&sandbox, 200);
    nodes::graph(&sandbox).seed("MATCH (n:User{{graph}}) CREATE (n)-[:HAS_SKILL {level: 1}]->(:Skill{{graph}} {id: n.id});");
    let label = nodes::graph(&sandbox).label("User");
    sandbox.policy(
        "holds",
        &format!("holds:\n  - {{ name: case-1, dataset: graph.{label}, where: \"n.id <= 20\", because: litigation }}\n"),
    );
    sandbox
}

#[test]
fn a_second_run_does_nothing_to_nodes() {
    let sandbox = graph();
    assert_eq!(nodes::run(&sandbox, 0)["removed"], 180);
    let (graph, events) = (nodes::graph(&sandbox).dump(), orders_fixture::events(&sandbox).len());
    let second = nodes::run(&sandbox, 0);
    assert_eq!((&second["removed"], &second["left"]["held"]), (&0.into(), &20.into()), "{second:#}");
    assert_eq!(nodes::graph(&sandbox).dump(), graph);
    assert_eq!(orders_fixture::events(&sandbox).len(), events + 3);
}

#[test]
fn a_dry_run_touches_no_node() {
    let sandbox = graph();
    let (graph, files_before) = (nodes::graph(&sandbox).dump(), files(&sandbox));
    let words = ["run-job", "clean-graph", "--as-of", "2026-05-01", "--json", "--dry-run"];
    let dry = sandbox.steward(words).must_end(0).json()["datasets"][0].clone();
    assert_eq!(nodes::graph(&sandbox).dump(), graph);
    assert_eq!(files(&sandbox), files_before, "files were left behind");
    let real = nodes::run(&sandbox, 0);
    for number in SAME {
        assert_eq!(dry[number], real[number], "`{number}` is another in the dry run");
    }
    assert_eq!((&real["due"], &real["removed"]), (&200.into(), &180.into()), "{real:#}");
}

/// A summary table on every engine; on PostgreSQL a materialized view beside it.
fn a_view(engine: Engine) -> Sandbox {
    let sandbox = Sandbox::new(engine);
    sandbox.sql(
        "CREATE TABLE stats (id integer NOT NULL PRIMARY KEY, calls integer NOT NULL); INSERT INTO stats VALUES (1, 5), (2, 6); \
         CREATE TABLE sums (id integer NOT NULL PRIMARY KEY, calls integer); INSERT INTO sums VALUES (1, 0);",
    );
    let mut policy = "views:\n  - { name: sums, dataset: core.sums, statement: [\"DELETE FROM sums\", \"INSERT INTO sums SELECT 1, SUM(calls) FROM stats\"] }\n".to_owned();
    if engine == Engine::Postgres {
        sandbox.sql("CREATE MATERIALIZED VIEW mv AS SELECT id, calls FROM stats; CREATE UNIQUE INDEX ON mv (id); INSERT INTO stats VALUES (3, 7)");
        policy += "  - { name: mv, dataset: core.mv }\n";
    }
    sandbox.policy("views", &policy);
    sandbox.job("views", "action: refresh-views\npolicies: [\"*\"]\nmode: enforce\n");
    sandbox
}

/// What a materialized view shows, and the file it is in: another one after a refresh that rewrites it.
fn views(sandbox: &Sandbox) -> String {
    let rest = match sandbox.database.engine {
        Engine::Postgres => {
            sandbox.database.dump("mv")
                + &sandbox.database.value("SELECT relfilenode::text FROM pg_class WHERE relname = 'mv'").expect("a file")
        }
        _ => String::new(),
    };
    format!("{:?}\n{rest}", everything(sandbox))
}

#[test]
fn a_dry_run_refreshes_no_view() {
    for engine in Engine::all() {
        let sandbox = a_view(engine);
        let (before, files_before) = (views(&sandbox), files(&sandbox));
        let dry = sandbox.steward(["run-job", "views", "--dry-run", "--json"]).must_end(0).json();
        sandbox.steward(["plan", "views", "--sql"]).must_end(0);
        assert_eq!(views(&sandbox), before, "{}", engine.name());
        assert_eq!(files(&sandbox), files_before, "{}: files were left behind", engine.name());
        assert!(dry["datasets"].as_array().expect("datasets").iter().all(|view| view["due"] == 1), "{dry:#}");
        sandbox.steward(["run-job", "views"]).must_end(0);
        assert_ne!(views(&sandbox), before, "{}: the real run fills them", engine.name());
        // The second run fills them with the same again.
        let filled = everything(&sandbox);
        sandbox.steward(["run-job", "views"]).must_end(0);
        assert_eq!(everything(&sandbox), filled, "{}", engine.name());
    }
}
