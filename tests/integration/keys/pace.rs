//! What it costs the server, and what looking leaves behind.

use super::setup::{apply, context, keys, run, sandbox, survey, sweep, wait};
use crate::support::keyspace::KeyServer;
use steward::action::Action;

on_every_server!(a_set_of_two_million_members_is_removed_and_no_call_is_slow, |server| {
    let sandbox = sandbox(
        server,
        "cache: [{ store: cache, keys: \"{{prefix}}c:*\", ttl: 1 h, without_ttl: remove, guard: { max_percent: 100 } }]\n",
    );
    for part in 0..20 {
        let fill = format!("for i = 1, 100000 do redis.call('SADD', KEYS[1], {part} * 100000 + i) end");
        keys(&sandbox).ask::<Option<i64>>(&format!("EVAL \"{fill}\" 1 {{{{prefix}}}}c:huge"));
    }
    assert_eq!(keys(&sandbox).ask::<i64>("SCARD {{prefix}}c:huge"), 2_000_000);
    let began = chrono::Utc::now();
    let told = run(&sandbox, "sweep", 0);
    assert_eq!(told["swept"], 1, "{told}");
    assert_eq!(keys(&sandbox).dump(), "");
    // A DEL of it takes half a second. Ours take far less than 2 ms, but the machine may let the server itself wait for longer.
    let slow = keys(&sandbox).slow_calls(began, std::time::Duration::from_millis(50));
    assert!(slow.is_empty(), "{slow:?}");
});

on_every_server!(looking_makes_no_key_look_used, |server| {
    let sandbox = sandbox(server, "cache: [{ store: cache, keys: \"{{prefix}}c:*\", ttl: 1 h, idle: 2 s }]\n");
    keys(&sandbox).seed("SET {{prefix}}c:1 one\nSET {{prefix}}c:2 two EX 1000\n");
    std::thread::sleep(std::time::Duration::from_millis(3_500));
    wait(async {
        let cx = context(&sandbox, vec![]);
        for _ in 0..2 {
            let counts = survey(&cx).await;
            assert_eq!(counts.causes, [("idle", 2)], "{counts:?}");
        }
    });
    let idle: i64 = keys(&sandbox).ask("OBJECT IDLETIME {{prefix}}c:1");
    assert!(idle >= 2, "{idle}");
});

on_every_server!(a_key_that_is_used_after_it_was_found_idle_stays, |server| {
    let sandbox = sandbox(server, "cache: [{ store: cache, keys: \"{{prefix}}c:*\", idle: 2 s }]\n");
    keys(&sandbox).seed("SET {{prefix}}c:used a\nSET {{prefix}}c:idle b\n");
    std::thread::sleep(std::time::Duration::from_millis(3_500));
    wait(async {
        let cx = context(&sandbox, vec![]);
        let action = sweep(&cx).await;
        let page = action.next(&cx, None, 10).await.unwrap().expect("a page");
        assert_eq!(page.rows(), 2);
        keys(&sandbox).ask::<String>("GET {{prefix}}c:used");
        let tally = apply(&action, &cx, page).await;
        assert_eq!((tally.counts.by_key("swept"), tally.changed), (Some(1), 1));
    });
    assert!(keys(&sandbox).dump().contains("c:used"));
});

on_every_server!(setting_times_to_live_does_not_destroy_the_evidence_of_idleness, |server| {
    // The first policy sets times to live on keys that the second one finds idle in the same run.
    let policy = "cache:\n  - { name: all, store: cache, keys: \"{{prefix}}c:*\", ttl: 1 h, guard: { max_percent: 100 } }\n  - { name: idle, store: cache, keys: \"{{prefix}}c:user:*\", idle: 2 s, guard: { max_percent: 100 } }\n";
    let sandbox = sandbox(server, policy);
    keys(&sandbox).seed("SET {{prefix}}c:user:1 a\nSET {{prefix}}c:user:2 b\nSET {{prefix}}c:job:1 c\n");
    std::thread::sleep(std::time::Duration::from_millis(3_500));
    let told = sandbox.steward(["run-job", "sweep", "--yes", "--json"]).must_end(0).json();
    assert_eq!(told["datasets"][1]["swept"], 2, "{told}");
    assert!(keys(&sandbox).dump().starts_with("\"c:job:1\" string ttl"));
});

#[test]
fn idleness_that_the_server_does_not_keep_is_refused_not_guessed() {
    let server = super::reach::Own::start(&["--maxmemory-policy", "allkeys-lfu"]);
    let sandbox = sandbox(KeyServer::Redis, "cache: [{ store: cache, keys: \"c:*\", idle: 1 day }]\n");
    server.takes_over(&sandbox);
    let told = run(&sandbox, "sweep", 4);
    assert!(told["reasons"].to_string().contains("allkeys-lfu"), "{told}");
    sandbox.policy("keys", "cache: [{ store: cache, keys: \"c:*\", ttl: 1 h }]\n");
    run(&sandbox, "sweep", 0);
    sandbox.policy("keys", "cache: [{ store: cache, keys: \"c:*\", idle: 200 days }]\n");
    run(&sandbox, "sweep", 4);
}

on_every_server!(a_look_tells_how_far_it_is_while_it_goes_on, |server| {
    let sandbox = sandbox(server, "cache: [{ store: cache, keys: \"{{prefix}}c:*\", ttl: 1 h }]\n");
    let fill = "for i = 1, 5000 do redis.call('SET', KEYS[1] .. i, i) end";
    keys(&sandbox).ask::<Option<i64>>(&format!("EVAL \"{fill}\" 1 {{{{prefix}}}}c:{{t}}"));
    wait(async {
        let cx = context(&sandbox, vec![]);
        let store = cx.stores.keys("cache").expect("a store of keys");
        assert_eq!((store.sight().scans(), store.sight().part()), (0, None), "nobody looked yet");
        let seen = std::sync::Mutex::new(vec![]);
        let watching = async {
            loop {
                seen.lock().unwrap().extend(store.sight().part());
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            _ = survey(&cx) => {}
            () = watching => {}
        }
        let seen = seen.into_inner().unwrap();
        assert!(seen.is_sorted() && seen.iter().all(|part| (0.0..=1.0).contains(part)), "{seen:?}");
        assert_eq!(store.sight().part(), Some(1.0), "the look is over");
        assert!(store.sight().keys() >= 5_000 && store.sight().scans() > 2);
    });
});
