//! One look at a store tells of all policies of a job, and no policy is told anything else than if it looked for itself.

use super::reach::{Own, url};
use super::setup::{Sweep, context, hold, keys, run, sandbox, wait};
use crate::support::keyspace::{KeyServer, SlowCall};
use crate::support::sandbox::Sandbox;
use serde_json::Value;
use std::collections::BTreeMap;
use steward::action::{Action, Batch, Context};
use steward::store::survey::Survey;

/// Policies that share keys, want different things of them, and leave some to nobody.
const SHARED: &str = r#"
cache:
  - { name: all, store: cache, keys: "{{prefix}}c:*", ttl: 1 h, guard: { max_percent: 100 } }
  - { name: idle, store: cache, keys: "{{prefix}}c:user:*", idle: 200 s, guard: { max_percent: 100 } }
  - { name: owned, store: cache, keys: "{{prefix}}c:user:{id}", belongs_to: core.users.id, guard: { max_percent: 100 } }
  - { name: tokens, store: cache, keys: "{{prefix}}t:*", belongs_to: { field: core.users.id, id: value }, ttl: 1 h, longer_ttl: report, guard: { max_percent: 100 } }
  - { name: nothing, store: cache, keys: "{{prefix}}none:*", ttl: 1 h }
holds:
  - { name: case-1, dataset: 'cache."{{prefix}}c:user:3"', because: litigation }
"#;

const SEED: &str = r#"
SET {{prefix}}c:user:1 a
SET {{prefix}}c:user:3 a
SET {{prefix}}c:user:4 a EX 100
SET "{{prefix}}c:user:\xff" a EX 100000
SET {{prefix}}c:job:1 a EX 100000
SET {{prefix}}t:a 1 EX 100000
SET {{prefix}}t:b 4
HSET {{prefix}}t:c field 4
SET {{prefix}}other:1 xxxx
SET {{prefix}}other:2 xxxx EX 100
"#;

fn shared(server: KeyServer) -> Sandbox {
    let sandbox = sandbox(server, SHARED);
    sandbox.sql("create table users (id integer primary key); insert into users values (1), (2);");
    keys(&sandbox).seed(SEED);
    for name in ["all", "idle", "owned", "tokens", "nothing"] {
        sandbox.job(name, &format!("action: sweep-cache\npolicies: [{name}]\nmode: enforce\n"));
    }
    sandbox
}

/// What a dry run of a job tells, by policy, without what differs from run to run.
fn dry(sandbox: &Sandbox, job: &str) -> BTreeMap<String, Value> {
    let told = sandbox.steward(["run-job", job, "--dry-run", "--json"]).must_end(0).json();
    let datasets = told["datasets"].as_array().expect("datasets").clone();
    let bare = |mut dataset: Value| {
        let fields = dataset.as_object_mut().expect("an object");
        fields.remove("cutoff");
        // Before Redis 7.2 a policy of the same job is asked about idleness on behalf of another.
        fields.remove("query");
        (dataset["policy"].as_str().expect("a name").to_owned(), dataset)
    };
    datasets.into_iter().map(bare).collect()
}

on_every_server!(each_policy_is_told_what_it_would_be_told_alone, |server| {
    let sandbox = shared(server);
    let together = dry(&sandbox, "sweep");
    assert_eq!(together.len(), 6, "{together:?}");
    for (policy, told) in &together {
        let is_uncovered = policy.contains(' ');
        if is_uncovered && server == KeyServer::Cluster {
            continue; // its keys are shared with other tests, which come and go
        }
        let job = if is_uncovered { "all" } else { policy.as_str() };
        assert_eq!(Some(told), dry(&sandbox, job).get(policy), "{policy}");
    }
    let due = |policy: &str| (together[policy]["total"].as_u64(), together[policy]["due"].as_u64());
    assert_eq!(due("all"), (Some(5), Some(4)), "{together:?}");
    assert_eq!(due("owned"), (Some(4), Some(2)), "a key of two policies counts in both: {together:?}");
    assert_eq!((due("tokens"), due("nothing")), ((Some(3), Some(2)), (Some(0), Some(0))), "{together:?}");
    assert_eq!(together["all"]["left"]["held"], 1, "{together:?}");
    if server != KeyServer::Cluster {
        let uncovered = &together["keys that no policy covers"];
        assert_eq!(uncovered["total"], 10, "{uncovered}");
        assert!(uncovered["reasons"].to_string().contains("2 keys under `other:`, about"), "{uncovered}");
    }
});

