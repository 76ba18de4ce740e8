//! Keys whose owners are keys: a token and the session that it opens.

use super::reach::{Own, url};
use super::setup::{apply, context, keys, names, run, sandbox, survey, sweep, wait};
use crate::support::keyspace::KeyServer;
use crate::support::sandbox::Sandbox;
use std::time::{Duration, Instant};
use steward::action::Action;

const USERS: &str = "create table users (id integer primary key); insert into users values (1), (2), (3);";

/// Tokens that belong to a user and to a session.
const TOKENS: &str = "sessions: [{ store: cache, keys: \"{{prefix}}user:token:*\", belongs_to: [{ field: core.users.id, id: value }, { keys: \"{{prefix}}user:session:{id}\" }], guard: { max_percent: 100 } }]\n";
/// Keys that belong to a session alone.
const OF_SESSIONS: &str = "cache: [{ store: cache, keys: \"{{prefix}}t:*\", belongs_to: { keys: \"{{prefix}}session:{id}\", id: value }, guard: { max_percent: 100 } }]\n";

on_every_server!(a_token_goes_when_its_session_or_its_user_is_gone, |server| {
    let sandbox = sandbox(server, TOKENS);
    sandbox.sql(USERS);
    keys(&sandbox).seed(
        "SET {{prefix}}user:session:1 x EX 100\nSET {{prefix}}user:session:9 x EX 100\nSET {{prefix}}user:token:good 1 EX 200\nSET {{prefix}}user:token:ended 2 EX 200\n\
         SET {{prefix}}user:token:endless 3\nSET {{prefix}}user:token:nobody 9 EX 200\nHSET {{prefix}}user:token:hash user 2\nSET {{prefix}}user:token:empty ''\n",
    );
    let told = run(&sandbox, "end", 0);
    assert_eq!((told["due"].as_u64(), told["expired"].as_u64()), (Some(3), Some(3)), "{told}");
    assert_eq!(told["causes"][0]["cause"], "owner gone");
    assert!(told["reasons"].to_string().contains("2 keys without a readable owner"), "{told}");
    let dump = keys(&sandbox).dump();
    assert!(dump.contains("token:good") && dump.contains("token:hash") && dump.contains("token:empty"), "{dump}");
    assert_eq!(dump.lines().count(), 5, "{dump}");
    let again = run(&sandbox, "end", 0);
    assert_eq!((again["due"].as_u64(), again["expired"].as_u64()), (Some(0), Some(0)), "{again}");
});

on_every_server!(a_session_that_is_just_being_made_is_not_ended, |server| {
    let sandbox = sandbox(server, OF_SESSIONS);
    let token = |name: &str, id: u64, ttl: u64| format!("SET {{{{prefix}}}}t:{name} {id} EX {ttl}\n");
    keys(&sandbox)
        .seed(&(1..6).map(|id| token(["", "old", "written", "back", "late", "login"][id as usize], id, 100)).collect::<String>());
    keys(&sandbox).seed("SET {{prefix}}t:endless 6\nSET {{prefix}}t:bounded 7\n");
    wait(async {
        let cx = context(&sandbox, vec![]);
        let action = sweep(&cx).await;
        assert!(action.next(&cx, None, 100).await.unwrap().is_none(), "what no survey saw was never an orphan before");
        let counts = action.survey(&cx).await.unwrap();
        let began = Instant::now();
        assert_eq!(counts.causes, [("owner gone", 7)]);
        // One logs in again with the token it had: token first, session later. One begins anew. One has its session back.
        keys(&sandbox).seed(&format!(
            "{}{}SET {{{{prefix}}}}session:3 x\nSET {{{{prefix}}}}t:bounded 7 EX 50\n",
            token("written", 2, 200),
            token("new", 8, 100)
        ));
        let page = action.next(&cx, None, 100).await.unwrap().expect("a page");
        assert!(began.elapsed() > Duration::from_millis(4_900), "{:?}", began.elapsed());
        let mut found: Vec<String> = names(&page).into_iter().map(|name| String::from_utf8(name).unwrap()).collect();
        found.sort();
        let wanted = ["endless", "late", "login", "old"].map(|name| format!("{}t:{name}", keys(&sandbox).prefix));
        assert_eq!(found, wanted);
        // The same in the moment before the removal.
        keys(&sandbox).seed(&format!("{}SET {{{{prefix}}}}session:5 x\n", token("late", 4, 100)));
        let tally = apply(&action, &cx, page).await;
        assert_eq!((tally.counts.by_key("swept"), tally.changed), (Some(2), 2), "{tally:?}");
    });
    let dump = keys(&sandbox).dump();
    for stays in ["written", "back", "late", "login", "new", "bounded"] {
        assert!(dump.contains(&format!("t:{stays}\"")), "{stays}: {dump}");
    }
    assert!(!dump.contains("t:old") && !dump.contains("t:endless"), "{dump}");
});

