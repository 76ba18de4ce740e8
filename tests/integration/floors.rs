//! The house stands: a file imports only from floors below its own, or from its own folder, and nothing imports in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Each top-level module and its floor, as `lib.rs` lists them.
const FLOORS: &[(&str, u8)] = &[
    ("config", 0),
    ("diagnostic", 0),
    ("file_owner", 0),
    ("job", 0),
    ("place", 0),
    ("policy", 0),
    ("yaml", 0),
    ("ledger", 1),
    ("reference", 2),
    ("report", 1),
    ("store", 1),
    ("action", 2),
    ("declarations", 2),
    ("actions", 3),
    ("runner", 3),
    ("worker", 5),
    ("cli", 6),
    ("demo", 6),
    ("main", 6),
];

/// Only these folders may name a database driver.
const DRIVERS: &[&str] = &["store", "ledger"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// `src/store/rows.rs` is `store::rows`; `src/store/mod.rs` is `store`.
fn module(path: &Path) -> String {
    let relative = path.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap().with_extension("");
    let parts: Vec<_> = relative.iter().map(|part| part.to_str().unwrap()).filter(|part| *part != "mod").collect();
    parts.join("::")
}

/// The code before the unit tests, which may look anywhere, without comments.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Every `crate::…` and `super::…` path in the code, as a module path from the root.
fn imports(module: &str, is_folder: bool, code: &str) -> Vec<String> {
    let path_after = |at: usize| -> String {
        let rest = &code[at..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
        rest[..end].trim_end_matches(':').to_owned()
    };
    let mut found: Vec<String> = code.match_indices("crate::").map(|(at, word)| path_after(at + word.len())).collect();
    let parent = if is_folder { module } else { module.rsplit_once("::").map_or("", |(parent, _)| parent) };
    found.extend(code.match_indices("use super::").map(|(at, word)| format!("{parent}::{}", path_after(at + word.len()))));
    found
}

fn floor(module: &str) -> u8 {
    let top = module.split("::").next().unwrap();
    if module == "actions" {
        return 4; // the table: the one place that knows actions and runner
    }
    FLOORS.iter().find(|(name, _)| *name == top).unwrap_or_else(|| panic!("`{top}` has no floor: add it to FLOORS")).1
}

/// Module → the modules it imports.
fn house() -> BTreeMap<String, BTreeSet<String>> {
    let mut files = vec![];
    sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut files);
    let modules: BTreeSet<String> = files.iter().map(|path| module(path)).collect();
    let known = |path: &str| {
        let mut path = path.to_owned();
        while !modules.contains(&path) {
            path.truncate(path.rfind("::")?);
        }
        Some(path)
    };
    let imports_of = |path: &PathBuf| {
        let own = module(path);
        let is_folder = path.ends_with("mod.rs");
        let targets = imports(&own, is_folder, &code(path))
            .iter()
            .filter_map(|target| known(target))
            .filter(|target| *target != own)
            .collect();
        (own, targets)
    };
    files.iter().filter(|path| !path.ends_with("lib.rs")).map(imports_of).collect()
}

#[test]
fn a_file_imports_only_from_floors_below_its_own() {
    let mut wrong = vec![];
    for (module, imports) in house() {
        let top = |module: &str| module.split("::").next().unwrap().to_owned();
        for import in imports {
            let same_house = top(&module) == top(&import);
            let below = floor(&import) < floor(&module);
            let ground = floor(&module) == 0 && floor(&import) == 0;
            if !(same_house || below || ground) {
                wrong.push(format!("{module} (floor {}) imports {import} (floor {})", floor(&module), floor(&import)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_imports_in_a_circle() {
    let house = house();
    // Whatever imports nothing that is left, or is imported by nothing that is left, is in no circle and goes.
    let mut left = house.clone();
    loop {
        let is_wanted = |module: &String| left.values().any(|imports| imports.contains(module));
        let leads_on = |imports: &BTreeSet<String>| imports.iter().any(|import| left.contains_key(import));
        let free: Vec<String> = left
            .iter()
            .filter(|(module, imports)| !leads_on(imports) || !is_wanted(module))
            .map(|(module, _)| module.clone())
            .collect();
        if free.is_empty() {
            break;
        }
        free.iter().for_each(|module| drop(left.remove(module)));
    }
    let circle: Vec<String> = left
        .iter()
        .map(|(module, imports)| {
            format!(
                "{module} → {}",
                imports.iter().filter(|import| left.contains_key(*import)).cloned().collect::<Vec<_>>().join(", ")
            )
        })
        .collect();
    assert!(circle.is_empty(), "in a circle, or between two:\n{}", circle.join("\n"));
}

#[test]
fn drivers_are_named_only_where_stores_and_the_ledger_are() {
    let mut files = vec![];
    sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut files);
    let strangers: Vec<String> = files
        .iter()
        .filter(|path| !DRIVERS.contains(&module(path).split("::").next().unwrap()))
        .filter(|path| code(path).contains("sqlx"))
        .map(|path| module(path))
        .filter(|module| module != "cli::logs") // names the driver's log target
        .collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

#[test]
fn files_hold_one_idea() {
    let mut files = vec![];
    sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut files);
    let long: Vec<String> = files
        .iter()
        .filter(|path| !path.ends_with("tests.rs"))
        .map(|path| (code(path).lines().count(), module(path)))
        .filter(|(lines, _)| *lines > 450)
        .map(|(lines, module)| format!("{module}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "more than one idea in:\n{}", long.join("\n"));
}
