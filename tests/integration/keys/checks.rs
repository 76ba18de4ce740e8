//! What checks say of keys, and what `doctor` and `hold` do with a store of keys.

use super::reach::Own;
use super::setup::{context, context_at, keys, run, sandbox, wait};
use crate::support::keyspace::KeyServer;
use crate::support::sandbox::Sandbox;
use steward::action::Measured;
use steward::actions::checks;
use steward::store::error::StoreFailure;

/// Measures the only check that is declared.
fn measured(sandbox: &Sandbox) -> Result<Measured, StoreFailure> {
    wait(async {
        let cx = context(sandbox, vec![]);
        let check = &cx.policies.checks[0];
        let kind = checks::named(check.shape.key).expect("a kind");
        (kind.measure)(&cx, check, chrono::Utc::now()).await
    })
}

/// A policy that the job needs, and a check.
fn with(check: &str) -> String {
    format!(
        "cache: [{{ store: cache, keys: \"{{{{prefix}}}}c:*\", ttl: 1 h, guard: {{ max_percent: 100 }} }}]\nchecks: [{{ dataset: cache, {check} }}]\n"
    )
}

on_every_server!(keys_without_a_time_to_live_are_counted_and_their_ids_hidden, |server| {
    let sandbox = sandbox(server, &with("without_ttl: \"{{prefix}}c:*\", samples: 3"));
    keys(&sandbox).seed(
        "SET {{prefix}}c:user:li@x.com 1\nSET {{prefix}}c:user:42 1\nSET {{prefix}}c:user:43 1 EX 100\nSET {{prefix}}d:1 1\n",
    );
    let found = measured(&sandbox).unwrap();
    assert_eq!((found.value, found.of, found.nothing_seen), (2, Some(3), false));
    let mut samples = found.samples;
    samples.sort();
    let prefix = &keys(&sandbox).prefix;
    assert_eq!(samples, [format!("{prefix}c:***:***"), format!("{prefix}c:***:42")]);
    assert!(found.query.unwrap().contains("PTTL"));
});

#[test]
fn a_pattern_that_no_key_matches_has_seen_nothing() {
    let sandbox = sandbox(KeyServer::Redis, &with("without_ttl: \"nobody:*\""));
    assert!(measured(&sandbox).unwrap().nothing_seen);
}

on_every_server!(big_keys_are_those_above_a_size, |server| {
    let sandbox = sandbox(server, &with("big_keys: \"{{prefix}}*\", over: 100 kB"));
    let big = "x".repeat(150_000);
    keys(&sandbox).seed(&format!("SET {{{{prefix}}}}c:1 {big}\nSET {{{{prefix}}}}c:2 1\n"));
    let found = measured(&sandbox).unwrap();
    assert_eq!((found.value, found.of), (1, Some(2)));
    assert!(found.samples[0].contains("1, about 1"), "{:?}", found.samples);
});

#[test]
fn idle_keys_are_those_that_nobody_used() {
    let sandbox = sandbox(KeyServer::Redis, &with("idle_keys: \"*\", over: 2 s"));
    keys(&sandbox).seed("SET c:1 a\nSET c:2 b\n");
    std::thread::sleep(std::time::Duration::from_millis(3_500));
    keys(&sandbox).ask::<String>("GET c:2");
    assert_eq!(measured(&sandbox).unwrap().value, 1);
}

#[test]
fn keys_that_no_policy_covers_are_counted() {
    let sandbox = sandbox(KeyServer::Valkey, &with("uncovered_keys: true"));
    keys(&sandbox).seed("SET c:1 1\nSET user:li:cart 1\nSET user:mei:cart 1\n");
    let found = measured(&sandbox).unwrap();
    assert_eq!((found.value, found.of), (2, Some(3)));
    assert!(found.samples[0].starts_with("`user:`: 2 keys"), "{:?}", found.samples);
}

#[test]
fn memory_is_a_share_of_a_limit_and_without_one_there_is_none() {
    let sandbox = sandbox(KeyServer::Redis, &with("memory: true, warn: \"> 85 %\""));
    let refused = measured(&sandbox).unwrap_err();
    assert!(refused.to_string().contains("has no memory limit"), "{refused}");
    let own = Own::start(&["--maxmemory", "100mb"]);
    let share = wait(async {
        let cx = context_at(&sandbox, &format!("redis://127.0.0.1:{}", own.port), vec![]);
        let kind = checks::named("memory").expect("a kind");
        (kind.measure)(&cx, &cx.policies.checks[0], chrono::Utc::now()).await
    });
    assert!((1..10).contains(&share.unwrap().value));
}

