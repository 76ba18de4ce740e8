//! Cases: folders in `tests/cases` that say what must happen, in SQL and YAML. `tests/cases/README.md` tells how to write one.

mod diff;
mod folder;
mod play;

use crate::support::engine::Engine;
use folder::Case;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Cases of one engine at once. The four engines run beside each other too.
const AT_ONCE: usize = 3;

#[test]
fn every_case_holds_on_sqlite() {
    every_case_holds(Engine::Sqlite);
}

#[test]
fn every_case_holds_on_postgres() {
    every_case_holds(Engine::Postgres);
}

#[test]
fn every_case_holds_on_mysql() {
    every_case_holds(Engine::Mysql);
}

#[test]
fn every_case_holds_on_mariadb() {
    every_case_holds(Engine::Mariadb);
}

/// Plays all cases that the engine can express and tells of every one that does not hold.
fn every_case_holds(engine: Engine) {
    let cases: Vec<Case> = folder::all().into_iter().filter(|case| case.is_for(engine)).collect();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(vec![]);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(failure) = held(case, engine) {
                        failures.lock().expect("no panic holds it").push(format!("case `{}`:\n{failure}", case.name));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().expect("no panic holds it");
    failures.sort();
    let engine = engine.name();
    assert!(failures.is_empty(), "{} of {} cases fail on {engine}:\n\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// A case that panics is a case that fails; the others go on.
fn held(case: &Case, engine: Engine) -> Result<(), String> {
    let played = std::panic::catch_unwind(|| play::play(case, engine));
    played.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(text.unwrap_or("panicked").to_owned())
    })
}

/// A case with a cache and a graph, played without a command: what was seeded is there, what the steps did is seen, and what
/// is not as expected is told.
#[test]
fn a_case_may_have_a_cache_and_a_graph() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    write("seed.sql", "create table users (id integer primary key);");
    write("seed.cache.redis", "SET 'cache:user: 1' \\xff EX 100\nSET kept 1\n");
    write("seed.graph.cypher", "CREATE (:User{{graph}} {id: 1});\n");
    write(
        "steps.txt",
        "sql insert into users values (1)\ncache PERSIST 'cache:user: 1'\ngraph CREATE (:User{{graph}} {id: 2})\n",
    );
    write("expected.cache.txt", "\"cache:user: 1\" string - \"\\xff\"\n\"kept\" string - \"1\"\n");
    write("expected.graph.txt", "(:User {id: 1})\n(:User {id: 2})\n");
    for engine in [Engine::Sqlite, Engine::Mariadb] {
        play::play(&Case::read(folder.path().to_owned()), engine).unwrap_or_else(|fault| panic!("{fault}"));
    }
    write("conserved.txt", "cache\ngraph\n");
    write("expected.graph.txt", "(:User {id: 1})\n");
    let fault = play::play(&Case::read(folder.path().to_owned()), Engine::Sqlite).expect_err("keys and nodes have changed");
    for part in ["  cache: rows are not what they were", "  graph: rows are not what they were", "  graph is not as expected"] {
        assert!(fault.contains(part), "`{part}` is not in\n{fault}");
    }
}

/// A case may leave an engine out only with a reason, and what it expects must be written down.
#[test]
fn every_case_says_what_it_expects_and_why_it_leaves_an_engine_out() {
    for case in folder::all() {
        let name = &case.name;
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "`{name}` is no sentence");
        assert!(Engine::all().into_iter().any(|engine| case.is_for(engine)), "`{name}` is for no engine");
        for engine in Engine::all().into_iter().filter(|engine| case.is_for(*engine)) {
            assert!(case.expected("report", "txt", engine).exists(), "`{name}` expects no report on {}", engine.name());
        }
    }
}
