//! The library itself: a page that is read, a graph that moves on, a page that is carried out.

use super::users_fixture::{context, count, graph, ids, open, policy, users};
use crate::promises::orders_fixture::wait;
use crate::support::sandbox::Sandbox;
use steward::action::{Action, Batch};
use steward::actions::delete::DeleteRows;
use steward::store::error::StoreFailure;

fn removed_after(sandbox: &Sandbox, between: &str, exit: impl FnOnce(Result<(Option<u64>, u64), StoreFailure>)) {
    let cx = context(sandbox);
    let as_of = "2026-05-01T00:00:00Z".parse().expect("an instant");
    let done = wait(async {
        let target = DeleteRows::targets(&cx.job, &cx.policies).remove(0);
        let action = DeleteRows::prepare(&cx, &target, as_of).await.expect("prepared");
        let page = action.next(&cx, None, 1_000).await.expect("a page").expect("rows");
        graph(sandbox).seed(between);
        action.apply(&cx, &Batch { id: "b".into(), page }).await.map(|tally| (tally.counts.by_key("removed"), tally.changed))
    });
    exit(done);
}

/// Scenario 32.
#[test]
fn an_orphan_that_gains_a_relation_stays() {
    let sandbox = open();
    policy(&sandbox, "where: \"NOT (n)--()\"");
    users(&sandbox, 4);
    removed_after(
        &sandbox,
        "MATCH (a:User{{graph}} {id: 1}), (b:User{{graph}} {id: 900001}) CREATE (a)-[:KNOWS]->(b);",
        |done| assert_eq!(done.expect("done"), (Some(3), 1)),
    );
    assert_eq!(ids(&sandbox)[0], "1");
}

#[test]
fn a_node_that_gains_a_relation_stays_where_relations_may_not_go() {
    let sandbox = open();
    policy(&sandbox, "");
    users(&sandbox, 4);
    removed_after(
        &sandbox,
        "MATCH (a:User{{graph}} {id: 1}), (b:User{{graph}} {id: 900001}) CREATE (a)-[:KNOWS]->(b);",
        |done| assert_eq!(done.expect("done"), (Some(3), 1)),
    );
}

#[test]
fn a_node_that_changed_since_it_was_read_stays() {
    let sandbox = open();
    policy(&sandbox, "");
    users(&sandbox, 4);
    removed_after(&sandbox, "MATCH (n:User{{graph}} {id: 2}) SET n.created_at = datetime();", |done| {
        assert_eq!(done.expect("done"), (Some(3), 1));
    });
    assert_eq!(ids(&sandbox)[0], "2");
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
        let sandbox = open();
        policy(&sandbox, "");
        graph(&sandbox).seed(&format!(
            "{schema}UNWIND range(1, 500) AS id CREATE (:User{{{{graph}}}} {{id: id, created_at: CASE id % 3 WHEN 0 THEN datetime('2020-01-01T00:00:00-05:00') \
             WHEN 1 THEN datetime('2020-01-01T05:00:00Z') ELSE datetime('2020-01-01T06:00:00[Europe/Berlin]') + duration({{nanoseconds: id}}) END}});"
        ));
        let cx = context(&sandbox);
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
        assert_eq!(count(&sandbox), 500);
    }
}

/// The same while it happens: whoever related to a node and was told so finds both still there; every other orphan is gone.
#[test]
fn an_orphan_that_gains_a_relation_under_the_very_batch_stays() {
    let sandbox = open();
    policy(&sandbox, "where: \"NOT (n)--()\"");
    users(&sandbox, 400);
    let cx = context(&sandbox);
    let as_of = "2026-05-01T00:00:00Z".parse().expect("an instant");
    let told = std::thread::scope(|scope| {
        let relating = scope.spawn(|| {
            let relate = |id: &u64| {
                let query = format!(
                    "MATCH (a:User{{{{graph}}}} {{id: {id}}}), (b:User{{{{graph}}}} {{id: 900001}}) CREATE (a)-[:KNOWS]->(b) RETURN a.id"
                );
                // Refused where the store ended this one of two that waited for each other.
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| graph(&sandbox).ask(&query))).unwrap_or_default()
            };
            (1..=400).rev().step_by(7).flat_map(|id| relate(&id)).collect::<Vec<_>>()
        });
        wait(async {
            let target = DeleteRows::targets(&cx.job, &cx.policies).remove(0);
            let action = DeleteRows::prepare(&cx, &target, as_of).await.expect("prepared");
            let mut cursor = None;
            while let Some(page) = action.next(&cx, cursor.as_ref(), 20).await.expect("a page") {
                cursor = Some(page.last().to_vec());
                let batch = Batch { id: "b".into(), page };
                loop {
                    match action.apply(&cx, &batch).await {
                        Ok(_) => break,
                        Err(failure) => assert!(failure.is_busy(), "{failure}"),
                    }
                }
            }
        });
        relating.join().expect("the other side")
    });
    let mut told: Vec<u64> = told.iter().map(|id| id.parse().expect("an id")).collect();
    told.sort_unstable();
    assert!(!told.is_empty() && told.len() < 58, "{} of 58 were related in time: this proves too little", told.len());
    let left: Vec<u64> = ids(&sandbox).iter().map(|id| id.parse().expect("an id")).filter(|id| *id < 900_000).collect();
    assert_eq!(left, told);
}

/// A lock that somebody else holds ends a batch within its limit, rolls it back, and leaves no lock of ours behind.
#[test]
fn a_node_that_somebody_else_holds_is_busy_and_not_ours_afterwards() {
    let sandbox = open();
    policy(&sandbox, "");
    users(&sandbox, 2);
    let cx = context(&sandbox);
    let as_of = "2026-05-01T00:00:00Z".parse().expect("an instant");
    let address = graph(&sandbox).address.clone();
    let config = neo4rs::ConfigBuilder::default().uri(graph(&sandbox).url()).user(address.user).password(address.password);
    wait(async {
        let other = neo4rs::Graph::connect(config.build().expect("settings")).expect("a driver");
        let mut holding = other.start_txn().await.expect("a transaction");
        let label = graph(&sandbox).label("User");
        holding.run(format!("MATCH (n:{label} {{id: 2}}) SET n.note = 'held'").as_str()).await.expect("a lock");
        let target = DeleteRows::targets(&cx.job, &cx.policies).remove(0);
        let action = DeleteRows::prepare(&cx, &target, as_of).await.expect("prepared");
        let page = action.next(&cx, None, 10).await.expect("a page").expect("nodes");
        let batch = Batch { id: "b".into(), page };
        let failure = action.apply(&cx, &batch).await.expect_err("busy");
        assert!(matches!(failure, StoreFailure::Busy { .. }), "{failure}");
        // Node 1 was locked by us before we waited for node 2.
        holding.run(format!("MATCH (n:{label} {{id: 1}}) SET n.note = 'free'").as_str()).await.expect("no lock of ours");
        holding.commit().await.expect("committed");
        let tally = action.apply(&cx, &batch).await.expect("done");
        assert_eq!(tally.counts.by_key("removed"), Some(2));
    });
    assert_eq!(count(&sandbox), 3);
}
