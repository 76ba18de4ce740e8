//! Checks of nodes and relations: counted in the store, samples bounded and masked.

use super::users_fixture::{context, graph, open, policy, stores};
use crate::promises::orders_fixture::wait;
use crate::support::sandbox::Sandbox;
use std::collections::HashSet;
use std::time::{Duration, Instant};
use steward::action::Measured;
use steward::actions::checks;
use steward::policy::dataset::DatasetName;
use steward::store::error::StoreFailure;
use steward::store::neo4j::ids::{IdKind, SortedIds, present};
use steward::store::neo4j::label_query::LookedLabel;

/// Measures the one check; `{label}` is filled in as labels of this test.
fn measure(sandbox: &Sandbox, check: &str) -> Result<Measured, StoreFailure> {
    sandbox.policy("checks", &format!("checks:\n  - {{ name: it, {} }}\n", check.replace("{{graph}}", &graph(sandbox).suffix)));
    let cx = context(sandbox);
    let check = cx.policies.checks[0].clone();
    let kind = checks::named(check.shape.key).expect("a kind");
    wait((kind.measure)(&cx, &check, chrono::Utc::now()))
}

fn sandbox() -> Sandbox {
    let sandbox = open();
    policy(&sandbox, "");
    sandbox
}

#[track_caller]
fn told(measured: Result<Measured, StoreFailure>, value: u64, of: Option<u64>) -> Measured {
    let measured = measured.expect("measured");
    assert_eq!((measured.value, measured.of), (value, of), "{measured:#?}");
    measured
}

/// Every number comes with the query that gives it again (promise 12).
#[track_caller]
fn told_again(sandbox: &Sandbox, measured: &Measured, column: &str) {
    let query = measured.query.clone().expect("a query");
    let again = graph(sandbox).ask(&format!("CALL {{ {query} }} RETURN {column}"));
    assert_eq!(again, [measured.value.to_string()], "{query}");
}

#[test]
fn orphans_of_several_labels_count_once() {
    let sandbox = sandbox();
    graph(&sandbox).seed(
        "CREATE CONSTRAINT id{{graph}} FOR (n:User{{graph}}) REQUIRE n.id IS UNIQUE;
UNWIND range(1, 5) AS id CREATE (:User{{graph}} {id: id, email: 'canary@example.com'});
CREATE (:User{{graph}}:Skill{{graph}} {id: 6}), (:Skill{{graph}} {name: 'canary'});
MATCH (a:User{{graph}} {id: 1}), (b:User{{graph}} {id: 2}) CREATE (a)-[:KNOWS]->(b);
MATCH (a:User{{graph}} {id: 3}) CREATE (a)-[:KNOWS]->(a);",
    );
    let measured =
        told(measure(&sandbox, "dataset: graph, orphan_nodes: [\"User{{graph}}\", \"Skill{{graph}}\"], samples: 3"), 4, Some(7));
    assert_eq!(measured.samples.len(), 3, "{measured:#?}");
    assert!(measured.samples.iter().all(|sample| !sample.contains("canary")), "{measured:#?}");
    assert!(measured.samples[0].contains(" id=4"), "{measured:#?}");
    told_again(&sandbox, &measured, "c0");
    let narrowed = "dataset: graph, orphan_nodes: \"User{{graph}}\", where: \"n.id > 4\"";
    told(measure(&sandbox, narrowed), 2, Some(2));
    assert!(told(measure(&sandbox, "dataset: graph, orphan_nodes: \"Nobody{{graph}}\""), 0, Some(0)).nothing_seen);
    let misspelt = measure(&sandbox, "dataset: graph, orphan_nodes: \"Usr{{graph}}\"").expect_err("refused").to_string();
    assert!(misspelt.contains("no node bears the label"), "{misspelt}");
}

