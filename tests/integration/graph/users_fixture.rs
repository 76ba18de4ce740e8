//! A sandbox with a graph: users that are dated, a policy and a job that remove them.

use crate::support::engine::Engine;
use crate::support::graph::Graph;
use crate::support::sandbox::Sandbox;
use secrecy::SecretString;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use steward::action::Context;
use steward::actions;
use steward::declarations::reading::Declarations;
use steward::store::address::{StoreAddress, StoreLocation};
use steward::store::registry::Stores;

/// A sandbox with a graph and nothing in it.
pub fn open() -> Sandbox {
    let mut sandbox = Sandbox::new(Engine::Sqlite);
    sandbox.add_graph();
    sandbox.job("clean-graph", "action: delete\npolicies: [\"*\"]\nschedule: \"0 3 * * *\"\nmode: enforce\n");
    sandbox
}

/// Its graph.
pub fn graph(sandbox: &Sandbox) -> &Graph {
    sandbox.graph.as_ref().expect("a graph")
}

/// Writes the one policy: users older than two years go; `more` are further lines.
pub fn policy(sandbox: &Sandbox, more: &str) {
    let label = graph(sandbox).label("User");
    let text = format!(
        "lifecycle:\n  - name: old-users\n    dataset: graph.{label}\n    clock: created_at\n    delete: {{ after: 2 years }}\n    \
         guard: {{ max_rows: 1000000, max_percent: 100 }}\n{}",
        more.lines().map(|line| format!("    {line}\n")).collect::<String>()
    );
    sandbox.policy("users", &text);
}

/// Users 1 to `old` of 2020, and three young ones.
pub fn users(sandbox: &Sandbox, old: u64) {
    graph(sandbox).seed(&format!(
        "UNWIND range(1, {old}) AS id CREATE (:User{{{{graph}}}} {{id: id, created_at: datetime('2020-01-01T00:00:00Z') + duration({{seconds: id}})}});
UNWIND range(900001, 900003) AS id CREATE (:User{{{{graph}}}} {{id: id, created_at: datetime('2026-01-01T00:00:00Z')}});"
    ));
}

/// Runs the job, as of the first of May 2026, and gives its report on the one dataset.
pub fn run(sandbox: &Sandbox, exit: i32) -> Value {
    let report = sandbox.steward(["run-job", "clean-graph", "--as-of", "2026-05-01", "--json"]).must_end(exit).json();
    report["datasets"][0].clone()
}

/// The ids of the users there are, in order.
pub fn ids(sandbox: &Sandbox) -> Vec<String> {
    graph(sandbox).ask("MATCH (n:User{{graph}}) WITH n.id AS id ORDER BY id RETURN id")
}

/// How many users there are.
pub fn count(sandbox: &Sandbox) -> u64 {
    graph(sandbox).ask("MATCH (n:User{{graph}}) RETURN count(n)")[0].parse().expect("a count")
}

/// The stores of the sandbox, as the library has them: the graph alone.
pub fn stores(sandbox: &Sandbox) -> Stores {
    let graph = graph(sandbox);
    let at = StoreLocation::Server {
        url: SecretString::from(graph.url()),
        user: Some(graph.address.user.clone()),
        password: Some(SecretString::from(graph.address.password.clone())),
        ca: None,
    };
    let (lock_timeout, statement_timeout) = (Duration::from_secs(1), Duration::from_secs(8));
    Stores::new([StoreAddress { name: "graph".into(), at, lock_timeout, statement_timeout, connections: 4 }]).expect("stores")
}

/// What an action sees: the sandbox's own declarations, no runner around it.
pub fn context(sandbox: &Sandbox) -> Context {
    let read = Declarations::read(&sandbox.path("steward.yaml"), &|name| Some(name.to_owned()), &actions::registry());
    let (declarations, _) = read.unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
    let job = Arc::new(declarations.job("clean-graph").expect("the job").clone());
    Context::new("run".into(), job, Arc::new(stores(sandbox)), Arc::new(declarations.policies), vec![])
}
