//! Plays one case on one engine and holds what came out against what was expected.

use super::diff::diff;
use super::folder::{Case, Step};
use crate::support::clean::clean;
use crate::support::dump;
use crate::support::engine::Engine;
use crate::support::graph::Graph;
use crate::support::keyspace::{KeyServer, Keyspace};
use crate::support::sandbox::Sandbox;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Plays a case; says what is not as expected.
pub fn play(case: &Case, engine: Engine) -> Result<(), String> {
    let sandbox = furnished(case, engine);
    let conserved = case.text("conserved", "txt", engine).unwrap_or_default();
    let before: Vec<_> = conserved.lines().map(|tables| contents(&sandbox, tables)).collect();
    let mut faults = String::new();
    let report = steps(case, engine, &sandbox, &mut faults);
    for (tables, before) in conserved.lines().zip(before) {
        let after = contents(&sandbox, tables);
        if before != after {
            let text = |rows: BTreeSet<String>| rows.into_iter().collect::<Vec<_>>().join("\n");
            let _ = writeln!(faults, "  {tables}: rows are not what they were\n{}", diff(&text(before), &text(after)));
        }
    }
    faults += &compare(case, "report", engine, &report);
    if case.expected("cache", "txt", engine).exists() {
        faults += &compare(case, "cache", engine, &cache(&sandbox).dump());
    }
    if case.expected("graph", "txt", engine).exists() {
        faults += &compare(case, "graph", engine, &graph(&sandbox).dump());
    }
    if let Some(queries) = case.text("expected.rows", "sql", engine) {
        faults += &compare(case, "rows", engine, &rows(&sandbox, &worded(&queries, &sandbox)));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// A sandbox with the case's declarations and rows.
fn furnished(case: &Case, engine: Engine) -> Sandbox {
    let mut sandbox = Sandbox::new(engine);
    let (keys, nodes) = (case.text("seed.cache", "redis", engine), case.text("seed.graph", "cypher", engine));
    if let Some(keys) = &keys {
        // What holds on Redis holds on Valkey.
        sandbox.add_cache(if engine == Engine::Mariadb { KeyServer::Valkey } else { KeyServer::Redis });
        cache(&sandbox).seed(keys);
    }
    if let Some(nodes) = &nodes {
        sandbox.add_graph();
        graph(&sandbox).seed(nodes);
    }
    sandbox.config(&worded(&case.text("config", "yaml", engine).unwrap_or_default(), &sandbox));
    for (name, text) in case.declared("policy", engine) {
        sandbox.policy(&name, &worded(&text, &sandbox));
    }
    for (name, text) in case.declared("job", engine) {
        sandbox.job(&name, &worded(&text, &sandbox));
    }
    for seed in case.seeds(engine) {
        sandbox.sql(&worded(&seed, &sandbox));
    }
    if case.administrator().is_none() {
        sandbox.least_privileged();
    }
    sandbox
}

fn cache(sandbox: &Sandbox) -> &Keyspace {
    sandbox.cache.as_ref().expect("a case with a cache has a `seed.cache.redis`, which may be empty")
}

fn graph(sandbox: &Sandbox) -> &Graph {
    sandbox.graph.as_ref().expect("a case with a graph has a `seed.graph.cypher`, which may be empty")
}

/// `{{datetime}}` and its like in the engine's own words; `{{database}}` is the database's name, `{{graph}}` what the labels of
/// this case end with.
fn worded(text: &str, sandbox: &Sandbox) -> String {
    let mut worded = String::with_capacity(text.len());
    let mut parts = text.split("{{");
    worded.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (word, rest) = part.split_once("}}").unwrap_or_else(|| panic!("`{{{{` without `}}}}`: {part}"));
        let meant = match word {
            "database" => Some(sandbox.database.name.as_str()),
            "graph" => Some(graph(sandbox).suffix.as_str()),
            word => sandbox.database.engine.word(word),
        };
        worded.push_str(meant.unwrap_or_else(|| panic!("`{{{{{word}}}}}` means nothing")));
        worded.push_str(rest);
    }
    worded
}

/// Takes the steps and writes down what was said.
fn steps(case: &Case, engine: Engine, sandbox: &Sandbox, faults: &mut String) -> String {
    let mut said = String::new();
    for step in case.steps(engine) {
        match step {
            Step::Sql(sql) => {
                sandbox.sql(&worded(&sql, sandbox));
                if case.administrator().is_none() && sql.to_lowercase().contains("create ") {
                    sandbox.least_privileged();
                }
            }
            Step::Cache(command) => cache(sandbox).seed(&command),
            Step::Graph(statement) => graph(sandbox).seed(&statement),
            Step::Command { code, words } => {
                let words: Vec<String> = words.iter().map(|word| worded(word, sandbox)).collect();
                let mut command = sandbox.command(words.iter().map(String::as_str));
                let ended: crate::support::sandbox::Ended =
                    command.env("STEWARD_LOG", "off").output().expect("the binary starts").into();
                let _ = writeln!(
                    said,
                    "$ steward {}\n{}\n",
                    words.join(" "),
                    told(&ended.stdout, sandbox) + &told(&ended.stderr, sandbox)
                );
                if ended.code != Some(code) {
                    let _ = writeln!(faults, "  `{}` must end with {code}; {ended}", words.join(" "));
                }
            }
        }
    }
    said
}

/// What was said, without the lines that tell where the report lies, and without the schema that the connection begins in:
/// what all engines say alike is written down once.
fn told(text: &str, sandbox: &Sandbox) -> String {
    let text = clean(text, sandbox).replace("core.public.", "core.").replace("core.[database].", "core.");
    let lines = text.lines().filter(|line| !line.starts_with("ledger head ") && !line.starts_with("report "));
    // Which index a planner takes on a handful of rows is not steady.
    lines.map(|line| line.split(", index ").next().unwrap_or_default().to_owned() + "\n").collect()
}

/// The rows of some tables together, `orders + orders_archive`, as a set; a table that is not there yet has none. In a case
/// that has them, `cache` is all its keys, `graph` all its nodes and relations.
fn contents(sandbox: &Sandbox, tables: &str) -> BTreeSet<String> {
    match (tables.trim(), &sandbox.cache, &sandbox.graph) {
        ("cache", Some(cache), _) => return cache.dump().lines().map(str::to_owned).collect(),
        ("graph", _, Some(graph)) => return graph.dump().lines().map(str::to_owned).collect(),
        _ => {}
    }
    let tables = tables.split(" + ").map(|table| worded(table.trim(), sandbox));
    let there = tables.filter(|table| sandbox.database.try_rows(&format!("SELECT 1 FROM {table} WHERE 1 = 0")).is_ok());
    there
        .flat_map(|table| {
            sandbox.database.dump_without(&table, &["steward_batch"]).lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

/// The rows of every query. The queries themselves are in the file beside it, and may differ where the rows must not.
fn rows(sandbox: &Sandbox, queries: &str) -> String {
    let queries = queries.split(";\n").map(str::trim).filter(|query| !query.is_empty());
    let mut text = String::new();
    for (number, query) in queries.enumerate() {
        let query = query.trim_end_matches(';');
        let rows: Vec<String> = sandbox.database.rows(query).iter().map(|row| dump::line(row)).collect();
        let _ = writeln!(text, "> query {}\n{}\n", number + 1, rows.join("\n"));
    }
    text
}

/// Holds a text against what is expected, or writes it down as expected with `UPDATE_CASES=1`: the engine's own where
/// there is one already, else what all share, by the first engine.
fn compare(case: &Case, what: &str, engine: Engine, actual: &str) -> String {
    let path = case.expected(what, "txt", engine);
    if std::env::var("UPDATE_CASES").is_ok_and(|update| update == "1") {
        if case.writes(what, engine) {
            std::fs::write(&path, actual).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        return String::new();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if expected == actual {
        return String::new();
    }
    format!("  {what} is not as expected (- expected, + seen; {})\n{}", path.display(), diff(&expected, actual))
}