#[test]
fn relations_beyond_the_first_are_counted_by_direction_type_and_property() {
    let sandbox = sandbox();
    let kind = format!("HAS{}", graph(&sandbox).suffix);
    graph(&sandbox).seed(&format!(
        "CREATE (a:User{{{{graph}}}} {{id: 1}}), (b:User{{{{graph}}}} {{id: 2}}), (a)-[:{kind} {{since: 1}}]->(b), (a)-[:{kind} {{since: 1}}]->(b), \
         (a)-[:{kind} {{since: 2}}]->(b), (b)-[:{kind}]->(a), (b)-[:{kind}]->(b);"
    ));
    let measured = told(measure(&sandbox, "dataset: graph, duplicate_relations: \"HAS{{graph}}\""), 2, Some(5));
    assert_eq!(measured.samples.len(), 1);
    assert!(measured.samples[0].starts_with(&format!("{kind}: 3 times from node ")), "{measured:#?}");
    told_again(&sandbox, &measured, "c0");
    told(measure(&sandbox, "dataset: graph, duplicate_relations: \"HAS{{graph}}\", by: since"), 1, Some(5));
    told(measure(&sandbox, "dataset: graph, duplicate_relations: \"HAS{{graph}}\", where: \"n.id = 2\""), 0, Some(2));
}

#[test]
fn a_question_of_ones_own_reads_and_nothing_else() {
    let sandbox = sandbox();
    graph(&sandbox).seed("UNWIND range(1, 4) AS id CREATE (:User{{graph}} {id: id});");
    let ask = |query: &str| measure(&sandbox, &format!("dataset: graph, cypher: \"{query}\", warn: \"> 0\""));
    told(ask("MATCH (n:User{{graph}}) WHERE n.id > 3 RETURN count(n)"), 1, None);
    told(ask("MATCH (n:User{{graph}}) RETURN count(CASE WHEN n.id > 3 THEN 1 END) AS zzz, count(*) AS total"), 1, Some(4));
    for (query, why) in [
        ("MATCH (n:User{{graph}}) SET n.x = 1 RETURN count(n)", "would write"),
        ("CREATE (n:User{{graph}}) RETURN count(n)", "would write"),
        ("MATCH (n:User{{graph}}) RETURN n.id", "more than one row"),
        ("MATCH (n:User{{graph}}) RETURN count(n), count(*)", "several columns"),
        ("RETURN 'x'", "no whole number"),
        ("MATCH (n:User{{graph}} {id: 1}) RETURN n", "no whole number"),
        ("RETURN date()", "no whole number"),
        ("MATCH (n:User{{graph}}) RETURN count(m)", "cannot plan the query: Variable `m` not defined"),
    ] {
        let failure = ask(query).expect_err(query);
        assert!(matches!(failure, StoreFailure::Refused { .. }) && failure.to_string().contains(why), "{query}: {failure}");
    }
    for query in [
        "CALL dbms.listConfig() YIELD name RETURN count(name)",
        "LOAD CSV FROM 'file:///etc/passwd' AS line RETURN count(line)",
        "MATCH (n:User RETURN count(n)",
        "MATCH (n:User) WHERE n.id = $id RETURN count(n)",
    ] {
        sandbox.policy("checks", &format!("checks:\n  - {{ dataset: graph, cypher: \"{query}\", warn: \"> 0\" }}\n"));
        let ended = sandbox.steward(["validate"]).must_end(78);
        assert!(format!("{ended}").contains("SW2510"), "{query}: {ended}");
    }
    assert_eq!(graph(&sandbox).ask("MATCH (n:User{{graph}}) RETURN count(n.x) + count(n)"), ["4"]);
}

