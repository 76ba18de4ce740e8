//! Rust files as the floors see them: module, code without comments, strings and unit tests, and what they import.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// One file.
#[derive(Debug)]
pub struct Source {
    /// `src/store/rows.rs` is `store::rows`; `src/store/mod.rs` is `store`.
    pub module: String,
    /// Without comments, the contents of strings, and whatever is compiled for tests alone.
    pub code: String,
}

/// All files below a folder.
pub fn below(folder: &Path) -> Vec<Source> {
    let mut all = vec![];
    walk(folder, folder, &mut all);
    all.sort_by(|one: &Source, other| one.module.cmp(&other.module));
    all
}

fn walk(root: &Path, folder: &Path, all: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(root, &path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            let relative = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
            all.push(Source::new(&relative, &std::fs::read_to_string(&path).expect("a file")));
        }
    }
}

impl Source {
    /// `path` is relative to `src/`.
    pub fn new(path: &str, text: &str) -> Self {
        let module = path.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
        Self { module, code: without_tests(&bare(text)) }
    }

    /// The module above; empty for one at the top.
    fn parent(&self) -> &str {
        self.module.rsplit_once("::").map_or("", |(parent, _)| parent)
    }

    /// Every path it names, in `use` lines (groups spelled out) and in code, from the crate's root where it begins with
    /// `crate`, `super`, `self` or one of its own child modules; else as it is written, a crate's name first.
    pub fn paths(&self) -> BTreeSet<String> {
        let mut written = BTreeSet::new();
        let (mut rest, mut code) = (self.code.as_str(), String::new());
        while let Some(at) = word(rest, "use") {
            let after = &rest[at + 3..];
            let end = after.find(';').unwrap_or(after.len());
            spell_out("", after[..end].trim(), &mut written);
            code.push_str(&rest[..at]);
            rest = &after[end..];
        }
        code.push_str(rest);
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        for path in code.split(|c| !is_part(c)).filter(|path| path.contains("::")) {
            written.insert(path.trim_matches(':').to_owned());
        }
        written.iter().map(|path| self.resolved(path)).collect()
    }

    fn resolved(&self, path: &str) -> String {
        let (mut module, mut rest) = (self.module.as_str(), path);
        if let Some(path) = rest.strip_prefix("crate::") {
            return format!("crate::{path}");
        }
        if let Some(path) = rest.strip_prefix("self::") {
            return format!("crate::{module}::{path}");
        }
        if rest.starts_with("super::") {
            while let Some(path) = rest.strip_prefix("super::") {
                (module, rest) = (module.rsplit_once("::").map_or("", |(parent, _)| parent), path);
            }
            return format!("crate::{module}::{rest}").replace("::::", "::");
        }
        let first = path.split("::").next().unwrap_or_default();
        if word(&self.code, &format!("mod {first};")).is_some() { format!("crate::{module}::{path}") } else { path.to_owned() }
    }

    /// Names of the structs, enums, traits and aliases that it defines.
    pub fn types(&self) -> Vec<&str> {
        let defines = |line: &'_ str| {
            let line = line.trim_start();
            let line = line.strip_prefix("pub").map_or(line, |rest| rest.split_once(' ').map_or("", |(_, rest)| rest));
            ["struct ", "enum ", "trait ", "type "].iter().any(|word| line.starts_with(word))
        };
        // An associated type is indented, and no name of the module's.
        let lines = self.code.lines().filter(|line| !line.starts_with(' ') && defines(line));
        let name = |line: &'_ str| {
            let words = ["struct ", "enum ", "trait ", "type "];
            let at = words.iter().filter_map(|word| line.find(word).map(|at| at + word.len())).min()?;
            Some((at, line[at..].find(|c: char| !c.is_alphanumeric())? + at))
        };
        lines.filter_map(|line| name(line).map(|(at, end)| &line[at..end])).collect()
    }

    /// The modules of `all` that it imports; not itself, and not the modules above that only lead to another one.
    pub fn imports(&self, all: &BTreeMap<&str, &Self>) -> BTreeSet<String> {
        let known = |path: &str| {
            let mut path = path.strip_prefix("crate::")?.to_owned();
            while !all.contains_key(path.as_str()) {
                path.truncate(path.rfind("::")?);
            }
            Some(path)
        };
        let paths = self.paths();
        paths.iter().filter_map(|path| known(path)).filter(|path| *path != self.module).collect()
    }

    /// Whether this is the `mod.rs` above that module.
    pub fn is_above(&self, module: &str) -> bool {
        module.strip_prefix(self.module.as_str()).is_some_and(|rest| rest.starts_with("::"))
    }

    /// Whether it lies in that folder, or is its `mod.rs`.
    pub fn is_in(&self, folder: &str) -> bool {
        self.module == folder || self.module.starts_with(&format!("{folder}::")) || self.parent() == folder
    }
}

