//! Nodes for one test, on Neo4j; gone when the test ends, however it ends.

use super::address::{Address, configured};
use super::wait::wait;
use neo4rs::{BoltType, ConfigBuilder};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a statement may take. The driver itself waits for ever on a server that is frozen.
const PATIENCE: Duration = Duration::from_secs(120);

/// Nodes for one test. Neo4j Community has one database, so every label of a test ends with a suffix of its own, and nodes
/// with such a label, and what relates to them, are the test's.
#[derive(Debug)]
pub struct Graph {
    pub address: Address,
    /// What every label ends with: `{{graph}}` in scripts, so that `User{{graph}}` is this test's `User`.
    pub suffix: String,
}

impl Graph {
    /// One without nodes.
    pub fn new() -> Self {
        let id = uuid::Uuid::new_v4().simple().to_string();
        Self { address: Address::of(&configured("STEWARD_TEST_NEO4J_URL")), suffix: format!("_t{}", &id[..16]) }
    }

    /// Its URL for a configuration, without user and password: `bolt://127.0.0.1:7687`.
    pub fn url(&self) -> String {
        format!("{}://{}", self.address.scheme, self.address.host)
    }

    /// A label of this test: `User` is `User_t0123456789abcdef`.
    pub fn label(&self, name: &str) -> String {
        format!("{name}{}", self.suffix)
    }

    /// Carries out a script: each statement ends with `;` at a line's end, and is a transaction. Each must name a label with
    /// `{{graph}}`, or it would touch other tests' nodes. Panics with the server's own words when it refuses one.
    pub fn seed(&self, script: &str) {
        for statement in statements(script) {
            assert!(
                statement.contains("{{graph}}"),
                "a statement without `{{{{graph}}}}` touches other tests' nodes:\n{statement}"
            );
            self.must(&statement);
        }
        let strangers = self.within(|scope| format!("MATCH (a:({scope}))--(b) WHERE NOT b:({scope}) RETURN count(b)"));
        assert!(
            strangers.is_none_or(|count| count.iter().map(bare).eq(["0"])),
            "a node has no label with `{{{{graph}}}}`, and would stay when this test ends:\n{script}"
        );
    }

    /// The values of a query that returns one column, as text. `{{graph}}` is this test's suffix.
    pub fn ask(&self, query: &str) -> Vec<String> {
        self.must(query).iter().map(bare).collect()
    }

    /// Every node and every relation, one a line, in the order of the text; the second of two that are alike ends with `#2`.
    /// Labels stand without the suffix, properties in the order of their names; ids, which come and go, are not in it.
    pub fn dump(&self) -> String {
        let nodes = self.within(|scope| format!("MATCH (n:({scope})) RETURN [labels(n), properties(n)]"));
        let ends = "RETURN [labels(a), properties(a), type(r), properties(r), labels(b), properties(b)] AS r";
        let relations = self.within(|scope| {
            format!("MATCH (a:({scope}))-[r]->(b) {ends} UNION ALL MATCH (a)-[r]->(b:({scope})) WHERE NOT a:({scope}) {ends}")
        });
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for found in nodes.into_iter().chain(relations).flatten() {
            *seen.entry(line(&found).replace(&self.suffix, "")).or_default() += 1;
        }
        let lines = seen.iter().flat_map(|(line, times)| {
            (1..=*times).map(move |at| if at == 1 { format!("{line}\n") } else { format!("{line} #{at}\n") })
        });
        lines.collect()
    }

    /// The values of a query about the nodes of this test, whose labels it gets as `A|B`; none without any label.
    fn within(&self, query: impl Fn(&str) -> String) -> Option<Vec<BoltType>> {
        let labels = self.labels().unwrap_or_else(|error| panic!("neo4j does not list its labels: {error}"));
        (!labels.is_empty()).then(|| self.must(&query(&labels)))
    }

    fn labels(&self) -> Result<String, String> {
        let named = format!("CALL db.labels() YIELD label WHERE label ENDS WITH '{}' RETURN label ORDER BY label", self.suffix);
        let labels: Vec<String> = self.run(&named)?.iter().map(|label| quoted(&bare(label))).collect();
        Ok(labels.join("|"))
    }

    fn must(&self, statement: &str) -> Vec<BoltType> {
        self.run(statement).unwrap_or_else(|error| panic!("neo4j refuses the statement: {error}\n{statement}"))
    }

    /// The one column that a statement returns.
    fn run(&self, statement: &str) -> Result<Vec<BoltType>, String> {
        let statement = statement.replace("{{graph}}", &self.suffix);
        wait(async {
            match tokio::time::timeout(PATIENCE, self.carry_out(&statement)).await {
                Ok(ended) => ended.map_err(|error| error.to_string()),
                Err(_) => Err(format!("no answer within {PATIENCE:?}")),
            }
        })
    }

