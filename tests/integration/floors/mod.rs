//! The floors: a file imports only from floors below its own, or from its own folder, and nothing imports in a circle.
//! What these tests look for is planted in `planted.rs`, so that a guard that has gone blind is noticed.

mod planted;
mod source;

use source::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

/// Each top-level module and its floor, as `lib.rs` lists them.
const FLOORS: &[(&str, u8)] = &[
    ("clock", 0),
    ("config", 0),
    ("counter", 0),
    ("diagnostic", 0),
    ("file_owner", 0),
    ("job", 0),
    ("place", 0),
    ("policy", 0),
    ("yaml", 0),
    ("ledger", 1),
    ("report", 1),
    ("store", 1),
    ("action", 2),
    ("declarations", 2),
    ("reference", 2),
    ("actions", 3),
    ("runner", 3),
    ("worker", 5),
    ("cli", 6),
    ("lib", 6),
    ("main", 6),
];

/// Crates that reach the outside, and the folders that alone may name them.
const CRATES: &[(&str, &[&str])] = &[
    ("sqlx", &["store", "ledger"]),
    ("redis", &["store"]),
    ("neo4rs", &["store"]),
    ("lettre", &["report", "config"]),
    ("axum", &["worker"]),
    ("tokio_cron_scheduler", &["worker"]),
    ("sd_notify", &["worker"]),
    ("clap", &["cli", "main"]),
    ("indicatif", &["cli"]),
];

/// The folders of engines: none imports another, and what all SQL engines share imports none of them.
const ENGINES: &[&str] = &["store::sql::sqlite", "store::sql::postgres", "store::sql::mysql", "store::redis", "store::neo4j"];
const SHARED: &str = "store::sql";
/// The one list of the SQL engines.
const TABLE: &str = "store::sql::engines";

/// What is not yet as it should be. Nothing may be added, and what is put right is taken out: the tests ask for both.
const KNOWN_CIRCLES: &[&str] = &["action::context", "action::scope"];
const KNOWN_MIXED: &[&str] = &["store::sql::batch::blocked", "store::sql::batch::mark_grants", "store::sql::batch::removal"];
const KNOWN_LONG: &[&str] = &[];
/// Names of types that more than two modules define, and how many do.
const KNOWN_NAMES: &[(&str, usize)] = &[
    ("About", 3),
    ("Asked", 4),
    ("Entry", 3),
    ("Found", 3),
    ("Inner", 4),
    ("Key", 4),
    ("Kind", 7),
    ("Of", 3),
    ("Origin", 3),
    ("Page", 3),
    ("Place", 3),
    ("Reading", 3),
    ("Walk", 4),
];

/// All of `src/`, read once.
static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| source::below(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))));

fn floor(module: &str) -> u8 {
    if module == "actions" {
        return 4; // the table: the one place that knows actions and runner
    }
    let top = module.split("::").next().unwrap_or_default();
    FLOORS.iter().find(|(name, _)| *name == top).unwrap_or_else(|| panic!("`{top}` has no floor: add it to FLOORS")).1
}

/// Module → the modules it imports. That a `mod.rs` names its children is its work, and no import.
fn imports(sources: &[Source]) -> BTreeMap<&str, BTreeSet<String>> {
    let all: BTreeMap<&str, &Source> = sources.iter().map(|source| (source.module.as_str(), source)).collect();
    let of = |source: &Source| source.imports(&all).into_iter().filter(|module| !source.is_above(module)).collect();
    sources.iter().filter(|source| source.module != "lib").map(|source| (source.module.as_str(), of(source))).collect()
}

/// Imports of a floor that is not below.
fn upward(sources: &[Source]) -> Vec<String> {
    let top = |module: &str| module.split("::").next().unwrap_or_default().to_owned();
    let mut wrong = vec![];
    for (module, imports) in imports(sources) {
        for import in imports {
            let same_folder = top(module) == top(&import);
            let below = floor(&import) < floor(module) || floor(&import) + floor(module) == 0;
            if !(same_folder || below) {
                wrong.push(format!("{module} (floor {}) imports {import} (floor {})", floor(module), floor(&import)));
            }
        }
    }
    wrong
}