on_every_server!(doctor_tells_how_a_store_of_keys_is, |server| {
    let sandbox = sandbox(server, &with("without_ttl: \"*\""));
    let ended = sandbox.steward(["doctor"]);
    let lines: Vec<&str> = ended.stdout.lines().filter(|line| line.contains("store cache")).collect();
    assert_eq!(lines.len(), 3, "{ended}");
    assert!(lines.iter().all(|line| line.contains("ok")), "{ended}");
    if server == KeyServer::Cluster {
        return; // this account may not even ask who its servers are
    }
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).unwrap();
    sandbox.write("steward.yaml", &config.replace("redis://worker@", "redis://reader@"));
    let ended = sandbox.steward(["doctor"]);
    // An account that may not ask for its rights is told so; nothing is claimed.
    assert!(ended.stdout.contains("not known: the account may not ask"), "{ended}");
});

#[test]
fn doctor_names_the_rights_that_are_missing() {
    let sandbox = sandbox(KeyServer::Redis, &with("without_ttl: \"*\""));
    let own = Own::start(&[]);
    own.ask::<()>(&["ACL", "SETUSER", "half", "on", ">pw", "~c:*", "+@read", "+@connection", "+info", "+acl"]);
    super::reach::url(&sandbox, &format!("redis://half@127.0.0.1:{}", own.port));
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).unwrap();
    sandbox.write("steward.yaml", &config.replace("statement_timeout", "password: { file: pw }, statement_timeout"));
    sandbox.write("pw", "pw\n");
    let ended = sandbox.steward(["doctor"]).must_end(3);
    for command in ["EVAL", "PEXPIRE", "UNLINK"] {
        assert!(ended.stdout.contains(&format!("{command} (`c:*`)")), "{ended}");
    }
    assert!(!ended.stdout.contains("PTTL (`"), "{ended}");
}

#[test]
fn the_rights_that_a_plan_prints_are_taken_and_are_enough() {
    let sandbox = sandbox(KeyServer::Redis, &with("without_ttl: \"*\""));
    let own = Own::start(&[]);
    own.ask::<()>(&["ACL", "SETUSER", "half", "on", ">pw", "~*", "+@all"]);
    super::reach::url(&sandbox, &format!("redis://half@127.0.0.1:{}/3", own.port));
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).unwrap();
    sandbox.write("steward.yaml", &config.replace("statement_timeout", "password: { file: pw }, statement_timeout"));
    sandbox.write("pw", "pw\n");
    own.ask::<()>(&["SET", "c:1", "a"]);
    own.ask::<()>(&["MOVE", "c:1", "3"]);
    // A key that no policy covers, and that these rights say nothing of.
    own.ask::<()>(&["SET", "other:1", "a"]);
    own.ask::<()>(&["MOVE", "other:1", "3"]);
    let plan = sandbox.steward(["plan", "sweep", "--sql"]).must_end(0);
    let printed = plan.stdout.lines().find(|line| line.starts_with("ACL SETUSER half ")).expect("the rights");
    own.ask::<()>(&["ACL", "SETUSER", "half", "reset", "on", ">pw"]);
    own.ask::<()>(&printed.trim_end_matches(';').split(' ').collect::<Vec<_>>());
    let ended = sandbox.steward(["run-job", "sweep", "--yes"]).must_end(0);
    assert!(ended.stdout.contains("1 key under `other:`, covered by no policy"), "{ended}");
    assert!(ended.stdout.contains("how large they are is not known"), "{ended}");
    own.ask::<()>(&["SWAPDB", "0", "3"]);
    assert!(own.ask::<i64>(&["TTL", "c:1"]) > 0);
}

#[test]
fn a_hold_by_command_keeps_keys_and_one_with_a_condition_is_not_added() {
    let sandbox = sandbox(KeyServer::Redis, &with("without_ttl: \"*\""));
    keys(&sandbox).seed("SET c:1 a\nSET c:2 b\n");
    let add = |name: &'static str| ["hold", "add", name, "--dataset", "cache.c:1", "--because", "litigation"];
    let refused = sandbox.steward(add("case").into_iter().chain(["--where", "id = 1"]));
    assert_eq!(refused.code, Some(4), "{refused}");
    sandbox.steward(add("case")).must_end(0);
    let told = run(&sandbox, "sweep", 0);
    assert_eq!((told["ttl_set"].as_u64(), told["left"]["held"].as_u64()), (Some(1), Some(1)), "{told}");
    assert_eq!(keys(&sandbox).ask::<i64>("TTL c:1"), -1);
}

#[test]
fn validate_and_plan_know_keys() {
    let sandbox = sandbox(KeyServer::Redis, &with("without_ttl: \"*\""));
    sandbox.steward(["validate", "--connect"]).must_end(0);
    keys(&sandbox).seed("SET c:1 a\n");
    let plan = sandbox.steward(["plan", "sweep", "--sql"]).must_end(0);
    for part in ["SCAN", "PEXPIRE", "ACL SETUSER worker ~c:*"] {
        assert!(plan.stdout.contains(part), "{part}: {plan}");
    }
}