on_every_server!(an_id_in_the_name_leads_to_an_owner_too, |server| {
    let policy = "cache: [{ store: cache, keys: \"{{prefix}}cart:{id}:*\", belongs_to: { keys: \"{{prefix}}{{id}}:session\" }, guard: { max_percent: 100 } }]\n";
    let sandbox = sandbox(server, policy);
    keys(&sandbox).seed(
        "SET {{prefix}}{7}:session x\nRPUSH {{prefix}}cart:7:a 1\nRPUSH {{prefix}}cart:8:a 1 2\nSET {{prefix}}cart:8:b 1\n",
    );
    let told = run(&sandbox, "sweep", 0);
    assert_eq!((told["due"].as_u64(), told["swept"].as_u64()), (Some(2), Some(2)), "{told}");
    assert_eq!(keys(&sandbox).dump().lines().count(), 2);
});

on_every_server!(where_no_session_is_there_at_all_no_token_goes, |server| {
    let sandbox = sandbox(server, OF_SESSIONS);
    keys(&sandbox).seed(&(0..25).map(|id| format!("SET {{{{prefix}}}}t:{id} {id}\n")).collect::<String>());
    let before = keys(&sandbox).dump();
    let told = run(&sandbox, "sweep", 4);
    assert!(
        told["reasons"].to_string().contains("SW4021") && told["reasons"].to_string().contains("none of the 25 owners"),
        "{told}"
    );
    assert_eq!(keys(&sandbox).dump(), before);
    keys(&sandbox).seed("SET {{prefix}}session:7 x\n");
    assert_eq!(run(&sandbox, "sweep", 0)["swept"], 24);
});

#[test]
fn thousands_of_owners_are_asked_for_in_bounded_trips() {
    let sandbox = sandbox(KeyServer::Redis, OF_SESSIONS);
    let fill =
        "for i = 1, 7000 do redis.call('SET', 't:' .. i, i) if i % 7 ~= 0 then redis.call('SET', 'session:' .. i, 1) end end";
    keys(&sandbox).ask::<Option<i64>>(&format!("EVAL \"{fill}\" 0"));
    wait(async {
        let counts = survey(&context(&sandbox, vec![])).await;
        assert_eq!((counts.total, counts.causes), (7_000, vec![("owner gone", 1_000)]));
    });
}

/// A sandbox whose owners are in a store of their own, and that store.
fn two_stores() -> (Sandbox, Own, Own) {
    let policy = "cache: [{ store: cache, keys: \"t:*\", belongs_to: { keys: \"session:{id}\", store: other }, guard: { max_percent: 100 } }]\n";
    let sandbox = sandbox(KeyServer::Redis, "cache: [{ store: cache, keys: \"t:*\", ttl: 1 h }]\n");
    let (cache, other) = (Own::start(&[]), Own::start(&[]));
    cache.takes_over(&sandbox);
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).unwrap();
    let store = format!("stores:\n  other: {{ url: \"redis://127.0.0.1:{}\", statement_timeout: 2 s }}\n", other.port);
    sandbox.write("steward.yaml", &config.replacen("stores:\n", &store, 1));
    sandbox.policy("keys", policy);
    for (token, id) in [("a", "1"), ("b", "2")] {
        cache.ask::<()>(&["SET", &format!("t:{token}"), id]);
    }
    other.ask::<()>(&["SET", "session:1", "x"]);
    (sandbox, cache, other)
}

