//! Users of a table and nodes of a graph.

use super::stores::{BOTH, address, compared, end, fill, graph_address, sorted};
use crate::support::database::Database;
use crate::support::engine::Engine;
use crate::support::graph::Graph;
use chrono::{DateTime, Utc};
use std::time::Duration;
use steward::reference::compare::{Asked, Compared};
use steward::store::error::StoreFailure;

struct Sandbox {
    core: Database,
    graph: Graph,
    _folder: tempfile::TempDir,
}

impl Sandbox {
    fn new(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { core: Database::new(engine, folder.path()), graph: Graph::new(), _folder: folder }
    }

    /// Compares `core.users.id` with `graph.User.id`.
    fn compare(&self, asked: Asked, before: Option<DateTime<Utc>>) -> Result<Compared, StoreFailure> {
        let addresses = vec![address("core", &self.core.url()), graph_address(&self.graph)];
        let to = end(&format!("graph.{}.id", self.graph.label("User")));
        compared(addresses, (&end("core.users.id"), &to), asked, before)
    }

    fn lacking(&self) -> (Vec<String>, Vec<String>) {
        let compared = self.compare(BOTH, None).unwrap_or_else(|failure| panic!("{failure}"));
        (sorted(&compared.from), sorted(&compared.to))
    }
}

#[test]
fn users_without_a_node_and_nodes_without_a_user_are_found_both_ways() {
    let sandbox = Sandbox::new(Engine::Mysql);
    sandbox.core.sql("CREATE TABLE users (id bigint unsigned NOT NULL PRIMARY KEY)");
    fill(&sandbox.core, "users", "id", (1..=25_000).filter(|id| *id != 777).map(|id: u32| id.to_string()));
    sandbox.graph.seed(
        "CREATE INDEX user_id{{graph}} FOR (n:User{{graph}}) ON (n.id);\n\
         UNWIND range(1, 25010) AS id WITH id WHERE id <> 9 AND id <> 10 CREATE (:User{{graph}} {id: id});\n\
         CREATE (:User{{graph}} {name: 'nobody'});\n\
         CREATE (:User{{graph}} {id: 12});",
    );
    let (from, to) = sandbox.lacking();
    assert_eq!(from, ["10", "9"]);
    let mut expected: Vec<String> = [777].into_iter().chain(25_001..=25_010).map(|id| id.to_string()).collect();
    expected.sort();
    assert_eq!(to, expected);
}

#[test]
fn numbers_and_texts_are_the_same_id_when_they_are_written_the_same() {
    let sandbox = Sandbox::new(Engine::Postgres);
    sandbox.core.sql("CREATE TABLE users (id text)");
    let ids =
        ["1", "2", "42", "042", "Li", "li", "O'Brien", "a\"b", "a`b", "back\\slash", "雪", "é", "e\u{301}", " x", "x ", "-7"];
    fill(&sandbox.core, "users", "id", ids);
    sandbox.graph.seed(
        "CREATE (:User{{graph}} {id: 1}), (:User{{graph}} {id: '2'}), (:User{{graph}} {id: 42}), (:User{{graph}} {id: 'Li'}), \
         (:User{{graph}} {id: \"O'Brien\"}), (:User{{graph}} {id: 'a\"b'}), (:User{{graph}} {id: 'a`b'}), \
         (:User{{graph}} {id: 'back\\\\slash'}), (:User{{graph}} {id: '雪'}), (:User{{graph}} {id: 'é'}), (:User{{graph}} {id: ' x'}), \
         (:User{{graph}} {id: 'x'}), (:User{{graph}} {id: -7}), (:User{{graph}} {id: 42.5}), (:User{{graph}} {id: '10'});",
    );
    let (from, to) = sandbox.lacking();
    let mut expected = vec!["042", "li", "e\u{301}", "x "];
    expected.sort_unstable();
    assert_eq!(from, expected);
    assert_eq!(to, ["10", "x"], "a number with a fraction is no id");
}

#[test]
fn a_young_node_is_left_out_and_an_old_one_counts() {
    let sandbox = Sandbox::new(Engine::Sqlite);
    sandbox.core.sql("CREATE TABLE users (id integer PRIMARY KEY, created_at text); INSERT INTO users VALUES (1, '2020-01-01T00:00:00Z'), (2, '2030-01-01T00:00:00Z')");
    sandbox.graph.seed(
        "CREATE (:User{{graph}} {id: 8, created_at: datetime('2020-01-01T00:00:00Z')}), \
         (:User{{graph}} {id: 9, created_at: datetime('2030-01-01T00:00:00Z')});",
    );
    let asked = Asked { settle: Some(Duration::from_secs(60)), ..BOTH };
    let compared = sandbox.compare(asked, Some("2026-01-01T00:00:00Z".parse().unwrap())).unwrap();
    assert_eq!(
        (sorted(&compared.from), sorted(&compared.to), compared.waited_for),
        (vec!["1".to_owned()], vec!["8".to_owned()], 0)
    );
}

#[test]
fn a_uuid_of_a_column_is_found_in_a_text_of_a_node() {
    let sandbox = Sandbox::new(Engine::Postgres);
    let id = |n: u32| format!("a0eebc99-9c0b-4ef8-bb6d-6bb9bd38{n:04x}");
    sandbox.core.sql("CREATE TABLE users (id uuid PRIMARY KEY)");
    fill(&sandbox.core, "users", "id", [id(1), id(0xabcd), id(3)]);
    let upper = |n: u32| id(n).to_uppercase();
    sandbox.graph.seed(&format!(
        "CREATE (:User{{{{graph}}}} {{id: '{}'}}), (:User{{{{graph}}}} {{id: '{}'}}), (:User{{{{graph}}}} {{id: '{}'}});",
        id(1),
        upper(0xabcd),
        upper(0xff)
    ));
    assert_eq!(sandbox.lacking(), (vec![id(3)], vec![id(0xff)]));
}

#[test]
fn a_graph_without_nodes_lacks_everybody() {
    let sandbox = Sandbox::new(Engine::Sqlite);
    sandbox.core.sql("CREATE TABLE users (id integer PRIMARY KEY); INSERT INTO users VALUES (1), (2)");
    let compared = sandbox.compare(BOTH, None).unwrap();
    assert_eq!((compared.from.missing, compared.from.seen, compared.to.seen), (2, 2, 0));
}

#[test]
fn values_that_are_no_id_are_counted_and_are_findings() {
    let sandbox = Sandbox::new(Engine::Sqlite);
    sandbox.core.sql("CREATE TABLE users (id integer PRIMARY KEY); INSERT INTO users VALUES (1)");
    sandbox.graph.seed(
        "CREATE (:User{{graph}} {id: 1}), (:User{{graph}} {id: 1.0}), (:User{{graph}} {id: -0.0}), (:User{{graph}} {id: [1]}), \
         (:User{{graph}} {id: point({x: 1, y: 2})}), (:User{{graph}} {id: date()}), (:User{{graph}} {id: true}), (:User{{graph}});",
    );
    let found = sandbox.compare(BOTH, None).unwrap();
    assert_eq!((found.to.seen, found.to.missing, found.to.unreadable), (1, 0, 6), "{found:?}");
    sandbox.graph.seed("MATCH (n:User{{graph}} {id: 1}) WHERE n.id IS :: INTEGER NOT NULL DELETE n;");
    let found = sandbox.compare(BOTH, None).unwrap();
    assert_eq!((found.to.seen, found.to.unreadable, found.to.without_id, found.from.missing), (0, 6, 1, 1), "{found:?}");
}
