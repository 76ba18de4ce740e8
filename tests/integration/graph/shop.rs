//! A house with a graph: users that are dated, a policy and a job that remove them.

use crate::support::engine::Engine;
use crate::support::graph::Graph;
use crate::support::house::House;
use secrecy::SecretString;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use steward::action::Context;
use steward::actions;
use steward::declarations::reading::Declarations;
use steward::store::connect::{StoreAddress, StoreLocation};
use steward::store::stores::Stores;

/// A house with a graph and nothing in it.
pub fn open() -> House {
    let mut house = House::new(Engine::Sqlite);
    house.add_graph();
    house.job("clean-graph", "action: delete\npolicies: [\"*\"]\nschedule: \"0 3 * * *\"\nmode: enforce\n");
    house
}

/// Its graph.
pub fn graph(house: &House) -> &Graph {
    house.graph.as_ref().expect("a graph")
}

/// Writes the one policy: users older than two years go; `more` are further lines.
pub fn policy(house: &House, more: &str) {
    let label = graph(house).label("User");
    let text = format!(
        "lifecycle:\n  - name: old-users\n    dataset: graph.{label}\n    clock: created_at\n    delete: {{ after: 2 years }}\n    \
         guard: {{ max_rows: 1000000, max_percent: 100 }}\n{}",
        more.lines().map(|line| format!("    {line}\n")).collect::<String>()
    );
    house.policy("users", &text);
}

/// Users 1 to `old` of 2020, and three young ones.
pub fn users(house: &House, old: u64) {
    graph(house).seed(&format!(
        "UNWIND range(1, {old}) AS id CREATE (:User{{{{graph}}}} {{id: id, created_at: datetime('2020-01-01T00:00:00Z') + duration({{seconds: id}})}});
UNWIND range(900001, 900003) AS id CREATE (:User{{{{graph}}}} {{id: id, created_at: datetime('2026-01-01T00:00:00Z')}});"
    ));
}

/// Runs the job, as of the first of May 2026, and gives its report on the one dataset.
pub fn run(house: &House, exit: i32) -> Value {
    let report = house.steward(["run-job", "clean-graph", "--as-of", "2026-05-01", "--json"]).must_end(exit).json();
    report["datasets"][0].clone()
}

/// The ids of the users there are, in order.
pub fn ids(house: &House) -> Vec<String> {
    graph(house).ask("MATCH (n:User{{graph}}) WITH n.id AS id ORDER BY id RETURN id")
}

/// How many users there are.
pub fn count(house: &House) -> u64 {
    graph(house).ask("MATCH (n:User{{graph}}) RETURN count(n)")[0].parse().expect("a count")
}

/// The stores of the house, as the library has them: the graph alone.
pub fn stores(house: &House) -> Stores {
    let graph = graph(house);
    let at = StoreLocation::Server {
        url: SecretString::from(graph.url()),
        user: Some(graph.address.user.clone()),
        password: Some(SecretString::from(graph.address.password.clone())),
        ca: None,
    };
    let (lock_timeout, statement_timeout) = (Duration::from_secs(1), Duration::from_secs(8));
    Stores::new([StoreAddress { name: "graph".into(), at, lock_timeout, statement_timeout, connections: 4 }]).expect("stores")
}

/// What an action sees: the house's own declarations, no runner around it.
pub fn context(house: &House) -> Context {
    let read = Declarations::read(&house.path("steward.yaml"), &|name| Some(name.to_owned()), &actions::vocabulary());
    let (declarations, _) = read.unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
    let job = Arc::new(declarations.job("clean-graph").expect("the job").clone());
    Context::new("run".into(), job, Arc::new(stores(house)), Arc::new(declarations.policies), vec![])
}