#[test]
fn owners_may_be_in_another_store_of_keys() {
    let (sandbox, cache, _other) = two_stores();
    // A session of the keys' own store is not meant.
    cache.ask::<()>(&["SET", "session:2", "x"]);
    assert_eq!(run(&sandbox, "sweep", 0)["swept"], 1);
    assert_eq!((cache.ask::<i64>(&["EXISTS", "t:a"]), cache.ask::<i64>(&["EXISTS", "t:b"])), (1, 0));
}

#[test]
fn owners_whose_store_is_away_are_not_gone() {
    let (sandbox, cache, other) = two_stores();
    drop(other);
    let told = run(&sandbox, "sweep", 75);
    assert!(told["reasons"].to_string().contains("`other` is away"), "{told}");
    assert_eq!(cache.ask::<i64>(&["EXISTS", "t:a", "t:b"]), 2);
}

#[test]
fn owners_whose_store_goes_away_before_the_removal_are_not_gone() {
    let (sandbox, cache, other) = two_stores();
    let mut run = sandbox
        .command(["run-job", "sweep", "--yes"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // The survey is over within a second; the second look comes five seconds after it.
    std::thread::sleep(Duration::from_secs(3));
    assert!(run.try_wait().unwrap().is_none(), "it waits");
    drop(other);
    assert_eq!(run.wait().unwrap().code(), Some(75));
    assert_eq!(cache.ask::<i64>(&["EXISTS", "t:a", "t:b"]), 2);
}

/// A sandbox whose account is `half`, on a server of its own.
fn half(policy: &str, rules: &[&str]) -> (Sandbox, Own) {
    let (sandbox, own) = (sandbox(KeyServer::Redis, policy), Own::start(&[]));
    own.ask::<()>(&[&["ACL", "SETUSER", "half", "on", ">pw"], rules].concat());
    url(&sandbox, &format!("redis://half@127.0.0.1:{}", own.port));
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).unwrap();
    sandbox.write("steward.yaml", &config.replace("statement_timeout", "password: { file: pw }, statement_timeout"));
    sandbox.write("pw", "pw\n");
    (sandbox, own)
}

#[test]
fn the_rights_that_a_plan_prints_are_enough_to_ask_for_owners_and_for_no_more() {
    let (sandbox, own) = half(&OF_SESSIONS.replace("{{prefix}}", ""), &["~*", "+@all"]);
    let plan = sandbox.steward(["plan", "sweep", "--sql"]).must_end(0);
    assert!(plan.stdout.contains("EXISTS session:{id}"), "{plan}");
    let printed = plan.stdout.lines().find(|line| line.starts_with("ACL SETUSER half ")).expect("the rights");
    own.ask::<()>(&["ACL", "SETUSER", "half", "reset", "on", ">pw"]);
    own.ask::<()>(&printed.trim_end_matches(';').split(' ').collect::<Vec<_>>());
    for [key, id] in [["t:a", "1"], ["t:b", "2"], ["session:1", "x"]] {
        own.ask::<()>(&["SET", key, id]);
    }
    assert_eq!(run(&sandbox, "sweep", 0)["swept"], 1);
    for denied in [["GETRANGE", "session:1", "0", "1"].as_slice(), &["UNLINK", "session:1"], &["PTTL", "session:1"]] {
        let told: String = own.ask(&[["ACL", "DRYRUN", "half"].as_slice(), denied].concat());
        assert!(told.contains("no permissions"), "{denied:?}: {told}");
    }
}

#[test]
fn doctor_names_the_owners_that_may_not_be_asked_for() {
    let (sandbox, own) = half(&OF_SESSIONS.replace("{{prefix}}", ""), &["~t:*", "+@all"]);
    let ended = sandbox.steward(["doctor"]).must_end(3);
    assert!(ended.stdout.contains("EXISTS (`session:{id}`)"), "{ended}");
    own.ask::<()>(&["SET", "t:a", "1"]);
    assert!(run(&sandbox, "sweep", 4)["reasons"].to_string().contains("SW4006"));
    assert_eq!(own.ask::<i64>(&["EXISTS", "t:a"]), 1);
}

#[test]
fn policies_tell_whose_keys_are() {
    let sandbox = sandbox(KeyServer::Redis, TOKENS);
    let told = sandbox.steward(["policies", "--json"]).must_end(0).json();
    let owners = &told["sessions"][0]["belongs_to"];
    assert_eq!((owners[0]["column"].as_str(), owners[0]["id"].as_str()), (Some("id"), Some("value")), "{told}");
    assert_eq!((owners[1]["store"].as_str(), owners[1]["keys"].as_str()), (Some("cache"), Some("user:session:{id}")), "{told}");
    let told = sandbox.steward(["policies"]).must_end(0);
    assert!(told.stdout.contains("to cache.user:session:{id}; removed when that is gone"), "{told}");
}

#[test]
fn a_hash_tag_stays_literal_and_is_told_where_nothing_matches() {
    let sandbox =
        sandbox(KeyServer::Redis, "cache: [{ store: cache, keys: \"c:{t}:*\", ttl: 1 h, guard: { max_percent: 100 } }]\n");
    keys(&sandbox).seed("SET c:t:1 x\n");
    let told = run(&sandbox, "sweep", 0);
    assert!(told["reasons"].to_string().contains("`{t}` stands for itself"), "{told}");
    keys(&sandbox).seed("SET c:{t}:1 x\n");
    let told = run(&sandbox, "sweep", 0);
    assert_eq!(told["ttl_set"], 1, "{told}");
    assert!(!told["reasons"].to_string().contains("stands for itself"), "{told}");
    sandbox.policy("keys", "cache: [{ store: cache, keys: \"user:{uid}\", ttl: 1 h }]\n");
    let ended = sandbox.steward(["validate"]).must_end(78);
    assert!(
        ended.stderr.contains("`{uid}` in `user:{uid}` would be taken literally") && ended.stderr.contains("keys.yaml:1:"),
        "{ended}"
    );
}

on_every_server!(policies_that_are_looked_at_together_have_their_orphans_each, |server| {
    // Nothing is due for the first; what its look saw of the second is what the second goes by.
    let policy = "cache:\n  - { name: plain, store: cache, keys: \"{{prefix}}plain:*\", ttl: 1 h, guard: { max_percent: 100 } }\n  - { name: carts, store: cache, keys: \"{{prefix}}cart:{id}\", belongs_to: { keys: \"{{prefix}}session:{id}\" }, guard: { max_percent: 100 } }\n";
    let sandbox = sandbox(server, policy);
    keys(&sandbox)
        .seed("SET {{prefix}}plain:1 x EX 10\nSET {{prefix}}cart:1 x\nSET {{prefix}}cart:2 x\nSET {{prefix}}session:1 x\n");
    let told = sandbox.steward(["run-job", "sweep", "--yes", "--json"]).must_end(0).json();
    let carts = &told["datasets"][1];
    assert_eq!(
        (carts["policy"].as_str(), carts["due"].as_u64(), carts["swept"].as_u64()),
        (Some("carts"), Some(1), Some(1)),
        "{told}"
    );
    assert!(!keys(&sandbox).dump().contains("cart:2"));
});
