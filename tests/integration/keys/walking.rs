//! The walk over keys: each key once, from anywhere, and on after a connection broke.

use super::reach::Own;
use super::setup::{context, context_at, keys, sandbox, wait};
use crate::support::keyspace::KeyServer;
use crate::support::sandbox::Sandbox;
use std::collections::{BTreeMap, BTreeSet};
use steward::action::Context;
use steward::policy::key_pattern::KeyPattern;
use steward::store::redis::commands::{Questions, Wanted};
use steward::store::redis::scan::{Asked, Place, Walk};

const POLICY: &str = "cache: [{ store: cache, keys: \"{{prefix}}c:*\", ttl: 1 h }]\n";

async fn walk(cx: &Context, pattern: &str, place: Place) -> Walk {
    let store = cx.stores.keys("cache").unwrap();
    Walk::from(store, "test", pattern.parse().unwrap(), Asked::default(), place).await.unwrap()
}

/// Keys on all servers of the store, more than several pages of each.
fn fill(sandbox: &Sandbox, count: usize) {
    let names = |from: usize| (from..from + 500).map(|i| format!("SET {{{{prefix}}}}c:{i} {i} EX 500\n")).collect::<String>();
    (0..count).step_by(500).for_each(|from| keys(sandbox).seed(&names(from)));
}

on_every_server!(a_walk_goes_on_from_where_it_was_and_misses_nothing, |server| {
    let sandbox = sandbox(server, POLICY);
    fill(&sandbox, 5_000);
    let pattern = format!("{}c:*", keys(&sandbox).prefix);
    wait(async {
        let cx = context(&sandbox, vec![]);
        let mut first = walk(&cx, &pattern, Place::start()).await;
        let mut before = BTreeSet::new();
        while let Some(page) = first.page().await.unwrap() {
            let given: BTreeSet<Vec<u8>> = page.into_iter().map(|key| key.name).collect();
            let mut again = walk(&cx, &pattern, first.at()).await;
            // The page's own place gives its keys again, the one behind it gives none of them.
            let repeated: BTreeSet<Vec<u8>> = again.page().await.unwrap().unwrap().into_iter().map(|key| key.name).collect();
            assert!(given.is_subset(&repeated) || repeated.is_subset(&given), "{} and {}", given.len(), repeated.len());
            before.extend(given);
            let mut rest = walk(&cx, &pattern, first.behind()).await;
            let mut behind = BTreeSet::new();
            while let Some(page) = rest.page().await.unwrap() {
                behind.extend(page.into_iter().map(|key| key.name));
            }
            let all: BTreeSet<_> = before.union(&behind).collect();
            assert_eq!(all.len(), 5_000, "{} before, {} behind {:?}", before.len(), behind.len(), first.behind());
        }
        assert_eq!((before.len(), first.names(), first.is_about()), (5_000, 5_000, false));
        assert_eq!(walk(&cx, &pattern, first.behind()).await.page().await.unwrap(), None);
    });
});

on_every_server!(a_walk_asks_of_each_key_what_is_wanted_of_it, |server| {
    let sandbox = sandbox(server, POLICY);
    keys(&sandbox).seed(
        "SET {{prefix}}c:1 42 EX 500\nSET {{prefix}}c:2 43\nSET {{prefix}}d:1 x\nSET {{prefix}}e:1 x\nSET {{prefix}}f:1 x\n",
    );
    let prefix = keys(&sandbox).prefix.clone();
    let pattern = |text: &str| format!("{prefix}{text}").parse::<KeyPattern>().unwrap();
    let each = vec![
        (pattern("c:*"), Wanted::Asked(Asked { value: true, ..Asked::default() })),
        (pattern("c:2"), Wanted::Asked(Asked { bytes: true, ..Asked::default() })),
        (pattern("d:*"), Wanted::Counted),
        (pattern("e:*"), Wanted::Named),
    ];
    let questions = Questions { found: pattern("*"), each, rest: Some(Wanted::Asked(Asked { idle: true, ..Asked::default() })) };
    wait(async {
        let cx = context(&sandbox, vec![]);
        let store = cx.stores.keys("cache").unwrap();
        let mut walk = Walk::over(store, "test", questions, Place::start()).await.unwrap();
        let mut seen = BTreeMap::new();
        while let Some(page) = walk.page().await.unwrap() {
            seen.extend(page.into_iter().map(|key| (String::from_utf8(key.name[prefix.len()..].to_vec()).unwrap(), key.clone())));
        }
        assert_eq!(seen.keys().collect::<Vec<_>>(), ["c:1", "c:2", "e:1", "f:1"]);
        let told = |name: &str| {
            let key = &seen[name];
            (key.left.is_some(), key.idle.is_some(), key.bytes.is_some(), key.value.is_some())
        };
        assert_eq!(told("c:1"), (true, false, false, true));
        assert_eq!(told("c:2"), (false, false, true, true));
        assert_eq!(told("e:1"), (false, false, false, false));
        assert_eq!(told("f:1"), (false, true, false, false));
        assert_eq!(walk.names(), 5);
    });
});

