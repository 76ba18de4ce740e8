//! A hold is honoured by every action: those that end keys, and the one that removes nodes.

use super::setup::{ENDING_KEYS, OWNERLESS, TO_LIVE, by_line, exact, in_a_batch, web};
use crate::graph::users_fixture as nodes;
use crate::keys::setup::keys;
use crate::promises::fault_proxy::Mood;
use crate::promises::orders_fixture;
use crate::promises::promise_4::add_hold;
use crate::support::keyspace::KeyServer;
use crate::support::sandbox::Sandbox;
use crate::support::wait::at_once;
use std::process::Stdio;
use steward::action::{Action, Batch};
use steward::actions::delete::DeleteRows;
use steward::ledger::event::Event;
use steward::policy::hold::{Hold, HoldOrigin};

fn hold(sandbox: &Sandbox, keys_named: &str) {
    let prefix = &keys(sandbox).prefix;
    let dataset = format!("'cache.\"{prefix}{keys_named}\"'");
    sandbox.policy("holds", &format!("holds: [{{ name: case-1, dataset: {dataset}, because: litigation }}]\n"));
}

fn ended(sandbox: &Sandbox, job: &str) -> serde_json::Value {
    sandbox.steward(["run-job", job, "--json"]).must_end(0).json()["datasets"][0].clone()
}

#[test]
fn a_hold_keeps_keys_from_every_action_that_ends_them() {
    for server in KeyServer::all() {
        for (section, job, gone) in ENDING_KEYS {
            let sandbox = web(server, section, "");
            let before = exact(&sandbox);
            hold(&sandbox, "*");
            let all = ended(&sandbox, job);
            assert_eq!(all["left"]["held"].as_u64(), Some(TO_LIVE + OWNERLESS), "{server:?} {section}: {all:#}");
            assert_eq!(exact(&sandbox), before, "{server:?} {section}: a hold on everything keeps everything");

            // Of those that end for every reason there is, one each: no TTL, a longer one, nobody's. The narrower hold
            // counts once the wider one was released.
            sandbox.steward(["hold", "release", "case-1", "--why", "settled"]).must_end(0);
            hold(&sandbox, "c:?");
            std::fs::rename(sandbox.path("policies/holds.yaml"), sandbox.path("policies/other.yaml")).expect("a file");
            let text = std::fs::read_to_string(sandbox.path("policies/other.yaml")).expect("a file");
            sandbox.policy("other", &text.replace("case-1", "case-2"));
            let some = ended(&sandbox, job);
            assert_eq!((&some["left"]["held"], &some["ttl_set"], &some[gone]), (&9.into(), &0.into(), &2.into()), "{some:#}");
            let kept = |line: &&str| !line.starts_with("\"c:10\"") && !line.starts_with("\"c:11\"");
            assert_eq!(exact(&sandbox).lines().collect::<Vec<_>>(), before.lines().filter(kept).collect::<Vec<_>>());

            // Taken out of its file it stays in force, until it is released.
            std::fs::remove_file(sandbox.path("policies/other.yaml")).expect("the hold's file");
            assert_eq!(ended(&sandbox, job)["left"]["held"], 9, "{server:?} {section}");
            sandbox.steward(["hold", "release", "case-2", "--why", "settled"]).must_end(0);
            assert_eq!(ended(&sandbox, job)["ttl_set"].as_u64(), Some(TO_LIVE), "{server:?} {section}");
        }
    }
}

/// Placed while the run is under way: no batch is begun without it.
fn placed_under_way(sandbox: &Sandbox, job: &str, dataset: &str) {
    let mut run = sandbox.command(["run-job", job]).stdout(Stdio::null()).spawn().expect("the binary starts");
    assert!(in_a_batch(sandbox, job, &mut run), "it was over before the hold came");
    add_hold(sandbox, dataset);
    assert_eq!(run.wait().expect("its end").code(), Some(0));
    let events = orders_fixture::events(sandbox);
    let added = events.iter().position(|event| matches!(event, Event::HoldAdded { .. })).expect("the hold");
    let after = events[added..].iter().filter(|event| matches!(event, Event::Intent { .. })).count();
    assert_eq!(after, 0, "batches were begun after the hold was there");
}

