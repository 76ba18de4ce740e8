//! Keys that move between the servers of a cluster while they are swept, and servers that fail meanwhile.

use super::own_cluster::OwnCluster;
use super::setup::{apply, context_at, names, sandbox, sweep, wait};
use crate::support::keyspace::KeyServer;
use crate::support::sandbox::{Ended, Sandbox};
use std::process::{Child, Stdio};
use std::time::Duration;
use steward::action::{Action, Batch};

/// The slot of `{t}`, which the first primary has not.
const SLOT: u16 = 15_891;
/// Whose it is, and where it goes.
const FROM: usize = 2;
const TO: usize = 1;

const REMOVE: &str = "cache: [{ store: cache, keys: \"c:*\", ttl: 1 h, without_ttl: remove, guard: { max_percent: 100 } }]\n";

/// A sandbox on a cluster of its own, with 300 keys of one slot, 600 of many, and 100 that have a time to live and must stay.
fn moved_sandbox(policy: &str) -> (Sandbox, OwnCluster) {
    let (sandbox, cluster) = (sandbox(KeyServer::Redis, policy), OwnCluster::start());
    cluster.takes_over(&sandbox);
    let set = |name: String| vec!["SET".to_owned(), name, "value".to_owned()];
    let lasting = |name: String| [set(name), vec!["EX".to_owned(), "600".to_owned()]].concat();
    cluster.seed((0..300).map(|id| set(format!("c:{{t}}:{id}"))));
    cluster.seed((0..600).map(|id| set(format!("c:{id}"))));
    cluster
        .seed((0..50).map(|id| lasting(format!("c:{{t}}:stays:{id}"))).chain((0..50).map(|id| lasting(format!("c:stays:{id}")))));
    assert_eq!(cluster.ask::<u16>(0, &["CLUSTER", "KEYSLOT", "{t}"]), SLOT);
    (sandbox, cluster)
}

/// Everything that must stay is there, and nothing else.
fn only_what_stays(cluster: &OwnCluster) {
    let left = cluster.names("c:");
    assert!(left.iter().all(|name| name.contains("stays")), "{left:?}");
    assert_eq!(left.len(), 100);
}

#[test]
fn keys_of_a_slot_that_has_moved_are_swept_where_they_are_now() {
    let (sandbox, cluster) = moved_sandbox(REMOVE);
    wait(async {
        let cx = context_at(&sandbox, &cluster.url(), vec![]);
        let action = sweep(&cx).await;
        let page = action.next(&cx, None, 10_000).await.unwrap().expect("a page");
        assert_eq!(page.rows(), 900);
        cluster.move_slot(SLOT, FROM, TO);
        let tally = apply(&action, &cx, page).await;
        assert_eq!(
            (tally.counts.by_key("swept"), tally.changed),
            (Some(900), 0),
            "answered with MOVED, and looked for anew: {tally:?}"
        );
    });
    only_what_stays(&cluster);
}

#[test]
fn keys_of_a_slot_that_is_half_moved_wait_and_are_told_once() {
    let (sandbox, cluster) = moved_sandbox(REMOVE);
    wait(async {
        let cx = context_at(&sandbox, &cluster.url(), vec![]);
        let action = sweep(&cx).await;
        let page = action.next(&cx, None, 10_000).await.unwrap().expect("a page");
        cluster.begin_move(SLOT, FROM, TO);
        let away = cluster.migrate(SLOT, FROM, TO, 120);
        assert_eq!(away, 120);
        let batch = Batch { id: "batch".into(), page };
        let failure = action.apply(&cx, &batch).await.unwrap_err();
        assert!(failure.is_busy() && failure.to_string().contains("were not answered for"), "ASK: {failure}");
        assert!(cluster.count() > 100 && cluster.count() <= 220, "{}", cluster.count());
        while cluster.migrate(SLOT, FROM, TO, 100) > 0 {}
        cluster.end_move(SLOT, TO);
        let tally = action.apply(&cx, &batch).await.unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(
            (tally.counts.by_key("swept"), tally.changed),
            (Some(900), 0),
            "both calls together, each key once: {tally:?}"
        );
        assert_eq!(action.partial_tally(&cx).await.0.counts.by_key("swept").unwrap_or(0), 0);
    });
    only_what_stays(&cluster);
}

