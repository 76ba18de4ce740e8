//! The five stores of the company, each of its own for one test, and the binary that governs them.

use crate::support::database::Database;
use crate::support::engine::Engine;
use crate::support::graph::Graph;
use crate::support::keyspace::{KeyServer, Keyspace};
use crate::support::sandbox::Ended;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The declarations, as they lie in `tests/company`.
const DECLARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/company");

/// Five stores.
#[derive(Debug)]
pub struct Five {
    /// MySQL.
    pub core: Database,
    /// PostgreSQL.
    pub platform: Database,
    /// SQLite.
    pub small: Database,
    /// Redis.
    pub cache: Keyspace,
    /// Neo4j.
    pub graph: Graph,
    folder: PathBuf,
}

impl Five {
    /// Five empty stores, and the declarations in `folder`.
    pub fn new(folder: &Path) -> Self {
        let small = Database::new(Engine::Sqlite, folder);
        let five = Self {
            core: Database::new(Engine::Mysql, folder),
            platform: Database::new(Engine::Postgres, folder),
            small,
            cache: Keyspace::new(KeyServer::Redis),
            graph: Graph::new(),
            folder: folder.to_owned(),
        };
        five.declare();
        five
    }

    /// Copies the declarations; `{{User}}` is this test's own label.
    fn declare(&self) {
        for part in ["", "policies", "jobs"] {
            let (from, to) = (Path::new(DECLARED).join(part), self.folder.join(part));
            std::fs::create_dir_all(&to).expect("a folder");
            for entry in std::fs::read_dir(&from).expect("the company's declarations") {
                let path = entry.expect("a file").path();
                if path.extension().is_some_and(|extension| extension == "yaml") {
                    let mut text = std::fs::read_to_string(&path).expect("a text");
                    for label in ["User", "Skill", "Event", "HAS_SKILL"] {
                        text = text.replace(&format!("{{{{{label}}}}}"), &self.graph.label(label));
                    }
                    let text = text.replace("sqlite:grading.db", &self.small.url());
                    std::fs::write(to.join(path.file_name().expect("a name")), text).expect("a file");
                }
            }
        }
    }

    /// The names of the jobs, in the order of a night: what removes first, what looks last.
    pub fn jobs(&self) -> [&'static str; 7] {
        [
            "archive-consumption",
            "delete-grading",
            "delete-nodes",
            "expire-sessions",
            "sweep-cache",
            "refresh-views",
            "check-quality",
        ]
    }

    /// Runs the binary.
    pub fn steward<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_steward"));
        command
            .current_dir(&self.folder)
            .args(words)
            .env_remove("STEWARD_CONFIG")
            .env("STEWARD_LOG", "warn")
            .env("NO_COLOR", "1");
        for (name, value) in self.variables() {
            command.env(name, value);
        }
        command.stdin(std::process::Stdio::null()).output().expect("the binary starts").into()
    }

    /// Where the stores are.
    pub fn variables(&self) -> [(&'static str, String); 6] {
        [
            ("COMPANY_CORE_URL", self.core.url()),
            ("COMPANY_PLATFORM_URL", self.platform.url()),
            ("COMPANY_CACHE_URL", self.cache.url()),
            ("COMPANY_CACHE_PASSWORD", self.cache.address.password.clone()),
            ("COMPANY_GRAPH_URL", self.graph.url()),
            ("COMPANY_GRAPH_PASSWORD", self.graph.address.password.clone()),
        ]
    }
}