/// `a::{b, c::{self, d as e}}` as `a::b`, `a::c`, `a::c::d`.
fn spell_out(before: &str, tree: &str, all: &mut BTreeSet<String>) {
    let tree = tree.trim();
    let Some((path, group)) = tree.split_once('{') else {
        let path = format!("{before}{}", tree.split(" as ").next().unwrap_or_default().trim());
        all.insert(path.trim_end_matches("::self").trim_end_matches("::*").to_owned());
        return;
    };
    let group = group.trim_end();
    let group = group.strip_suffix('}').unwrap_or(group);
    let before = format!("{before}{}", path.trim());
    let (mut depth, mut from) = (0, 0);
    for (at, c) in group.char_indices().chain([(group.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !group[from..at].trim().is_empty() {
                    spell_out(&before, &group[from..at], all);
                }
                from = at + 1;
            }
            _ => {}
        }
    }
}

/// Where a word stands that is no part of a longer one.
fn word(text: &str, word: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let is_whole =
        |at: &usize| !text[..*at].ends_with(is_part) && (word.ends_with(';') || !text[at + word.len()..].starts_with(is_part));
    text.match_indices(word).map(|(at, _)| at).find(is_whole)
}

/// The text with comments and the contents of strings and character literals taken out; lines stay lines.
fn bare(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let (mut bare, mut at) = (String::with_capacity(text.len()), 0);
    let starts = |at: usize, what: &str| what.chars().enumerate().all(|(offset, c)| chars.get(at + offset) == Some(&c));
    // Skips to behind the end, and keeps the line ends.
    let skip = |bare: &mut String, from: usize, to: usize| {
        bare.extend(chars[from..to.min(chars.len())].iter().filter(|c| **c == '\n'));
        to
    };
    while at < chars.len() {
        let end = |closes: &dyn Fn(usize) -> Option<usize>| (at + 1..chars.len()).find_map(closes).unwrap_or(chars.len());
        let hashes = chars[at..].iter().skip(1).take_while(|c| **c == '#').count();
        at = if starts(at, "//") {
            skip(&mut bare, at, end(&|to| starts(to, "\n").then_some(to)))
        } else if chars[at] == 'r' && chars.get(at + 1 + hashes) == Some(&'"') {
            let close = format!("\"{}", "#".repeat(hashes));
            skip(&mut bare, at, end(&|to| (to > at + 1 + hashes && starts(to, &close)).then_some(to + 1 + hashes)))
        } else if chars[at] == '"' {
            let escaped = |to: usize| chars[at + 1..to].iter().rev().take_while(|c| **c == '\\').count() % 2 == 1;
            skip(&mut bare, at, end(&|to| (chars[to] == '"' && !escaped(to)).then_some(to + 1)))
        } else if starts(at, "'\\") {
            skip(&mut bare, at, (at + 3..chars.len()).find(|to| chars[*to] == '\'').map_or(chars.len(), |to| to + 1))
        } else if chars[at] == '\'' && chars.get(at + 2) == Some(&'\'') {
            at + 3
        } else {
            bare.push(chars[at]);
            at + 1
        };
    }
    bare
}

/// The code without the items under `#[cfg(test)]`, wherever in the file they stand.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        kept.push_str(&rest[..at]);
        let item = &rest[at + MARK.len()..];
        let (mut depth, mut end) = (0, item.len());
        for (at, c) in item.char_indices() {
            depth += match c {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            if (c == '}' || c == ';') && depth == 0 {
                end = at + 1;
                break;
            }
        }
        rest = &item[end..];
    }
    kept + rest
}