#[test]
fn a_hold_placed_while_keys_are_ended_is_honoured_from_the_next_batch() {
    at_once([KeyServer::Redis, KeyServer::Valkey], |server| {
        for (section, job, _) in ENDING_KEYS {
            let sandbox = web(server, section, "");
            keys(&sandbox)
                .ask::<Option<i64>>("EVAL \"for i = 1, 30000 do redis.call('SET', 'c:' .. (i % 9 + 1) .. ':' .. i, 1) end\" 0");
            sandbox.policy(
                "keys",
                &format!("{section}: [{{ name: web, store: cache, keys: \"c:*\", ttl: 1 h, guard: {{ max_percent: 100 }} }}]\n"),
            );
            let line = by_line(&sandbox, &keys(&sandbox).address.host);
            line.become_(Mood::Slow);
            placed_under_way(&sandbox, job, "cache.*");
            let endless = keys(&sandbox).dump().lines().filter(|line| line.contains(" string - ")).count();
            assert!(endless > 10_000, "{server:?} {section}: nothing was left to hold: {endless}");
        }
    });
}

#[test]
fn a_hold_placed_while_nodes_are_removed_is_honoured_from_the_next_batch() {
    let sandbox = nodes::open();
    nodes::policy(&sandbox, "");
    nodes::users(&sandbox, 20_000);
    let line = by_line(&sandbox, &nodes::graph(&sandbox).address.host);
    line.become_(Mood::Slow);
    let dataset = format!("graph.{}", nodes::graph(&sandbox).label("User"));
    placed_under_way(&sandbox, "clean-graph", &dataset);
    assert!(nodes::count(&sandbox) > 5_000, "nothing was left to hold");
}

#[test]
fn a_hold_placed_between_reading_and_removal_keeps_its_nodes() {
    let sandbox = nodes::open();
    nodes::policy(&sandbox, "");
    nodes::users(&sandbox, 20);
    orders_fixture::wait(async {
        let cx = nodes::context(&sandbox);
        let target = DeleteRows::targets(&cx.job, &cx.policies).into_iter().next().expect("a target");
        let action = DeleteRows::prepare(&cx, &target, chrono::Utc::now()).await.expect("prepared");
        let page = action.next(&cx, None, 100).await.expect("a page").expect("rows");
        assert_eq!(page.rows(), 20);
        cx.see_holds(vec![Hold {
            name: "case-1".into(),
            dataset: format!("graph.{}", nodes::graph(&sandbox).label("User")).parse().expect("a dataset"),
            r#where: Some("n.id IN [3, 17]".into()),
            because: "litigation".into(),
            owner: None,
            origin: HoldOrigin::Command,
        }]);
        let tally = action.apply(&cx, &Batch { id: "batch-1".into(), page }).await.expect("applied");
        assert_eq!((tally.counts.by_key("removed"), tally.changed), (Some(18), 2));
    });
    assert_eq!(nodes::ids(&sandbox)[..2], ["3", "17"]);
}

#[test]
fn a_hold_on_nodes_that_vanished_from_its_file_stays_until_it_is_released() {
    let sandbox = nodes::open();
    nodes::policy(&sandbox, "");
    nodes::users(&sandbox, 20);
    let label = nodes::graph(&sandbox).label("User");
    sandbox.policy(
        "holds",
        &format!("holds: [{{ name: case-1, dataset: graph.{label}, where: \"n.id IN [3, 17]\", because: litigation }}]\n"),
    );
    assert_eq!(nodes::run(&sandbox, 0)["removed"], 18);
    std::fs::remove_file(sandbox.path("policies/holds.yaml")).expect("the hold's file");
    assert_eq!(nodes::run(&sandbox, 0)["left"]["held"], 2);
    sandbox.steward(["hold", "release", "case-1", "--why", "settled"]).must_end(0);
    assert_eq!(nodes::run(&sandbox, 0)["removed"], 2);
}