on_every_server!(what_a_policy_changed_is_seen_by_those_behind_it, |server| {
    let policy = "cache:\n  - { name: users, store: cache, keys: \"{{prefix}}c:user:*\", ttl: 1 h, without_ttl: remove, guard: { max_percent: 100 } }\n  - { name: all, store: cache, keys: \"{{prefix}}c:*\", ttl: 1 h, guard: { max_percent: 100 } }\n  - { name: late, store: cache, keys: \"{{prefix}}c:j*\", ttl: 1 h, guard: { max_percent: 100 } }\n";
    let sandbox = sandbox(server, policy);
    keys(&sandbox).seed("SET {{prefix}}c:user:1 a\nSET {{prefix}}c:user:2 a\nSET {{prefix}}c:job:1 a\nSET {{prefix}}c:job:2 a EX 50\nSET {{prefix}}other:1 a\n");
    let told = sandbox.steward(["run-job", "sweep", "--yes", "--json"]).must_end(0).json();
    let numbers = |at: usize| {
        let dataset = &told["datasets"][at];
        (dataset["total"].as_u64(), dataset["due"].as_u64(), dataset["debt"]["rows"].as_u64())
    };
    assert_eq!(numbers(0), (Some(2), Some(2), Some(0)), "{told}");
    assert_eq!(numbers(1), (Some(2), Some(1), Some(0)), "{told}");
    assert_eq!(numbers(2), (Some(2), Some(0), Some(0)), "{told}");
    if server != KeyServer::Cluster {
        assert_eq!(numbers(3), (Some(3), Some(0), Some(0)), "all keys there are at the end: {told}");
    }
    assert_eq!(keys(&sandbox).dump().lines().count(), 3);
});

/// Surveys the job's policies one after another, as a run does.
async fn surveys(cx: &Context, mut between: impl FnMut(usize)) -> Vec<Survey> {
    let mut counts = vec![];
    for (at, target) in Sweep::targets(&cx.job, &cx.policies).iter().enumerate() {
        between(at);
        let action = Sweep::prepare(cx, target, chrono::Utc::now()).await.unwrap();
        counts.push(action.survey(cx).await.unwrap());
    }
    counts
}

const TWO: &str = "cache:\n  - { name: a, store: cache, keys: \"{{prefix}}a:*\", ttl: 1 h }\n  - { name: b, store: cache, keys: \"{{prefix}}b:*\", ttl: 1 h }\n";

#[test]
fn a_hold_that_comes_between_two_policies_is_honoured_in_the_second_ones_numbers() {
    let sandbox = sandbox(KeyServer::Redis, TWO);
    keys(&sandbox).seed("SET a:1 a\nSET b:1 a\nSET b:2 a\n");
    wait(async {
        let cx = context(&sandbox, vec![]);
        let late = || cx.see_holds(vec![hold("late", "cache.\"b:1\"")]);
        let counts = surveys(&cx, |at| {
            if at == 1 {
                late()
            }
        })
        .await;
        assert_eq!((counts[0].due, counts[0].held), (1, 0));
        assert_eq!((counts[1].due, counts[1].held), (2, 1));
        assert_eq!(counts[2].total, 3);
    });
}

