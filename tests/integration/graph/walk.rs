//! The library itself: a page that is read, a graph that moves on, a page that is carried out.

use super::shop::{context, count, graph, ids, open, policy, users};
use crate::promises::shop::wait;
use crate::support::house::House;
use steward::action::{Action, Batch};
use steward::actions::delete::DeleteRows;
use steward::store::failure::StoreFailure;

fn removed_after(house: &House, between: &str, exit: impl FnOnce(Result<(Option<u64>, u64), StoreFailure>)) {
    let cx = context(house);
    let as_of = "2026-05-01T00:00:00Z".parse().expect("an instant");
    let done = wait(async {
        let target = DeleteRows::targets(&cx.job, &cx.policies).remove(0);
        let action = DeleteRows::prepare(&cx, &target, as_of).await.expect("prepared");
        let page = action.next(&cx, None, 1_000).await.expect("a page").expect("rows");
        graph(house).seed(between);
        action.apply(&cx, &Batch { id: "b".into(), page }).await.map(|tally| (tally.removed, tally.changed))
    });
    exit(done);
}

/// Scenario 32.
#[test]
fn an_orphan_that_gains_a_relation_stays() {
    let house = open();
    policy(&house, "where: \"NOT (n)--()\"");
    users(&house, 4);
    removed_after(&house, "MATCH (a:User{{graph}} {id: 1}), (b:User{{graph}} {id: 900001}) CREATE (a)-[:KNOWS]->(b);", |done| {
        assert_eq!(done.expect("done"), (Some(3), 1))
    });
    assert_eq!(ids(&house)[0], "1");
}

#[test]
fn a_node_that_gains_a_relation_stays_where_relations_may_not_go() {
    let house = open();
    policy(&house, "");
    users(&house, 4);
    removed_after(&house, "MATCH (a:User{{graph}} {id: 1}), (b:User{{graph}} {id: 900001}) CREATE (a)-[:KNOWS]->(b);", |done| {
        assert_eq!(done.expect("done"), (Some(3), 1))
    });
}

#[test]
fn a_node_that_changed_since_it_was_read_stays() {
    let house = open();
    policy(&house, "");
    users(&house, 4);
    removed_after(&house, "MATCH (n:User{{graph}} {id: 2}) SET n.created_at = datetime();", |done| {
        assert_eq!(done.expect("done"), (Some(3), 1));
    });
    assert_eq!(ids(&house)[0], "2");
}

/// 25,000 pages of one would take long; every walk visits every node once, in small pages, equal clocks included.
#[test]
fn every_walk_visits_every_node_once() {
    for (name, schema) in [
        ("element id", ""),
        ("key", "CREATE CONSTRAINT id{{graph}} FOR (n:User{{graph}}) REQUIRE n.id IS UNIQUE;\n"),
        ("clock", "CREATE INDEX at{{graph}} FOR (n:User{{graph}}) ON (n.created_at);\n"),
        (
            "clock and key",
            "CREATE INDEX at{{graph}} FOR (n:User{{graph}}) ON (n.created_at);\nCREATE CONSTRAINT id{{graph}} FOR (n:User{{graph}}) REQUIRE n.id IS UNIQUE;\n",
        ),
    ] {
        let house = open();
        policy(&house, "");
        graph(&house).seed(&format!(
            "{schema}UNWIND range(1, 500) AS id CREATE (:User{{{{graph}}}} {{id: id, created_at: CASE id % 3 WHEN 0 THEN datetime('2020-01-01T00:00:00-05:00') \
             WHEN 1 THEN datetime('2020-01-01T05:00:00Z') ELSE datetime('2020-01-01T06:00:00[Europe/Berlin]') + duration({{nanoseconds: id}}) END}});"
        ));
        let cx = context(&house);
        let as_of = "2026-05-01T00:00:00Z".parse().expect("an instant");
        let (visited, note) = wait(async {
            let target = DeleteRows::targets(&cx.job, &cx.policies).remove(0);
            let action = DeleteRows::prepare(&cx, &target, as_of).await.expect("prepared");
            let (mut visited, mut cursor) = (vec![], None);
            while let Some(page) = action.next(&cx, cursor.as_ref(), 7).await.expect("a page") {
                visited.extend(page.keys().into_iter().map(|key| key[0].shown()));
                assert!(visited.len() <= 600, "{name}: the walk does not end");
                cursor = Some(page.last().to_vec());
            }
            let facts = action.facts(&cx);
            (visited, (facts.index.is_some(), facts.notes.iter().any(|(_, help)| help.contains("CREATE INDEX"))))
        });
        let mut once = visited.clone();
        once.sort();
        once.dedup();
        assert_eq!((visited.len(), once.len()), (500, 500), "{name}");
        assert_eq!(note, if name.contains("clock") { (true, false) } else { (false, true) }, "{name}");
        assert_eq!(count(&house), 500);
    }
}
