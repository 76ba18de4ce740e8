//! Keys whose owner is gone from SQL.

use super::setup::{apply, context, keys, run, sandbox, sweep, wait};
use crate::support::keyspace::KeyServer;
use crate::support::sandbox::Sandbox;
use steward::action::Action;

const USERS: &str =
    "create table users (id integer primary key, status integer); insert into users values (1, 1), (2, 1), (3, 0);";

fn seeded(server: KeyServer, policy: &str, seed: &str) -> Sandbox {
    let sandbox = sandbox(server, policy);
    sandbox.sql(USERS);
    keys(&sandbox).seed(seed);
    sandbox
}

on_every_server!(a_cached_copy_whose_owner_is_gone_is_removed, |server| {
    let policy = "cache: [{ store: cache, keys: \"{{prefix}}cache:user:{id}\", belongs_to: core.users.id, guard: { max_percent: 100 } }]\n";
    let seed = "SET {{prefix}}cache:user:1 a EX 100\nSET {{prefix}}cache:user:3 a EX 100\nSET {{prefix}}cache:user:9 a EX 100\nSET \"{{prefix}}cache:user:\\xff\" a EX 100\n";
    let sandbox = seeded(server, policy, seed);
    let told = run(&sandbox, "sweep", 0);
    assert_eq!((told["due"].as_u64(), told["swept"].as_u64()), (Some(1), Some(1)), "{told}");
    assert_eq!(told["causes"][0]["cause"], "owner gone");
    assert!(told["reasons"].to_string().contains("1 key without a readable owner"), "{told}");
    assert_eq!(keys(&sandbox).dump().lines().count(), 3);
});

on_every_server!(a_session_of_a_user_who_is_disabled_is_ended, |server| {
    let policy = "sessions: [{ store: cache, keys: \"{{prefix}}user:token:*\", belongs_to: { field: core.users.id, id: value, where: \"status = 1\" }, guard: { max_percent: 100 } }]\n";
    let seed = "SET {{prefix}}user:token:a 1 EX 100\nSET {{prefix}}user:token:b 3 EX 100\nSET {{prefix}}user:token:c 9 EX 100\nHSET {{prefix}}user:token:d user 9\n";
    let sandbox = seeded(server, policy, seed);
    let told = run(&sandbox, "end", 0);
    assert_eq!((told["due"].as_u64(), told["expired"].as_u64()), (Some(2), Some(2)), "{told}");
    let dump = keys(&sandbox).dump();
    assert!(dump.contains("token:a") && dump.contains("token:d") && dump.lines().count() == 2, "{dump}");
});

#[test]
fn a_token_that_changes_hands_or_an_owner_who_comes_back_keeps_the_key() {
    let policy = "cache: [{ store: cache, keys: \"t:*\", belongs_to: { field: core.users.id, id: value } }]\n";
    let sandbox = seeded(KeyServer::Redis, policy, "SET t:a 8\nSET t:b 9\nSET t:c 10\n");
    wait(async {
        let cx = context(&sandbox, vec![]);
        let action = sweep(&cx).await;
        let page = action.next(&cx, None, 10).await.unwrap().expect("a page");
        assert_eq!(page.rows(), 3);
        keys(&sandbox).seed("SET t:a 1\n");
        sandbox.sql("insert into users values (9, 1)");
        let tally = apply(&action, &cx, page).await;
        assert_eq!((tally.counts.by_key("swept"), tally.changed), (Some(1), 2), "{tally:?}");
    });
    assert_eq!(keys(&sandbox).dump().lines().count(), 2);
}

#[test]
fn an_empty_owners_table_or_the_wrong_column_wipes_no_cache() {
    let policy = "cache: [{ store: cache, keys: \"u:{id}\", belongs_to: core.users.id, guard: { max_percent: 100 } }]\n";
    let sandbox = seeded(KeyServer::Redis, policy, &(100..130).map(|i| format!("SET u:{i} 1\n")).collect::<String>());
    let before = keys(&sandbox).dump();
    let told = run(&sandbox, "sweep", 4);
    assert!(told["reasons"].to_string().contains("wrong column"), "{told}");
    sandbox.sql("delete from users");
    let told = run(&sandbox, "sweep", 4);
    assert!(told["reasons"].to_string().contains("no owner at all"), "{told}");
    assert_eq!(keys(&sandbox).dump(), before);
}

#[test]
fn owners_that_cannot_be_asked_for_are_not_gone() {
    let policy = "cache: [{ store: cache, keys: \"u:{id}\", belongs_to: far.users.id, guard: { max_percent: 100 } }, { store: cache, keys: \"v:*\", ttl: 1 h, guard: { max_percent: 100 } }]\n";
    let sandbox = seeded(KeyServer::Redis, policy, "SET u:9 1\nSET v:1 1\n");
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).unwrap();
    let far = format!("  far: {{ url: \"postgres://nobody@127.0.0.1:{}/none\" }}\n", crate::promises::dead_port());
    sandbox.write("steward.yaml", &config.replacen("stores:\n", &format!("stores:\n{far}"), 1));
    let told = sandbox.steward(["run-job", "sweep", "--yes", "--json"]).must_end(3).json();
    assert!(told["datasets"][0]["reasons"].to_string().contains("`far` is away"), "{told}");
    assert_eq!(told["datasets"][1]["ttl_set"], 1, "one store down stops no other: {told}");
    assert!(keys(&sandbox).dump().contains("u:9"));
}
