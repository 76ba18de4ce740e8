//! A hold is honoured by every action: those that end keys, and the one that removes nodes.

use super::ground::{ENDING_KEYS, OWNERLESS, TO_LIVE, by_line, exact, in_a_batch, web};
use crate::graph::shop as nodes;
use crate::keys::ground::keys;
use crate::promises::obstacle::Mood;
use crate::promises::promise_4::add_hold;
use crate::promises::shop;
use crate::support::house::House;
use crate::support::keyspace::KeyServer;
use std::process::Stdio;
use steward::action::{Action, Batch};
use steward::actions::delete::DeleteRows;
use steward::ledger::event::Event;
use steward::policy::hold::{Hold, HoldOrigin};

fn hold(house: &House, keys_named: &str) {
    let prefix = &keys(house).prefix;
    let dataset = format!("'cache.\"{prefix}{keys_named}\"'");
    house.policy("holds", &format!("holds: [{{ name: case-1, dataset: {dataset}, because: litigation }}]\n"));
}

fn ended(house: &House, job: &str) -> serde_json::Value {
    house.steward(["run-job", job, "--json"]).must_end(0).json()["datasets"][0].clone()
}

#[test]
fn a_hold_keeps_keys_from_every_action_that_ends_them() {
    for server in KeyServer::all() {
        for (section, job, gone) in ENDING_KEYS {
            let house = web(server, section, "");
            let before = exact(&house);
            hold(&house, "*");
            let all = ended(&house, job);
            assert_eq!(all["left"]["held"].as_u64(), Some(TO_LIVE + OWNERLESS), "{server:?} {section}: {all:#}");
            assert_eq!(exact(&house), before, "{server:?} {section}: a hold on everything keeps everything");

            // Of those that end for every reason there is, one each: no TTL, a longer one, nobody's. The narrower hold
            // counts once the wider one was released.
            house.steward(["hold", "release", "case-1", "--why", "settled"]).must_end(0);
            hold(&house, "c:?");
            std::fs::rename(house.path("policies/holds.yaml"), house.path("policies/other.yaml")).expect("a file");
            let text = std::fs::read_to_string(house.path("policies/other.yaml")).expect("a file");
            house.policy("other", &text.replace("case-1", "case-2"));
            let some = ended(&house, job);
            assert_eq!((&some["left"]["held"], &some["ttl_set"], &some[gone]), (&9.into(), &0.into(), &2.into()), "{some:#}");
            let kept = |line: &&str| !line.starts_with("\"c:10\"") && !line.starts_with("\"c:11\"");
            assert_eq!(exact(&house).lines().collect::<Vec<_>>(), before.lines().filter(kept).collect::<Vec<_>>());

            // Taken out of its file it stays in force, until it is released.
            std::fs::remove_file(house.path("policies/other.yaml")).expect("the hold's file");
            assert_eq!(ended(&house, job)["left"]["held"], 9, "{server:?} {section}");
            house.steward(["hold", "release", "case-2", "--why", "settled"]).must_end(0);
            assert_eq!(ended(&house, job)["ttl_set"].as_u64(), Some(TO_LIVE), "{server:?} {section}");
        }
    }
}

/// Placed while the run is under way: no batch is begun without it.
fn placed_under_way(house: &House, job: &str, dataset: &str) {
    let mut run = house.command(["run-job", job]).stdout(Stdio::null()).spawn().expect("the binary starts");
    assert!(in_a_batch(house, job, &mut run), "it was over before the hold came");
    add_hold(house, dataset);
    assert_eq!(run.wait().expect("its end").code(), Some(0));
    let events = shop::events(house);
    let added = events.iter().position(|event| matches!(event, Event::HoldAdded { .. })).expect("the hold");
    let after = events[added..].iter().filter(|event| matches!(event, Event::Intent { .. })).count();
    assert_eq!(after, 0, "batches were begun after the hold was there");
}

#[test]
fn a_hold_placed_while_keys_are_ended_is_honoured_from_the_next_batch() {
    for server in [KeyServer::Redis, KeyServer::Valkey] {
        for (section, job, _) in ENDING_KEYS {
            let house = web(server, section, "");
            keys(&house)
                .ask::<Option<i64>>("EVAL \"for i = 1, 30000 do redis.call('SET', 'c:' .. (i % 9 + 1) .. ':' .. i, 1) end\" 0");
            house.policy(
                "keys",
                &format!("{section}: [{{ name: web, store: cache, keys: \"c:*\", ttl: 1 h, guard: {{ max_percent: 100 }} }}]\n"),
            );
            let line = by_line(&house, &keys(&house).address.host);
            line.become_(Mood::Slow);
            placed_under_way(&house, job, "cache.*");
            let endless = keys(&house).dump().lines().filter(|line| line.contains(" string - ")).count();
            assert!(endless > 10_000, "{server:?} {section}: nothing was left to hold: {endless}");
        }
    }
}

#[test]
fn a_hold_placed_while_nodes_are_removed_is_honoured_from_the_next_batch() {
    let house = nodes::open();
    nodes::policy(&house, "");
    nodes::users(&house, 20_000);
    let line = by_line(&house, &nodes::graph(&house).address.host);
    line.become_(Mood::Slow);
    let dataset = format!("graph.{}", nodes::graph(&house).label("User"));
    placed_under_way(&house, "clean-graph", &dataset);
    assert!(nodes::count(&house) > 5_000, "nothing was left to hold");
}

#[test]
fn a_hold_placed_between_reading_and_removal_keeps_its_nodes() {
    let house = nodes::open();
    nodes::policy(&house, "");
    nodes::users(&house, 20);
    shop::wait(async {
        let cx = nodes::context(&house);
        let target = DeleteRows::targets(&cx.job, &cx.policies).into_iter().next().expect("a target");
        let action = DeleteRows::prepare(&cx, &target, chrono::Utc::now()).await.expect("prepared");
        let page = action.next(&cx, None, 100).await.expect("a page").expect("rows");
        assert_eq!(page.rows(), 20);
        cx.see_holds(vec![Hold {
            name: "case-1".into(),
            dataset: format!("graph.{}", nodes::graph(&house).label("User")).parse().expect("a dataset"),
            r#where: Some("n.id IN [3, 17]".into()),
            because: "litigation".into(),
            owner: None,
            origin: HoldOrigin::Command,
        }]);
        let tally = action.apply(&cx, &Batch { id: "batch-1".into(), page }).await.expect("applied");
        assert_eq!((tally.removed, tally.changed), (Some(18), 2));
    });
    assert_eq!(nodes::ids(&house)[..2], ["3", "17"]);
}

#[test]
fn a_hold_on_nodes_that_vanished_from_its_file_stays_until_it_is_released() {
    let house = nodes::open();
    nodes::policy(&house, "");
    nodes::users(&house, 20);
    let label = nodes::graph(&house).label("User");
    house.policy(
        "holds",
        &format!("holds: [{{ name: case-1, dataset: graph.{label}, where: \"n.id IN [3, 17]\", because: litigation }}]\n"),
    );
    assert_eq!(nodes::run(&house, 0)["removed"], 18);
    std::fs::remove_file(house.path("policies/holds.yaml")).expect("the hold's file");
    assert_eq!(nodes::run(&house, 0)["left"]["held"], 2);
    house.steward(["hold", "release", "case-1", "--why", "settled"]).must_end(0);
    assert_eq!(nodes::run(&house, 0)["removed"], 2);
}
