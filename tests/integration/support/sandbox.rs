//! A sandbox for one test: a folder with declarations, a database, and the real binary to run in it.

use super::account::Account;
use super::database::Database;
use super::engine::Engine;
use super::graph::Graph;
use super::keyspace::{KeyServer, Keyspace};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use tempfile::TempDir;

/// The variable that holds the store's URL, password and all.
pub const URL: &str = "STEWARD_SANDBOX_URL";

/// The variables that hold the other stores' passwords.
const CACHE_PASSWORD: &str = "STEWARD_SANDBOX_CACHE_PASSWORD";
const GRAPH_PASSWORD: &str = "STEWARD_SANDBOX_GRAPH_PASSWORD";

/// A sandbox for one test; folder and database go with it.
///
/// `steward.yaml` names one store, `core`, and `cache` and `graph` once they were added; policies are in `policies/`, jobs in `jobs/`, the ledger in `state/steward.db`.
#[derive(Debug)]
pub struct Sandbox {
    // Dropped in this order: the database before the folder it may live in.
    pub database: Database,
    /// The store `cache`.
    pub cache: Option<Keyspace>,
    /// The store `graph`.
    pub graph: Option<Graph>,
    /// The account that the binary logs in with; the administrator's when there is none.
    account: Mutex<Option<Account>>,
    folder: TempDir,
}

impl Sandbox {
    /// A sandbox on an engine, with an empty database, no policy and no job.
    pub fn new(engine: Engine) -> Self {
        Self::with(engine, engine.server())
    }

    /// The same on another server than the one that all tests share: its administrator's URL.
    pub fn on(engine: Engine, server: &str) -> Self {
        Self::with(engine, Some(server.to_owned()))
    }

    fn with(engine: Engine, server: Option<String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let sandbox = Self {
            database: Database::on(engine, folder.path(), server),
            cache: None,
            graph: None,
            account: Mutex::default(),
            folder,
        };
        sandbox.config("");
        for folder in ["policies", "jobs"] {
            std::fs::create_dir(sandbox.path(folder)).expect("a folder");
        }
        sandbox
    }

    /// Adds the store `cache`: keys of its own on a server. Write the configuration afterwards, see [`Sandbox::config`].
    pub fn add_cache(&mut self, server: KeyServer) {
        self.cache = Some(Keyspace::new(server));
        self.config("");
    }

    /// Adds the store `graph`: nodes of its own. Write the configuration afterwards, see [`Sandbox::config`].
    pub fn add_graph(&mut self) {
        self.graph = Some(Graph::new());
        self.config("");
    }

    /// Writes `steward.yaml`: the store `core`, `cache` and `graph` if they were added, and what else it shall say.
    pub fn config(&self, more: &str) {
        let cache = self
            .cache
            .as_ref()
            .map(|cache| format!("  cache: {{ url: \"{}\", password: {{ env: {CACHE_PASSWORD} }} }}\n", cache.url()));
        let graph = self.graph.as_ref().map(|graph| {
            let (url, user) = (graph.url(), &graph.address.user);
            format!("  graph: {{ url: \"{url}\", user: \"{user}\", password: {{ env: {GRAPH_PASSWORD} }} }}\n")
        });
        let stores: String = [cache, graph].into_iter().flatten().collect();
        let config = format!(
            "stores:\n  core: {{ url: {{ env: {URL} }} }}\n{stores}state: state/\nledger: \"sqlite:state/steward.db\"\npolicies: [policies/]\njobs: jobs/\n{more}"
        );
        self.write("steward.yaml", &config);
    }

    /// Writes `policies/NAME.yaml`.
    pub fn policy(&self, name: &str, text: &str) {
        self.write(&format!("policies/{name}.yaml"), text);
    }

    /// Writes `jobs/NAME.yaml`.
    pub fn job(&self, name: &str, text: &str) {
        self.write(&format!("jobs/{name}.yaml"), text);
    }

    /// Writes any file.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// A path in it.
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Runs a script in the database. See [`Database`] for queries and dumps.
    pub fn sql(&self, script: &str) {
        self.database.sql(script);
    }

    /// From here on the binary logs in with an account that has exactly the grants which steward itself names for the jobs as they
    /// are declared now: those of `plan --sql`, and those of its refusals. Called again it grants what is new.
    ///
    /// Where the plan of an administrator ends with a refusal nothing changes: the words of that are about something else. SQLite
    /// knows no accounts.
    pub fn least_privileged(&self) {
        let plan =
            |url: &str| -> Ended { self.command(["plan", "--sql"]).env(URL, url).output().expect("the binary starts").into() };
        let by_administrator = plan(&self.database.url());
        if self.database.engine == Engine::Sqlite || by_administrator.code != Some(0) {
            return;
        }
        let mut account = self.account.lock().expect("no panic holds it").take().unwrap_or_else(|| Account::new(&self.database));
        account.grant(&self.database, &by_administrator.stdout);
        for _ in 0..8 {
            let told = plan(account.url());
            if !account.grant(&self.database, &(told.stdout + &told.stderr)) {
                break;
            }
        }
        *self.account.lock().expect("no panic holds it") = Some(account);
    }