#[test]
fn a_slot_that_stays_half_moved_is_temporary_and_what_was_done_is_told() {
    let (sandbox, cluster) = moved_sandbox(REMOVE);
    cluster.begin_move(SLOT, FROM, TO);
    // SCAN finds these with both servers, and only one of them answers for them.
    cluster.migrate(SLOT, FROM, TO, 120);
    let ended = sandbox.steward(["run-job", "sweep", "--yes", "--json"]);
    let (told, left) = (ended.json()["datasets"][0].clone(), cluster.count());
    assert_eq!(told["swept"].as_u64(), Some(1_000 - left), "{ended}");
    assert!(told["reasons"].to_string().contains("moved between nodes"), "what was not seen is told: {ended}");
    while cluster.migrate(SLOT, FROM, TO, 100) > 0 {}
    cluster.end_move(SLOT, TO);
    let rest = sandbox.steward(["run-job", "sweep", "--yes", "--json"]).must_end(0).json()["datasets"][0].clone();
    assert_eq!(rest["swept"].as_u64(), Some(left - 100), "{rest}");
    only_what_stays(&cluster);
}

#[test]
fn a_walk_goes_on_while_slots_move_and_no_key_is_told_twice() {
    let (sandbox, cluster) = moved_sandbox(REMOVE);
    wait(async {
        let cx = context_at(&sandbox, &cluster.url(), vec![]);
        let action = sweep(&cx).await;
        let (mut seen, mut cursor, mut swept) = (std::collections::BTreeSet::new(), None, 0);
        let mut moves = [(FROM, TO), (TO, 0), (0, FROM)].into_iter().cycle();
        // A pass may miss keys that moved behind it; the next ones find them.
        for _ in 0..10 {
            match action.next(&cx, cursor.as_ref(), 100).await {
                Ok(Some(page)) => {
                    for name in names(&page) {
                        assert!(seen.insert(name), "a key that was answered for comes again");
                    }
                    cursor = Some(page.last().to_vec());
                    if let Some((from, to)) = moves.next() {
                        cluster.move_slot(SLOT, from, to);
                    }
                    swept += apply(&action, &cx, page).await.counts.by_key("swept").unwrap();
                }
                Ok(None) => cursor = None,
                Err(failure) => assert!(failure.is_temporary(), "{failure}"),
            }
        }
        assert_eq!(cluster.count(), 1_000 - swept);
        // What moved while it was looked at was left to the next run.
        let next = sweep(&cx).await;
        while let Some(page) = next.next(&cx, None, 10_000).await.unwrap() {
            swept += apply(&next, &cx, page).await.counts.by_key("swept").unwrap();
        }
        assert_eq!(swept, 900);
    });
    only_what_stays(&cluster);
}