    /// In a transaction of its own: the driver sends nothing twice there. `IN TRANSACTIONS` makes its own, and must be read
    /// to the end, or it stops half way.
    async fn carry_out(&self, statement: &str) -> Result<Vec<BoltType>, neo4rs::Error> {
        let config = ConfigBuilder::default().uri(self.url()).user(&self.address.user).password(&self.address.password);
        let graph = neo4rs::Graph::connect(config.connection_timeout(PATIENCE).max_connections(1).build()?)?;
        let mut values = vec![];
        if statement.contains("IN TRANSACTIONS") {
            let mut rows = graph.execute(statement).await?;
            while let Some(row) = rows.next().await? {
                values.push(only(&row)?);
            }
            return Ok(values);
        }
        let mut transaction = graph.start_txn().await?;
        let mut rows = transaction.execute(statement).await?;
        while let Some(row) = rows.next(transaction.handle()).await? {
            values.push(only(&row)?);
        }
        transaction.commit().await?;
        Ok(values)
    }

    fn remove(&self) -> Result<(), String> {
        let labels = self.labels()?;
        if !labels.is_empty() {
            self.run(&format!("MATCH (n:({labels})) CALL {{ WITH n DETACH DELETE n }} IN TRANSACTIONS OF 10000 ROWS"))?;
        }
        for (kind, kinds) in [("CONSTRAINT", "CONSTRAINTS"), ("INDEX", "INDEXES")] {
            let ours = format!("any(label IN labelsOrTypes WHERE label ENDS WITH '{}')", self.suffix);
            for name in self.run(&format!("SHOW {kinds} YIELD name, labelsOrTypes WHERE {ours} RETURN name"))? {
                self.run(&format!("DROP {kind} {} IF EXISTS", quoted(&bare(&name))))?;
            }
        }
        Ok(())
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        // A panic here, while a test's own panic is on its way, would end the process and say nothing.
        if let Err(error) = self.remove() {
            eprintln!("the nodes of labels that end with {} were not removed: {error}", self.suffix);
        }
    }
}

/// Statements end with `;` at a line's end; lines that begin with `//` are comments.
fn statements(script: &str) -> Vec<String> {
    let lines = script.lines().map(str::trim_end).filter(|line| !line.trim_start().starts_with("//"));
    let script: String = lines.map(|line| format!("{line}\n")).collect();
    script.split(";\n").map(|statement| statement.trim().to_owned()).filter(|statement| !statement.is_empty()).collect()
}