#[test]
fn a_walk_goes_on_once_after_its_connection_broke_and_gives_each_key_once() {
    let sandbox = sandbox(KeyServer::Redis, POLICY);
    let own = Own::start(&[]);
    own.ask::<Option<i64>>(&["EVAL", "for i = 1, 20000 do redis.call('SET', 'c:' .. i, i) end", "0"]);
    let kill = || own.ask::<i64>(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    wait(async {
        let cx = context_at(&sandbox, &format!("redis://127.0.0.1:{}", own.port), vec![]);
        for pages_before in [0, 1, 2, 5, 13] {
            let mut walk = walk(&cx, "c:*", Place::start()).await;
            let (mut given, mut pages) = (vec![], 0);
            loop {
                if pages == pages_before {
                    assert!(kill() > 0, "there is a connection to break");
                    // Until the client knows, an answer that came before may still be taken.
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
                let Some(page) = walk.page().await.unwrap() else { break };
                given.extend(page.into_iter().map(|key| key.name));
                pages += 1;
            }
            let once: BTreeSet<_> = given.iter().collect();
            assert_eq!((given.len(), once.len(), walk.is_about()), (20_000, 20_000, false), "after {pages_before} pages");
        }
        let mut walk = walk(&cx, "c:*", Place::start()).await;
        let mut failed = false;
        for _ in 0..20 {
            kill();
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            failed |= walk.page().await.is_err();
        }
        assert!(failed, "it goes on once, and not for ever");
    });
}

#[test]
fn a_page_that_is_given_up_while_it_is_waited_for_is_not_lost() {
    let sandbox = sandbox(KeyServer::Redis, POLICY);
    let own = Own::start(&[]);
    own.ask::<Option<i64>>(&["EVAL", "for i = 1, 20000 do redis.call('SET', 'c:' .. i, i) end", "0"]);
    wait(async {
        let cx = context_at(&sandbox, &format!("redis://127.0.0.1:{}", own.port), vec![]);
        let mut walk = walk(&cx, "c:*", Place::start()).await;
        let (mut given, mut given_up) = (BTreeSet::new(), 0);
        for patience in (0..).map(|turn| std::time::Duration::from_micros(turn % 7 * 40)) {
            let Ok(page) = tokio::time::timeout(patience, walk.page()).await else {
                given_up += 1;
                continue;
            };
            let Some(page) = page.unwrap() else { break };
            for key in page {
                assert!(given.insert(key.name), "given twice");
            }
        }
        assert_eq!(given.len(), 20_000);
        assert!(given_up > 0);
    });
}

#[test]
fn a_walk_makes_no_call_that_keeps_others_waiting() {
    let sandbox = sandbox(KeyServer::Redis, POLICY);
    let own = Own::start(&["--slowlog-log-slower-than", "50000", "--slowlog-max-len", "1000"]);
    own.ask::<Option<i64>>(&["EVAL", "for i = 1, 200000 do redis.call('SET', 'c:' .. i, i) end", "0"]);
    own.ask::<()>(&["SLOWLOG", "RESET"]);
    wait(async {
        let cx = context_at(&sandbox, &format!("redis://127.0.0.1:{}", own.port), vec![]);
        let mut walk = walk(&cx, "c:*", Place::start()).await;
        let mut most = 0;
        while let Some(page) = walk.page().await.unwrap() {
            most = most.max(page.len());
        }
        assert!((200..2_000).contains(&most), "{most} keys on a page");
    });
    let slow: i64 = own.ask(&["SLOWLOG", "LEN"]);
    // Ours take far less than 2 ms, but the machine may let the server itself wait for longer.
    assert!(slow == 0, "{slow} calls took the server longer than 50 ms");
}