    /// The store's URL as the binary gets it.
    pub fn url(&self) -> String {
        let account = self.account.lock().expect("no panic holds it");
        account.as_ref().map_or_else(|| self.database.url(), |account| account.url().to_owned())
    }

    /// The binary with these words, not yet started: for signals, pipes, other variables.
    pub fn command<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_steward"));
        command.current_dir(self.folder.path()).args(words).env(URL, self.url());
        if let Some(cache) = &self.cache {
            command.env(CACHE_PASSWORD, &cache.address.password);
        }
        if let Some(graph) = &self.graph {
            command.env(GRAPH_PASSWORD, &graph.address.password);
        }
        command.env_remove("STEWARD_CONFIG").env("STEWARD_LOG", "warn").env("NO_COLOR", "1").stdin(std::process::Stdio::null());
        command
    }

    /// The same, started by another program: `nohup`, `env --default-signal=HUP`.
    pub fn command_by<'a>(&self, by: &[&str], words: impl IntoIterator<Item = &'a str>) -> Command {
        let steward = self.command(words);
        let mut command = Command::new(by[0]);
        command.args(&by[1..]).arg(steward.get_program()).args(steward.get_args()).current_dir(self.folder.path());
        for (name, value) in steward.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.stdin(std::process::Stdio::null());
        command
    }

    /// Runs the binary to its end: `sandbox.steward(["run-job", "archive-orders", "--as-of", "2026-01-01"])`.
    pub fn steward<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Ended {
        self.command(words).output().expect("the binary starts").into()
    }
}

/// How the binary ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// The JSON object on stdout.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("stdout is no JSON object: {error}\n{self}"))
    }

    /// Panics with everything it said unless it ended with this code.
    #[track_caller]
    pub fn must_end(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {:?}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

#[test]
fn a_sandbox_stands_on_every_engine() {
    for engine in Engine::all() {
        let sandbox = Sandbox::new(engine);
        sandbox.sql("create table orders (id integer primary key, created_at varchar(30)); insert into orders values (1, 'a\u{1f600}'), (2, null);");
        assert_eq!(sandbox.database.count("select count(*) from orders"), 2);
        let dump = sandbox.database.dump("orders");
        assert!(dump.contains('\u{1f600}') && dump.contains("NULL"), "{dump}");
        let name = sandbox.database.name.clone();
        sandbox.steward(["validate"]).must_end(0);
        drop(sandbox);
        let sandbox = Sandbox::new(engine);
        if engine.is_mysql() {
            assert_eq!(
                sandbox.database.count(&format!("select count(*) from information_schema.schemata where schema_name = '{name}'")),
                0
            );
        }
    }
}

#[test]
fn a_sandbox_with_a_cache_and_a_graph_names_them_and_writes_no_password() {
    let mut sandbox = Sandbox::new(Engine::Sqlite);
    sandbox.add_cache(KeyServer::Redis);
    sandbox.add_graph();
    sandbox.config("mail: null\n");
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).expect("the configuration");
    let (cache, graph) = (sandbox.cache.as_ref().expect("a cache"), sandbox.graph.as_ref().expect("a graph"));
    for part in [
        format!("  cache: {{ url: \"{}\", password: {{ env: {CACHE_PASSWORD} }} }}\n", cache.url()),
        format!("  graph: {{ url: \"{}\", user: \"neo4j\", password: {{ env: {GRAPH_PASSWORD} }} }}\nstate: ", graph.url()),
        "jobs: jobs/\nmail: null\n".to_owned(),
    ] {
        assert!(config.contains(&part), "{part}\n{config}");
    }
    assert!(!config.contains(&cache.address.password) && !config.contains(&graph.address.password), "{config}");
}

#[test]
fn a_sandbox_may_log_in_with_the_printed_grants_alone() {
    for engine in Engine::all() {
        let sandbox = Sandbox::new(engine);
        sandbox.sql(
            "create table orders (id integer primary key, created_at varchar(30)); create table other (id integer primary key)",
        );
        sandbox.policy("orders", "lifecycle:\n  - { dataset: core.orders, clock: created_at, delete: { after: 1 year } }\n");
        sandbox.job("orders", "action: delete\npolicies: [core.orders]\n");
        if engine != Engine::Sqlite {
            sandbox.sql("alter table orders drop column created_at; alter table orders add column created_at date");
        }
        sandbox.least_privileged();
        sandbox.steward(["run-job", "orders"]).must_end(0);
        assert_eq!(sandbox.url() == sandbox.database.url(), engine == Engine::Sqlite, "another account");
    }
}