/// A run that is under way: its first batches are done.
fn under_way(sandbox: &Sandbox, cluster: &OwnCluster, before: u64) -> Child {
    let mut run =
        sandbox.command(["run-job", "sweep", "--yes", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = std::time::Instant::now();
    while cluster.count() == before {
        assert!(run.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_secs(60), "it does not begin");
    }
    run
}

/// So many keys that must go, spread over the cluster.
fn many(cluster: &OwnCluster, count: u64) {
    let client = redis::cluster::ClusterClient::new(vec![cluster.url()]).unwrap();
    let mut link = client.get_connection().unwrap();
    for chunk in (0..count).collect::<Vec<_>>().chunks(500) {
        let mut pipe = redis::cluster::cluster_pipe();
        for id in chunk {
            pipe.cmd("SET").arg(format!("c:many:{id}")).arg(id).ignore();
        }
        pipe.query::<()>(&mut link).unwrap();
    }
}

/// What a run says it did is what it did; what it left is no success, or is counted as left.
fn honest(ended: &Ended, before: u64, after: u64) {
    let told = &ended.json()["datasets"][0];
    assert_eq!(told["swept"].as_u64(), Some(before - after), "{ended}");
    match ended.code {
        Some(0) => assert_eq!(after - 100, told["debt"]["rows"].as_u64().unwrap(), "{ended}"),
        // Design: 3 where something was done, 75 where nothing was and every reason is temporary.
        Some(code) => assert_eq!(code, if before == after { 75 } else { 3 }, "{ended}"),
        None => panic!("{ended}"),
    }
}

#[test]
fn resharding_in_the_midst_loses_and_doubles_nothing() {
    let (sandbox, cluster) = moved_sandbox(REMOVE);
    many(&cluster, 20_000);
    let before = cluster.count();
    let run = under_way(&sandbox, &cluster, before);
    // Slots of the second primary go to the third while the run is there.
    for slot in 5_461..5_561 {
        cluster.move_slot(slot, 1, 2);
    }
    let ended = Ended::from(run.wait_with_output().unwrap());
    let after = cluster.count();
    honest(&ended, before, after);
    let rest = sandbox.steward(["run-job", "sweep", "--yes", "--json"]).must_end(0).json()["datasets"][0].clone();
    assert_eq!(rest["swept"].as_u64(), Some(after - 100), "{rest}");
    only_what_stays(&cluster);
    sandbox.steward(["audit", "verify"]).must_end(0);
}

#[test]
fn a_replica_that_takes_over_in_good_order_is_followed() {
    let (sandbox, cluster) = moved_sandbox(REMOVE);
    many(&cluster, 20_000);
    let before = cluster.count();
    let run = under_way(&sandbox, &cluster, before);
    cluster.ask::<()>(3, &["CLUSTER", "FAILOVER"]);
    let ended = Ended::from(run.wait_with_output().unwrap());
    cluster.until_promoted();
    honest(&ended, before, cluster.count());
    sandbox.steward(["run-job", "sweep", "--yes", "--json"]).must_end(0);
    only_what_stays(&cluster);
}

#[test]
fn a_primary_that_dies_in_the_midst_is_no_success_and_its_replica_is_swept_by_the_next_run() {
    let (sandbox, mut cluster) = moved_sandbox(REMOVE);
    many(&cluster, 20_000);
    let before = cluster.count();
    let run = under_way(&sandbox, &cluster, before);
    cluster.kill_the_first();
    let ended = Ended::from(run.wait_with_output().unwrap());
    let told = &ended.json()["datasets"][0];
    // Unless it had the dead one's keys behind it already, it cannot have seen the end.
    assert!(matches!(ended.code, Some(3 | 75)), "{ended}");
    assert!(told["reasons"].to_string().contains("temporary"), "{ended}");
    cluster.until_promoted();
    sandbox.steward(["run-job", "sweep", "--yes", "--json"]).must_end(0);
    only_what_stays(&cluster);
    sandbox.steward(["audit", "verify"]).must_end(0);
}

#[test]
fn owners_on_the_move_between_servers_are_not_gone() {
    let policy = "cache: [{ store: cache, keys: \"token:*\", belongs_to: { keys: \"session:{t}:{id}\", id: value }, guard: { max_percent: 100 } }]\n";
    let (sandbox, cluster) = moved_sandbox(policy);
    let set = |name: String, value: &str| vec!["SET".to_owned(), name, value.to_owned()];
    cluster.seed((0..40).map(|id| set(format!("session:{{t}}:{id}"), "x")));
    // Two belong to nobody.
    cluster.seed((0..42).map(|id| set(format!("token:{id}"), &id.to_string())));
    cluster.begin_move(SLOT, FROM, TO);
    while cluster.migrate(SLOT, FROM, TO, 100) > 0 {}
    let told = sandbox.steward(["run-job", "sweep", "--yes", "--json"]).must_end(0).json()["datasets"][0].clone();
    assert_eq!((told["due"].as_u64(), told["swept"].as_u64()), (Some(0), Some(0)), "nobody can say who is there: {told}");
    cluster.end_move(SLOT, TO);
    let told = sandbox.steward(["run-job", "sweep", "--yes", "--json"]).must_end(0).json()["datasets"][0].clone();
    assert_eq!((told["due"].as_u64(), told["swept"].as_u64()), (Some(2), Some(2)), "{told}");
    assert_eq!(cluster.names("token:").len(), 40);
}
