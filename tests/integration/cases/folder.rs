//! A case as it lies on the disk.

use crate::support::engine::Engine;
use std::path::{Path, PathBuf};

/// What "older than" is measured from where a case does not say otherwise.
const AS_OF: &str = "2025-01-01T00:00:00Z";

/// A folder of `tests/cases`.
#[derive(Debug)]
pub struct Case {
    pub name: String,
    folder: PathBuf,
    left_out: Vec<Engine>,
}

/// One step of a case.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// `0 run-job orders --as-of 2025-01-01`: a command and how it must end.
    Command { code: i32, words: Vec<String> },
    /// `sql UPDATE orders SET …`: what the application does in between.
    Sql(String),
    /// `cache DEL cache:user:1`: the same in the cache.
    Cache(String),
    /// `graph MATCH (n:User{{graph}}) …`: the same in the graph.
    Graph(String),
}

/// Every case, or the ones that `STEWARD_CASE` names, by a part of the name.
pub fn all() -> Vec<Case> {
    let wanted = std::env::var("STEWARD_CASE").unwrap_or_default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let entries = std::fs::read_dir(&folder).expect("tests/cases");
    let folders = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir());
    let mut cases: Vec<Case> = folders.map(Case::read).filter(|case| case.name.contains(&wanted)).collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!cases.is_empty(), "no case is called like `{wanted}`");
    cases
}

impl Case {
    pub fn read(folder: PathBuf) -> Self {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(folder.join("engines.txt")).unwrap_or_default();
        let left_out = text.lines().filter(|line| !line.trim().is_empty()).map(|line| {
            let (engine, reason) = line.split_once(':').unwrap_or((line, ""));
            assert!(reason.trim().len() > 10, "case `{name}` leaves `{engine}` out without a reason");
            Engine::named(engine.trim()).unwrap_or_else(|| panic!("case `{name}`: `{engine}` is no engine"))
        });
        Self { left_out: left_out.collect(), name: name.clone(), folder }
    }

    pub fn is_for(&self, engine: Engine) -> bool {
        !self.left_out.contains(&engine)
    }

    /// Why the case is played by the administrator, and not by an account with the printed grants alone.
    pub fn administrator(&self) -> Option<String> {
        let why = std::fs::read_to_string(self.folder.join("administrator.txt")).ok()?;
        assert!(why.trim().len() > 10, "case `{}` asks for the administrator without a reason", self.name);
        Some(why)
    }

    /// `seed.sql`, or what stands in for it on an engine: `seed.mysql.sql`, also for MariaDB where it has no file of its own.
    fn own(&self, stem: &str, ending: &str, engine: Engine) -> Option<PathBuf> {
        let names = [engine.name(), if engine.is_mysql() { "mysql" } else { engine.name() }];
        names.into_iter().map(|engine| self.folder.join(format!("{stem}.{engine}.{ending}"))).find(|path| path.exists())
    }

    /// The file where an engine's expectation stands: its own, else the common one.
    pub fn expected(&self, what: &str, ending: &str, engine: Engine) -> PathBuf {
        let stem = format!("expected.{what}");
        self.own(&stem, ending, engine).unwrap_or_else(|| self.folder.join(format!("{stem}.{ending}")))
    }

    /// True for the first engine that goes by the same expectation: the one that writes it down.
    pub fn writes(&self, what: &str, engine: Engine) -> bool {
        let path = self.expected(what, "txt", engine);
        let sharing = |other: &Engine| self.is_for(*other) && self.expected(what, "txt", *other) == path;
        Engine::all().into_iter().find(sharing) == Some(engine)
    }

    /// The text of a file, the engine's own before the common one; none when there is neither.
    pub fn text(&self, stem: &str, ending: &str, engine: Engine) -> Option<String> {
        let path = self.own(stem, ending, engine).unwrap_or_else(|| self.folder.join(format!("{stem}.{ending}")));
        std::fs::read_to_string(path).ok()
    }

    /// The scripts that fill the database: the engine's own tables first, then what all share.
    pub fn seeds(&self, engine: Engine) -> Vec<String> {
        let paths = [self.own("seed", "sql", engine), Some(self.folder.join("seed.sql"))];
        let texts = paths.into_iter().flatten().filter_map(|path| std::fs::read_to_string(path).ok());
        let seeds: Vec<String> = texts.map(|text| with_shared(&text, engine)).collect();
        let elsewhere = self.text("seed.cache", "redis", engine).or_else(|| self.text("seed.graph", "cypher", engine));
        assert!(!seeds.is_empty() || elsewhere.is_some(), "case `{}` has no seed for {}", self.name, engine.name());
        seeds
    }

    /// Declarations of a kind by name: `job-orders.yaml` is `orders`, `job.yaml` is `job`.
    pub fn declared(&self, kind: &str, engine: Engine) -> Vec<(String, String)> {
        let mut stems: Vec<String> = std::fs::read_dir(&self.folder)
            .expect("the case")
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter_map(|name| Some(name.strip_suffix(".yaml")?.split('.').next()?.to_owned()))
            .filter(|stem| stem == kind || stem.starts_with(&format!("{kind}-")))
            .collect();
        stems.sort();
        stems.dedup();
        let named = stems.into_iter().filter_map(|stem| {
            let name = stem.strip_prefix(&format!("{kind}-")).unwrap_or(kind).to_owned();
            Some((name, self.text(&stem, "yaml", engine)?))
        });
        named.collect()
    }

    /// `steps.txt`, or one run of every job that must end well.
    pub fn steps(&self, engine: Engine) -> Vec<Step> {
        let Some(text) = self.text("steps", "txt", engine) else {
            let jobs = self.declared("job", engine).into_iter();
            return jobs.map(|(job, _)| Step::read(&format!("0 run-job {job} --as-of {AS_OF}"))).collect();
        };
        text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).map(Step::read).collect()
    }
}

/// `-- with: NAME` in a seed stands for the script that cases share, `tests/cases/NAME.ENGINE.sql`.
fn with_shared(seed: &str, engine: Engine) -> String {
    let line = |line: &str| match line.strip_prefix("-- with: ") {
        Some(name) => {
            let engine = if engine.is_mysql() { "mysql" } else { engine.name() };
            let path = format!("{}/tests/cases/{name}.{engine}.sql", env!("CARGO_MANIFEST_DIR"));
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
        }
        None => format!("{line}\n"),
    };
    seed.lines().map(line).collect()
}

impl Step {
    fn read(line: &str) -> Self {
        let (code, words) = line.split_once(' ').unwrap_or((line, ""));
        match code {
            "sql" => return Self::Sql(words.to_owned()),
            "cache" => return Self::Cache(words.to_owned()),
            "graph" => return Self::Graph(words.to_owned()),
            _ => {}
        }
        let code = code.parse().unwrap_or_else(|_| panic!("a step begins with an exit code, `sql`, `cache` or `graph`: {line}"));
        Self::Command { code, words: words.split_whitespace().map(str::to_owned).collect() }
    }
}