/// The silicon level of a user is a number from 0 to 5.
#[test]
fn properties_that_lack_or_leave_their_range_are_counted() {
    let sandbox = sandbox();
    graph(&sandbox).seed(
        "UNWIND [0, 5, 2.5, 6, -1, 'x', null] AS level CREATE (:User{{graph}} {silicon_level: level, email: CASE level WHEN 0 THEN ' ' WHEN 5 THEN 'li@x' END});
CREATE (:User{{graph}} {silicon_level: 0.0 / 0.0, email: [1]});",
    );
    let range = "dataset: \"graph.User{{graph}}\", range: silicon_level, min: 0, max: 5";
    let measured = told(measure(&sandbox, range), 4, Some(7));
    assert_eq!(measured.samples.len(), 4, "{measured:#?}");
    told_again(&sandbox, &measured, "c0");
    told(measure(&sandbox, "dataset: \"graph.User{{graph}}\", missing: [email]"), 6, Some(8));
    told(measure(&sandbox, "dataset: \"graph.User{{graph}}\", row_count: true, fail: \"< 1\""), 8, None);
    let failure = measure(&sandbox, &range.replace("silicon_level", "silicon_levl")).expect_err("refused");
    assert!(matches!(&failure, StoreFailure::Refused { help, .. } if help.contains("silicon_level")), "{failure}");
}

/// Scenario 33, in small: what is asked of 200,000 nodes is counted where they are, and the samples stay few.
#[test]
fn a_large_label_is_counted_in_the_store() {
    let sandbox = sandbox();
    graph(&sandbox)
        .seed("UNWIND range(1, 200000) AS id CALL { WITH id CREATE (:User{{graph}} {id: id}) } IN TRANSACTIONS OF 20000 ROWS;");
    let began = Instant::now();
    let measured = told(measure(&sandbox, "dataset: graph, orphan_nodes: \"User{{graph}}\", samples: 5"), 200_000, Some(200_000));
    assert_eq!(measured.samples.len(), 5);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn ids_come_in_order_page_by_page_and_are_found_as_text() {
    let sandbox = sandbox();
    graph(&sandbox).seed(
        "UNWIND range(1, 25001) AS id CREATE (:User{{graph}} {id: id});
CREATE (:User{{graph}} {id: 7}), (:User{{graph}}), (:Text{{graph}} {id: '10'}), (:Text{{graph}} {id: '9'}), (:Text{{graph}} {id: 'é'}), (:Text{{graph}} {id: 3});",
    );
    let stores = stores(&sandbox);
    let looked = async |label: &str| {
        let dataset = DatasetName { store: "graph".into(), schema: None, table: graph(&sandbox).label(label) };
        LookedLabel::at(stores.graph("graph").expect("the graph"), "test", &dataset, None).await.expect("a label")
    };
    wait(async {
        let users = looked("User").await;
        assert_eq!(IdKind::of(&users, "id").await.expect("a kind"), IdKind::Number);
        let asked = ["1", "007", "25001", "25002", "x", "-1"].map(str::to_owned);
        let found = present(&users, "id", &asked).await.expect("found");
        assert_eq!(found, HashSet::from(["1".to_owned(), "25001".to_owned()]));
        let mut sorted = SortedIds::of(users, "id", IdKind::Number).await.expect("ids");
        let mut all: Vec<String> = vec![];
        loop {
            let page = sorted.page().await.expect("a page");
            if page.is_empty() {
                break;
            }
            all.extend(page);
        }
        assert_eq!(all, (1..=25_001).map(|id: u32| id.to_string()).collect::<Vec<_>>());

        let texts = looked("Text").await;
        assert_eq!(IdKind::of(&texts, "id").await.expect("a kind"), IdKind::Text);
        let asked = ["10", "3", "é", "e"].map(str::to_owned);
        let found = present(&texts, "id", &asked).await.expect("found");
        assert_eq!(found, HashSet::from(["10".to_owned(), "3".to_owned(), "é".to_owned()]));
        let mut sorted = SortedIds::of(texts, "id", IdKind::Text).await.expect("ids");
        assert_eq!(sorted.strangers().await.expect("strangers"), 1);
        assert_eq!(sorted.page().await.expect("a page"), ["10", "9", "é"]);
        assert!(sorted.page().await.expect("a page").is_empty());
    });
}