#[test]
fn who_asks_again_is_told_anew_and_a_batch_makes_all_be_counted_again() {
    let sandbox = sandbox(KeyServer::Redis, TWO);
    keys(&sandbox).seed("SET a:1 a\nSET b:1 a\n");
    wait(async {
        let cx = context(&sandbox, vec![]);
        let first = surveys(&cx, |at| {
            if at == 1 {
                keys(&sandbox).seed("SET b:2 a\n")
            }
        })
        .await;
        assert_eq!((first[1].due, first[2].total), (1, 2), "it was counted when the first one was");
        let second = surveys(&cx, |_| {}).await;
        assert_eq!((second[1].due, second[2].total), (2, 3));
        let targets = Sweep::targets(&cx.job, &cx.policies);
        let action = Sweep::prepare(&cx, &targets[0], chrono::Utc::now()).await.unwrap();
        action.survey(&cx).await.unwrap();
        keys(&sandbox).seed("SET b:3 a\nSET other:1 a\n");
        let page = action.next(&cx, None, 10).await.unwrap().expect("a page");
        action.apply(&cx, &Batch { id: "batch".into(), page }).await.unwrap();
        let other = Sweep::prepare(&cx, &targets[1], chrono::Utc::now()).await.unwrap();
        assert_eq!(other.survey(&cx).await.unwrap().due, 3);
        let uncovered = Sweep::prepare(&cx, &targets[2], chrono::Utc::now()).await.unwrap();
        assert_eq!(uncovered.survey(&cx).await.unwrap().total, 5);
    });
}

#[test]
fn one_look_serves_all_and_asks_of_each_key_only_what_somebody_wants() {
    let policy = "cache:\n  - { name: a, store: cache, keys: \"a:*\", ttl: 1 h, without_ttl: report }\n  - { name: user, store: cache, keys: \"a:user:*\", ttl: 2 h, without_ttl: report }\n  - { name: b, store: cache, keys: \"b:*\", idle: 10 days }\nsessions:\n  - { store: cache, keys: \"s:*\", ttl: 1 h }\n";
    let sandbox = sandbox(KeyServer::Redis, policy);
    // Where reading is a use, policies ask for idleness on behalf of each other; this server knows better.
    let own = Own::start(&["--maxmemory-policy", "noeviction", "--slowlog-log-slower-than", "0", "--slowlog-max-len", "100000"]);
    own.takes_over(&sandbox);
    let fill = "for i = 1, 4000 do redis.call('SET', 'a:user:' .. i, 1) redis.call('SET', 'b:' .. i, 1) redis.call('SET', 's:' .. i, 1) redis.call('SET', 'x:' .. i, 1) end";
    own.ask::<Option<i64>>(&["EVAL", fill, "0"]);
    own.ask::<()>(&["CONFIG", "RESETSTAT"]);
    let told = sandbox.steward(["run-job", "sweep", "--dry-run", "--json"]).must_end(0).json();
    assert_eq!(told["datasets"].as_array().map(Vec::len), Some(4), "{told}");
    let stats: String = own.ask(&["INFO", "commandstats"]);
    let calls = |command: &str| {
        let line = stats.lines().find(|line| line.starts_with(&format!("cmdstat_{command}:")))?;
        line.split("calls=").nth(1)?.split(',').next()?.parse::<u64>().ok()
    };
    assert_eq!(calls("memory|usage").or(calls("memory")), Some(4_000), "keys that no policy covers: {stats}");
    assert_eq!(calls("pttl"), Some(12_000), "sessions are another job's: {stats}");
    let every: Vec<SlowCall> = own.ask(&["SLOWLOG", "GET", "-1"]);
    let walks = every.iter().filter(|call| call.3.starts_with(&[b"SCAN".to_vec(), b"0".to_vec()]) && call.3.len() > 2);
    assert_eq!(walks.count(), 1, "it walks once, in however small steps: {stats}");
}

