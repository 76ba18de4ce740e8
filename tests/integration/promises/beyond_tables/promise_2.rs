//! A crash at any point loses nothing and doubles nothing: kill -9 in the midst of a sweep and of a removal of nodes.

use super::setup::in_a_batch;
use crate::graph::users_fixture as nodes;
use crate::keys::setup::{keys, sandbox};
use crate::promises::orders_fixture;
use crate::promises::settings::{Rng, seed};
use crate::support::keyspace::KeyServer;
use crate::support::sandbox::Sandbox;
use std::process::Stdio;
use std::time::Duration;

const KILLS: u64 = 5;

/// Kills the job at a random moment of a batch; false when it was over before that.
fn killed(sandbox: &Sandbox, words: &[&str], rng: &mut Rng) -> bool {
    let mut run = sandbox.command(words.iter().copied());
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
    if !in_a_batch(sandbox, words[1], &mut run) {
        return false;
    }
    std::thread::sleep(Duration::from_micros(rng.below(120_000)));
    run.kill().expect("SIGKILL");
    run.wait().expect("its end");
    true
}

fn kills(sandbox: &Sandbox, words: &[&str], left: impl Fn() -> u64) {
    let seed = seed();
    let mut rng = Rng(seed);
    let mut before = left();
    let mut inside = 0;
    for kill in 0..KILLS {
        assert!(killed(sandbox, words, &mut rng), "seed {seed}: kill {kill}: it was over before");
        inside += u64::from(!orders_fixture::open_batches(sandbox, words[1]).is_empty());
        let now = left();
        assert!(now <= before, "seed {seed}: {before}, then {now}");
        before = now;
    }
    println!("seed {seed}: {KILLS} kills, {inside} with a batch open; {before} left for the last run");
    assert!(before > 0, "seed {seed}: nothing was left for the last run: this proves too little");
    let last = sandbox.steward(words.iter().copied().chain(["--json"])).must_end(0).json();
    assert_eq!(last["datasets"][0]["debt"]["rows"], 0, "seed {seed}: {last:#}");
    assert_eq!(orders_fixture::open_batches(sandbox, words[1]), [], "seed {seed}");
    orders_fixture::must_be_whole(sandbox);
}

#[test]
fn a_crash_in_a_sweep_of_200_000_keys_leaves_none_that_is_due_and_all_others() {
    for server in KeyServer::all() {
        let policy = "cache: [{ store: cache, keys: \"{{prefix}}c:*\", ttl: 1 h, without_ttl: remove, guard: { max_rows: 1000000, max_percent: 100 } }]\n";
        let sandbox = sandbox(server, policy);
        // A hash tag keeps them on one server of a cluster, so that one script may make and count them.
        let fill = |name: &str, count: u64, ttl: &str| {
            let script = format!("for i = 1, {count} do redis.call('SET', KEYS[1] .. i, i{ttl}) end");
            keys(&sandbox).ask::<Option<i64>>(&format!("EVAL \"{script}\" 1 {{{{prefix}}}}{name}"));
        };
        fill("c:{t}:due:", if server == KeyServer::Redis { 200_000 } else { 60_000 }, "");
        fill("c:{t}:fine:", 2_000, ", 'EX', 3000");
        fill("d:{t}:", 2_000, "");
        let count = |name: &str| {
            let script = "local n, c = 0, '0' repeat local p = redis.call('SCAN', c, 'MATCH', ARGV[1], 'COUNT', 10000) c = p[1] n = n + #p[2] until c == '0' return n";
            keys(&sandbox).ask::<u64>(&format!("EVAL \"{script}\" 1 {{{{prefix}}}}{{t}} {{{{prefix}}}}{name}*"))
        };
        kills(&sandbox, &["run-job", "sweep"], || count("c:{t}:due:"));
        assert_eq!((count("c:{t}:due:"), count("c:{t}:fine:"), count("d:{t}:")), (0, 2_000, 2_000), "{server:?}");
    }
}

#[test]
fn a_crash_in_a_removal_of_nodes_leaves_none_that_is_due_and_all_others() {
    let sandbox = nodes::open();
    nodes::policy(&sandbox, "cascade: allow\nwhere: \"n.id % 10 <> 0\"");
    nodes::users(&sandbox, 40_000);
    nodes::graph(&sandbox).seed(
        "CREATE CONSTRAINT id{{graph}} FOR (n:User{{graph}}) REQUIRE n.id IS UNIQUE;
CREATE (:Skill{{graph}} {id: 1});
MATCH (n:User{{graph}}), (s:Skill{{graph}}) CALL { WITH n, s CREATE (n)-[:HAS_SKILL]->(s) } IN TRANSACTIONS OF 10000 ROWS;",
    );
    let kept = "MATCH (n:User{{graph}})-[:HAS_SKILL]->(:Skill{{graph}}) WHERE n.id % 10 = 0 OR n.id > 900000 RETURN count(n)";
    let left = || nodes::count(&sandbox) - 4_003;
    kills(&sandbox, &["run-job", "clean-graph", "--as-of", "2026-05-01"], left);
    assert_eq!((left(), nodes::graph(&sandbox).ask(kept)), (0, vec!["4003".to_owned()]));
}