/// The one column of a row.
fn only(row: &neo4rs::Row) -> Result<BoltType, neo4rs::Error> {
    let columns = row.keys();
    assert_eq!(columns.len(), 1, "a query here returns one column");
    row.get(&columns[0].value).map_err(neo4rs::Error::DeserializationError)
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// `(:User {id: 1})`, or `(:User {id: 1})-[:KNOWS {since: 2020}]->(:User {id: 2})`.
fn line(found: &BoltType) -> String {
    let BoltType::List(parts) = found else { panic!("neither node nor relation: {found:?}") };
    match &parts.value[..] {
        [labels, properties] => node(labels, properties),
        [labels, properties, kind, its, to_labels, to] => {
            format!("{}-[:{} {}]->{}", node(labels, properties), bare(kind), text(its), node(to_labels, to))
        }
        _ => panic!("neither node nor relation: {found:?}"),
    }
}

fn node(labels: &BoltType, properties: &BoltType) -> String {
    let BoltType::List(labels) = labels else { panic!("no labels: {labels:?}") };
    let mut labels: Vec<String> = labels.value.iter().map(|label| format!(":{}", bare(label))).collect();
    labels.sort();
    format!("({} {})", labels.concat(), text(properties))
}

/// A string as it is, anything else as [`text`] has it.
fn bare(value: &BoltType) -> String {
    if let BoltType::String(string) = value { string.value.clone() } else { text(value) }
}

/// A value without a bit of it lost, type included: `1`, `1.0`, `"1"`.
fn text(value: &BoltType) -> String {
    match value {
        BoltType::Null(_) => "null".to_owned(),
        BoltType::Boolean(boolean) => boolean.value.to_string(),
        BoltType::Integer(integer) => integer.value.to_string(),
        BoltType::Float(float) => format!("{:?}", float.value),
        BoltType::String(string) => format!("{:?}", string.value),
        BoltType::List(list) => format!("[{}]", list.value.iter().map(text).collect::<Vec<_>>().join(", ")),
        BoltType::Map(map) => {
            let properties: BTreeMap<&str, String> =
                map.value.iter().map(|(name, value)| (name.value.as_str(), text(value))).collect();
            let properties = properties.iter().map(|(name, value)| format!("{name}: {value}"));
            format!("{{{}}}", properties.collect::<Vec<_>>().join(", "))
        }
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &str = "
// two that are alike, one alone, and a relation with a property
CREATE (:User{{graph}} {id: 1, name: 'a; b\n\u{1f600}', score: 1.0, tags: ['x', 'y'], born: date('2000-02-29')})
  -[:HAS_SKILL {level: 3}]->(:Skill{{graph}}:Rare{{graph}} {id: '1'});
UNWIND [1, 2] AS twice CREATE (:User{{graph}} {id: 2});
MATCH (a:User{{graph}} {id: 1}), (b:Skill{{graph}}) CREATE (a)-[:HAS_SKILL {level: 3}]->(b);
";

    const FIRST: &str = r#"(:User {born: Date(BoltDate { days: BoltInteger { value: 11016 } }), id: 1, name: "a; b\n😀", score: 1.0, tags: ["x", "y"]})"#;

    #[test]
    fn what_is_seeded_is_what_is_dumped_and_every_change_shows() {
        let graph = Graph::new();
        assert_eq!(graph.dump(), "");
        graph.seed(SEED);
        let relation = format!("{FIRST}-[:HAS_SKILL {{level: 3}}]->(:Rare:Skill {{id: \"1\"}})");
        let expected =
            [r#"(:Rare:Skill {id: "1"})"#, "(:User {id: 2})", "(:User {id: 2}) #2", FIRST, &relation, &format!("{relation} #2")];
        let dump = graph.dump();
        let mut lines: Vec<&str> = dump.lines().collect();
        lines.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(lines, expected);
        for change in [
            "MATCH (n:User{{graph}} {id: 1}) SET n.id = 1.0;",
            "MATCH (:User{{graph}})-[r]->() WITH r LIMIT 1 DELETE r;",
            "MATCH (n:Rare{{graph}}) REMOVE n:Rare{{graph}};",
            "MATCH (n:User{{graph}} {id: 2}) WITH n LIMIT 1 DELETE n;",
        ] {
            let before = graph.dump();
            graph.seed(change);
            assert_ne!(graph.dump(), before, "{change}");
        }
        assert_eq!(graph.ask("MATCH (n:User{{graph}}) RETURN count(n)"), ["2"]);
    }

    #[test]
    fn tests_do_not_see_each_others_nodes_and_leave_none() {
        let (one, other) = (Graph::new(), Graph::new());
        one.seed("CREATE CONSTRAINT id{{graph}} FOR (n:User{{graph}}) REQUIRE n.id IS UNIQUE;\nCREATE (:User{{graph}} {id: 1});");
        assert_eq!((one.dump().as_str(), other.dump().as_str()), ("(:User {id: 1})\n", ""));
        let (label, name) = (one.label("User"), format!("id{}", one.suffix));
        drop(one);
        assert_eq!(other.ask(&format!("MATCH (n:{label}) RETURN count(n)")), ["0"]);
        assert_eq!(other.ask(&format!("SHOW CONSTRAINTS YIELD name WHERE name = '{name}' RETURN count(name)")), ["0"]);
    }

    #[test]
    fn a_batched_statement_is_carried_out_to_its_end() {
        let graph = Graph::new();
        graph.seed("UNWIND range(1, 5000) AS id CREATE (:Many{{graph}} {id: id});");
        graph.seed("MATCH (n:Many{{graph}}) CALL { WITH n DELETE n } IN TRANSACTIONS OF 300 ROWS;");
        assert_eq!(graph.ask("MATCH (n:Many{{graph}}) RETURN count(n)"), ["0"]);
    }

    #[test]
    #[should_panic(expected = "neo4j refuses the statement")]
    fn a_seed_that_is_refused_says_so() {
        Graph::new().seed("CREATE (:User{{graph}} {id: 1 / 0});");
    }

    #[test]
    fn a_seed_that_leaves_a_node_without_a_label_of_this_test_is_refused() {
        let graph = Graph::new();
        let stray = "CREATE (:User{{graph}})-[:KNOWS]->(:Stray{{graph}}x);";
        let panic = std::panic::catch_unwind(|| graph.seed(stray)).expect_err("it must not pass");
        graph.ask("MATCH (n:Stray{{graph}}x) DETACH DELETE n");
        let said = panic.downcast_ref::<String>().expect("a sentence");
        assert!(said.starts_with("a node has no label with `{{graph}}`"), "{said}");
    }

    #[test]
    #[should_panic(expected = "touches other tests' nodes")]
    fn a_seed_that_names_no_label_of_this_test_is_refused() {
        Graph::new().seed("MATCH (n) DETACH DELETE n;");
    }
}