#[test]
fn a_policy_whose_owners_are_away_takes_no_other_with_it() {
    let policy = "cache:\n  - { name: first, store: cache, keys: \"v:*\", ttl: 1 h, guard: { max_percent: 100 } }\n  - { name: away, store: cache, keys: \"u:{id}\", belongs_to: far.users.id, guard: { max_percent: 100 } }\n  - { name: empty, store: cache, keys: \"w:{id}\", belongs_to: core.users.id, guard: { max_percent: 100 } }\n  - { name: last, store: cache, keys: \"x:*\", ttl: 1 h, guard: { max_percent: 100 } }\n";
    let sandbox = sandbox(KeyServer::Redis, policy);
    sandbox.sql("create table users (id integer primary key)");
    keys(&sandbox).seed("SET u:9 1\nSET v:1 1\nSET w:1 1\nSET x:1 1\nSET other:1 1\n");
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).unwrap();
    let far = format!("  far: {{ url: \"postgres://nobody@127.0.0.1:{}/none\" }}\n", crate::promises::dead_port());
    sandbox.write("steward.yaml", &config.replacen("stores:\n", &format!("stores:\n{far}"), 1));
    let told = sandbox.steward(["run-job", "sweep", "--yes", "--json"]).must_end(3).json();
    let datasets = &told["datasets"];
    assert_eq!((&datasets[0]["ttl_set"], &datasets[3]["ttl_set"]), (&Value::from(1), &Value::from(1)), "{told}");
    assert!(datasets[1]["reasons"].to_string().contains("`far` is away"), "{told}");
    assert!(datasets[2]["reasons"].to_string().contains("no owner at all"), "{told}");
    assert_eq!(datasets[4]["total"], 5, "{told}");
    let reasons = datasets[4]["reasons"].to_string();
    assert!(reasons.contains("1 key under `other:`") && !reasons.contains("`u:`"), "its keys stay covered: {reasons}");
}

#[test]
fn rights_to_one_policys_keys_are_enough_for_that_policy() {
    let sandbox = sandbox(KeyServer::Redis, TWO);
    let own = Own::start(&[]);
    own.ask::<()>(&["ACL", "SETUSER", "half", "on", ">pw", "~a:*", "+@all"]);
    url(&sandbox, &format!("redis://half@127.0.0.1:{}", own.port));
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).unwrap();
    sandbox.write("steward.yaml", &config.replace("statement_timeout", "password: { file: pw }, statement_timeout"));
    sandbox.write("pw", "pw\n");
    for key in ["a:1", "b:1", "other:1"] {
        own.ask::<()>(&["SET", key, "1"]);
    }
    let ended = sandbox.steward(["run-job", "sweep", "--dry-run", "--json"]);
    let told = ended.json();
    assert_eq!((&told["datasets"][0]["total"], &told["datasets"][0]["due"]), (&Value::from(1), &Value::from(1)), "{told}");
    assert!(told["datasets"][1]["reasons"].to_string().contains("SW4006"), "{told}");
    let uncovered = told["datasets"][2]["reasons"].to_string();
    assert!(uncovered.contains("1 key under `other:`") && uncovered.contains("how large they are is not known"), "{told}");
}

on_every_server!(sessions_of_one_job_are_told_by_one_look_too, |server| {
    let policy = "sessions:\n  - { name: web, store: cache, keys: \"{{prefix}}user:session:*\", ttl: 1 h, guard: { max_percent: 100 } }\n  - { name: app, store: cache, keys: \"{{prefix}}user:token:*\", ttl: 1 h, guard: { max_percent: 100 } }\n";
    let sandbox = sandbox(server, policy);
    keys(&sandbox).seed("SET {{prefix}}user:session:1 a\nSET {{prefix}}user:token:1 a\nSET {{prefix}}user:token:2 a\nSET {{prefix}}user:cart:1 a\n");
    let told = sandbox.steward(["run-job", "end", "--dry-run", "--json"]).must_end(0).json();
    let due = |at: usize| (told["datasets"][at]["total"].as_u64(), told["datasets"][at]["due"].as_u64());
    assert_eq!((due(0), due(1), told["datasets"].as_array().map(Vec::len)), ((Some(1), Some(1)), (Some(2), Some(2)), Some(2)));
    assert_eq!(run(&sandbox, "end", 0)["ttl_set"], 1);
});