/// What is in a circle, or between two.
fn circles(sources: &[Source]) -> Vec<String> {
    // Whatever imports nothing that is left, or is imported by nothing that is left, is in no circle and goes.
    let mut left = imports(sources);
    loop {
        let is_wanted = |module: &str| left.values().any(|imports| imports.contains(module));
        let leads_on = |imports: &BTreeSet<String>| imports.iter().any(|import| left.contains_key(import.as_str()));
        let free: Vec<&str> =
            left.iter().filter(|(module, imports)| !leads_on(imports) || !is_wanted(module)).map(|(module, _)| *module).collect();
        if free.is_empty() {
            break;
        }
        free.iter().for_each(|module| drop(left.remove(module)));
    }
    let names = |imports: &BTreeSet<String>| {
        imports.iter().filter(|import| left.contains_key(import.as_str())).cloned().collect::<Vec<_>>().join(", ")
    };
    left.iter().map(|(module, imports)| format!("{module} → {}", names(imports))).collect()
}

/// Crates that are named outside the folders that may.
fn strangers(sources: &[Source]) -> Vec<String> {
    let mut wrong = vec![];
    for source in sources {
        let paths = source.paths();
        for (name, folders) in CRATES {
            let names_it = paths.iter().any(|path| path.split("::").next() == Some(name));
            if names_it && !folders.iter().any(|folder| source.is_in(folder)) {
                wrong.push(format!("{} names `{name}`", source.module));
            }
        }
    }
    wrong
}

/// Engines that import each other, and shared code that imports one.
fn mixed_engines(sources: &[Source]) -> Vec<String> {
    let engine =
        |module: &str| ENGINES.iter().find(|engine| module == **engine || module.starts_with(&format!("{engine}::"))).copied();
    let mut wrong = vec![];
    for (module, imports) in imports(sources) {
        let own = engine(module);
        let is_shared = module != TABLE && (module == SHARED || module.starts_with(&format!("{SHARED}::")));
        if own.is_none() && !is_shared {
            continue;
        }
        let others = imports.into_iter().filter(|import| engine(import).is_some_and(|other| Some(other) != own));
        wrong.extend(others.map(|import| format!("{module} imports {import}")));
    }
    wrong
}

/// Names of types by how often they are defined.
fn type_names(sources: &[Source]) -> BTreeMap<&str, Vec<&str>> {
    let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for source in sources {
        source.types().into_iter().for_each(|name| names.entry(name).or_default().push(&source.module));
    }
    names
}

/// Each finding begins with a module that is known, and each known module is found.
fn must_be_the_known(known: &[&str], found: &[String], what: &str) {
    let is_of = |finding: &String, module: &str| finding.starts_with(&format!("{module} "));
    let new: Vec<&str> =
        found.iter().filter(|finding| !known.iter().any(|module| is_of(finding, module))).map(String::as_str).collect();
    assert!(new.is_empty(), "{what}:\n{}", new.join("\n"));
    let right: Vec<&str> = known.iter().copied().filter(|module| !found.iter().any(|finding| is_of(finding, module))).collect();
    assert!(right.is_empty(), "put right, and still in the list: {}", right.join(", "));
}

#[test]
fn a_file_imports_only_from_floors_below_its_own() {
    let wrong = upward(&SOURCES);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_imports_in_a_circle() {
    must_be_the_known(KNOWN_CIRCLES, &circles(&SOURCES), "in a circle, or between two");
}

#[test]
fn crates_that_reach_outside_are_named_only_in_their_folders() {
    let wrong = strangers(&SOURCES);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_hold_one_idea() {
    let lines = |source: &Source| source.code.lines().count();
    let long: Vec<String> = SOURCES
        .iter()
        .filter(|source| lines(source) > 450)
        .map(|source| format!("{} has {} lines", source.module, lines(source)))
        .collect();
    must_be_the_known(KNOWN_LONG, &long, "more than one idea in");
}

#[test]
fn engines_do_not_know_each_other() {
    must_be_the_known(KNOWN_MIXED, &mixed_engines(&SOURCES), "an engine is imported");
}

#[test]
fn a_name_is_that_of_one_concept_or_two() {
    let allowed = |name: &str| KNOWN_NAMES.iter().find(|(known, _)| *known == name).map_or(2, |(_, times)| *times);
    let names = type_names(&SOURCES);
    let wrong: Vec<String> = names
        .iter()
        .filter(|(name, modules)| modules.len() > allowed(name))
        .map(|(name, modules)| format!("`{name}` is a type of {}", modules.join(", ")))
        .collect();
    assert!(wrong.is_empty(), "find another name in one of them:\n{}", wrong.join("\n"));
    let is_over = |(name, times): &&(&str, usize)| names.get(name).is_none_or(|modules| modules.len() < *times);
    let over: Vec<&str> = KNOWN_NAMES.iter().filter(is_over).map(|(name, _)| *name).collect();
    assert!(over.is_empty(), "fewer modules define these than KNOWN_NAMES says: {}", over.join(", "));
}
