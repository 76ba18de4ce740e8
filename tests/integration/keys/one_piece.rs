//! What a pattern takes, and what it leaves to others.

use super::setup::{keys, run, sandbox};
use crate::support::keyspace::KeyServer;

on_every_server!(an_id_is_one_piece_and_a_longer_key_is_another_pattern, |server| {
    let policy = "cache: [{ store: cache, keys: \"{{prefix}}cache:user:{id}\", belongs_to: core.users.id, guard: { max_percent: 100 } }]\n";
    let sandbox = sandbox(server, policy);
    sandbox.sql("create table users (id text primary key); insert into users values ('100'), ('li@example.com')");
    let long = "9".repeat(201);
    let tails =
        ["100:profile", "100/profile", "100|profile", "100#p", "100 ", "100,101", "100%3Aprofile", "{100}", "100\\n", &long];
    let lines: String = tails.iter().map(|tail| format!("SET \"{{{{prefix}}}}cache:user:{tail}\" x\n")).collect();
    keys(&sandbox).seed(&format!(
        "{lines}SET {{{{prefix}}}}cache:user:100 x\nSET {{{{prefix}}}}cache:user:li@example.com x\nSET {{{{prefix}}}}cache:user:gone x\n"
    ));
    let told = run(&sandbox, "sweep", 0);
    assert_eq!((told["due"].as_u64(), told["swept"].as_u64(), told["total"].as_u64()), (Some(1), Some(1), Some(3)), "{told}");
    let dump = keys(&sandbox).dump();
    assert!(!dump.contains("user:gone") && dump.lines().count() == 12, "{dump}");
    let uncovered = sandbox.steward(["plan", "sweep", "--json"]).must_end(0);
    assert!(uncovered.stdout.contains("covered by no policy"), "{uncovered}");
});

#[test]
fn a_separator_beside_the_id_ends_it_and_an_open_piece_there_is_refused() {
    let policy = "cache:\n  - { name: a, store: cache, keys: \"user_{id}\", belongs_to: core.users.id, guard: { max_percent: 100 } }\n  \
                  - { name: b, store: cache, keys: \"sess.{id}\", belongs_to: core.users.id, guard: { max_percent: 100 } }\n  \
                  - { name: c, store: cache, keys: \"user{id}\", belongs_to: core.users.id, guard: { max_percent: 100 } }\n";
    let sandbox = sandbox(KeyServer::Redis, policy);
    sandbox.sql("create table users (id text primary key); insert into users values ('100')");
    keys(&sandbox)
        .seed("SET user_100_profile x\nSET user_100 x\nSET sess.100.data x\nSET sess.100 x\nSET username x\nSET user100 x\n");
    sandbox.steward(["run-job", "sweep", "--yes"]).must_end(0);
    assert_eq!(keys(&sandbox).dump().lines().count(), 6);
    sandbox.policy("keys", "cache: [{ store: cache, keys: \"user:{id}*\", belongs_to: core.users.id }]\n");
    let told = sandbox.steward(["validate"]).must_end(78);
    assert!(told.stderr.contains("stands beside `*` or `?`") || told.stdout.contains("stands beside `*` or `?`"), "{told}");
}

#[test]
fn a_hold_by_id_keeps_all_that_may_be_meant() {
    let policy = "cache: [{ store: cache, keys: \"u:*\", without_ttl: remove, guard: { max_percent: 100 } }]\n\
                  holds: [{ name: case, dataset: \"cache.u:{id}\", because: litigation }]\n";
    let sandbox = sandbox(KeyServer::Redis, policy);
    keys(&sandbox).seed("SET u:1 x\nSET u:1:profile x\nSET \"u:\\xff\" x\n");
    run(&sandbox, "sweep", 0);
    assert_eq!(keys(&sandbox).dump().lines().count(), 3);
}
