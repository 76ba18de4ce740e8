//! What ends keys, what keeps them, and what is told of it.

use super::setup::{apply, context, hold, keys, names, run, sandbox, survey, sweep, traces, wait};
use crate::support::keyspace::KeyServer;
use steward::action::Action;

/// Any bytes may stand in a name.
const ODD: &str = r#"
SET "{{prefix}}c:a key" 1
SET "{{prefix}}c:two\nlines" 1
SET "{{prefix}}c:'quotes' and \"quotes\"" 1
SET "{{prefix}}c:\x00\xff\xfe[*?" 1
SET "{{prefix}}c:" 1
SET {{prefix}}d:other 1
"#;

on_every_server!(keys_of_any_bytes_get_a_time_to_live_and_a_second_run_does_nothing, |server| {
    let sandbox =
        sandbox(server, "cache: [{ store: cache, keys: \"{{prefix}}c:*\", ttl: 30 min, guard: { max_percent: 100 } }]\n");
    keys(&sandbox).seed(ODD);
    let first = run(&sandbox, "sweep", 0);
    assert_eq!(
        (first["due"].as_u64(), first["ttl_set"].as_u64(), first["swept"].as_u64()),
        (Some(5), Some(5), Some(0)),
        "{first}"
    );
    assert_eq!(first["causes"][0]["cause"], "no TTL", "{first}");
    let dump = keys(&sandbox).dump();
    assert_eq!(dump.lines().filter(|line| line.contains("string ttl")).count(), 5, "{dump}");
    assert!(dump.contains("\"d:other\" string -"), "{dump}");
    let left: i64 = keys(&sandbox).ask("PTTL \"{{prefix}}c:a key\"");
    assert!((27 * 60_000 - 5_000..=30 * 60_000).contains(&left), "{left}");
    let second = run(&sandbox, "sweep", 0);
    assert_eq!((second["due"].as_u64(), second["ttl_set"].as_u64()), (Some(0), Some(0)), "{second}");
});

on_every_server!(a_longer_time_to_live_is_cut_and_a_shorter_one_stays, |server| {
    let sandbox = sandbox(
        server,
        "sessions: [{ store: cache, keys: \"{{prefix}}user:session:*\", ttl: 1 h, guard: { max_percent: 100 } }]\n",
    );
    keys(&sandbox).seed("SET {{prefix}}user:session:long 1 EX 86400\nSET {{prefix}}user:session:short 1 EX 60\nSET {{prefix}}user:session:none 1\n");
    let told = run(&sandbox, "end", 0);
    assert_eq!((told["due"].as_u64(), told["ttl_set"].as_u64(), told["expired"].as_u64()), (Some(2), Some(2), Some(0)), "{told}");
    let left = |name: &str| keys(&sandbox).ask::<i64>(&format!("TTL {{{{prefix}}}}user:session:{name}"));
    assert!(left("long") <= 3_600 && left("none") <= 3_600 && left("none") > 3_200 && left("short") <= 60);
});

on_every_server!(a_key_that_changes_between_scan_and_removal_stays, |server| {
    let sandbox = sandbox(server, "cache: [{ store: cache, keys: \"{{prefix}}c:*\", ttl: 1 h, without_ttl: remove }]\n");
    let big = "x".repeat(20_000);
    keys(&sandbox).seed(&format!(
        "SET {{{{prefix}}}}c:got-ttl 1\nSET {{{{prefix}}}}c:rewritten 1\nHSET {{{{prefix}}}}c:hash a 1\nSET {{{{prefix}}}}c:large {big}a\nSET {{{{prefix}}}}c:large-too {big}\nSET {{{{prefix}}}}c:gone 1\nSET {{{{prefix}}}}c:stale 1\n"
    ));
    wait(async {
        let cx = context(&sandbox, vec![]);
        let action = sweep(&cx).await;
        let page = action.next(&cx, None, 1_000).await.unwrap().expect("a page");
        assert_eq!(page.rows(), 7);
        keys(&sandbox).seed(&format!(
            "EXPIRE {{{{prefix}}}}c:got-ttl 100\nSET {{{{prefix}}}}c:rewritten 2\nHSET {{{{prefix}}}}c:hash a 2\nSET {{{{prefix}}}}c:large {big}b\nDEL {{{{prefix}}}}c:gone\n"
        ));
        let tally = apply(&action, &cx, page).await;
        assert_eq!(
            (tally.counts.by_key("swept"), tally.changed, tally.counts.by_key("ttl_set")),
            (Some(2), 5, Some(0)),
            "{tally:?}"
        );
    });
    let dump = keys(&sandbox).dump();
    for stays in ["c:got-ttl", "c:rewritten", "c:hash", "c:large\""] {
        assert!(dump.contains(stays), "{stays}");
    }
    assert!(!dump.contains("c:stale") && !dump.contains("large-too"));
});

on_every_server!(a_dry_run_changes_nothing_and_shows_what_the_real_run_does, |server| {
    let sandbox = sandbox(
        server,
        "cache: [{ store: cache, keys: \"{{prefix}}c:*\", ttl: 1 h, without_ttl: remove, guard: { max_percent: 100 } }]\n",
    );
    keys(&sandbox).seed("SET {{prefix}}c:1 1\nSADD {{prefix}}c:2 a b\nSET {{prefix}}c:3 1 EX 100000\n");
    let before = keys(&sandbox).dump();
    let dry = sandbox.steward(["run-job", "sweep", "--dry-run", "--json"]).must_end(0).json();
    sandbox.steward(["plan", "sweep", "--sql"]).must_end(0);
    assert_eq!(keys(&sandbox).dump(), before);
    let real = run(&sandbox, "sweep", 0);
    assert_eq!(dry["datasets"][0]["due"], real["due"]);
    assert_eq!((real["swept"].as_u64(), real["ttl_set"].as_u64()), (Some(2), Some(1)), "{real}");
});

on_every_server!(a_hold_keeps_the_keys_it_names, |server| {
    let policy = "cache: [{ store: cache, keys: \"{{prefix}}c:*\", ttl: 1 h, without_ttl: remove, guard: { max_percent: 100 } }]\n\
        holds:\n  - { name: case-1, dataset: 'cache.\"{{prefix}}c:user:42\"', because: litigation }\n  - { name: case-2, dataset: 'cache.\"{{prefix}}c:job:*\"', because: audit }\n";
    let sandbox = sandbox(server, policy);
    keys(&sandbox)
        .seed("SET {{prefix}}c:user:42 1\nSET {{prefix}}c:user:421 1\nSET {{prefix}}c:job:1 1\nSET {{prefix}}c:job:2 1\n");
    let told = run(&sandbox, "sweep", 0);
    assert_eq!(
        (told["due"].as_u64(), told["swept"].as_u64(), told["left"]["held"].as_u64()),
        (Some(4), Some(1), Some(3)),
        "{told}"
    );
    assert_eq!(keys(&sandbox).dump().lines().count(), 3);
    wait(async {
        let late = context(&sandbox, vec![]);
        let action = sweep(&late).await;
        let page = action.next(&late, None, 10).await.unwrap().expect("a page");
        let dataset = format!("cache.\"{}c:job:1\"", keys(&sandbox).prefix);
        late.see_holds(vec![hold("late", &dataset)]);
        apply(&action, &late, page).await;
    });
    assert!(keys(&sandbox).dump().contains("c:job:1"), "a hold that comes between finding and removing keeps its key");
});

#[test]
fn a_hold_with_a_condition_refuses_the_keys_of_its_store() {
    let sandbox = sandbox(
        KeyServer::Redis,
        "cache: [{ store: cache, keys: \"c:*\", ttl: 1 h }]\nholds: [{ name: case, dataset: cache.c, where: \"id = 1\", because: x }]\n",
    );
    keys(&sandbox).seed("SET c:1 1\n");
    let before = keys(&sandbox).dump();
    sandbox.steward(["run-job", "sweep", "--yes"]).must_end(4);
    assert_eq!(keys(&sandbox).dump(), before);
}

on_every_server!(what_scan_gives_twice_is_counted_once_and_an_empty_page_is_not_the_end, |server| {
    let sandbox = sandbox(server, "cache: [{ store: cache, keys: \"{{prefix}}c:*\", ttl: 1 h }]\n");
    let seed = "for i = 1, 20000 do redis.call('SET', ARGV[1] .. i, i) end";
    if server == KeyServer::Cluster {
        keys(&sandbox).seed(&(0..3_000).map(|i| format!("SET {{{{prefix}}}}c:{i} 1\n")).collect::<String>());
    } else {
        keys(&sandbox).ask::<Option<i64>>(&format!("EVAL \"{seed}\" 0 c:"));
        // Others, so that most pages have none of ours.
        keys(&sandbox).ask::<Option<i64>>(&format!("EVAL \"{}\" 0 other:", seed.replace("20000", "200000")));
    }
    let wanted = if server == KeyServer::Cluster { 3_000 } else { 20_000 };
    wait(async {
        let cx = context(&sandbox, vec![]);
        let counts = survey(&cx).await;
        assert_eq!((counts.total, counts.due, counts.total_is_estimate), (wanted, wanted, false));
        let action = sweep(&cx).await;
        let (mut cursor, mut seen) = (None, std::collections::BTreeSet::new());
        let mut given = 0;
        while let Some(page) = action.next(&cx, cursor.as_ref(), 500).await.unwrap() {
            given += page.rows();
            seen.extend(names(&page));
            cursor = Some(page.last().to_vec());
            apply(&action, &cx, page).await;
            // The table shrinks under the walk, which is when SCAN repeats itself.
            if server != KeyServer::Cluster {
                keys(&sandbox).ask::<i64>(&format!(
                    "UNLINK {}",
                    (given * 10..given * 10 + 500).map(|i| format!("other:{i} ")).collect::<String>()
                ));
            }
        }
        assert_eq!((seen.len() as u64, given), (wanted, wanted));
    });
});

#[test]
fn what_a_pass_left_goes_on_where_it_was() {
    let sandbox = sandbox(KeyServer::Redis, "cache: [{ store: cache, keys: \"c:*\", ttl: 1 h }]\n");
    keys(&sandbox).ask::<Option<i64>>("EVAL \"for i = 1, 5000 do redis.call('SET', 'c:' .. i, i) end\" 0");
    wait(async {
        let cx = context(&sandbox, vec![]);
        let action = sweep(&cx).await;
        let facts = action.facts(&cx);
        let first = action.next(&cx, None, 100).await.unwrap().expect("a page");
        // What the ledger may know of a place: the server and its cursor.
        let kept = facts.keeps.place(first.last()).expect("a place").to_vec();
        assert_eq!(kept.len(), 2);
        let rest = first.rows();
        apply(&action, &cx, first).await;
        let (other, mut cursor, mut count) = (sweep(&cx).await, Some(kept), rest);
        while let Some(page) = other.next(&cx, cursor.as_ref(), 10_000).await.unwrap() {
            count += page.rows();
            cursor = Some(page.last().to_vec());
            apply(&other, &cx, page).await;
        }
        assert_eq!(count, 5_000);
        assert_eq!(survey(&cx).await.due, 0);
    });
}

on_every_server!(names_and_values_of_keys_are_in_no_report_ledger_or_log, |server| {
    let policy =
        "cache: [{ store: cache, keys: \"{{prefix}}c:*\", ttl: 1 h, without_ttl: remove, guard: { max_percent: 100 } }]\n";
    let sandbox = sandbox(server, policy);
    keys(&sandbox).seed("SET {{prefix}}c:canary-name canary-value\nSET {{prefix}}zebra:canary-name canary-value\nSET {{prefix}}canary-name canary-value\n");
    let ended = sandbox.command(["run-job", "sweep", "--yes", "--json"]).env("STEWARD_LOG", "trace").output().unwrap();
    let ended = crate::support::sandbox::Ended::from(ended).must_end(0);
    assert!(!keys(&sandbox).dump().contains("c:canary"));
    let traces = traces(&sandbox, &ended);
    assert!(
        !traces.contains("canary"),
        "{}",
        traces.split("canary").next().unwrap().chars().rev().take(300).collect::<String>().chars().rev().collect::<String>()
    );
    assert!(!traces.contains(&keys(&sandbox).address.password));
});

#[test]
fn keys_that_no_policy_covers_are_told_by_what_they_begin_with() {
    let sandbox = sandbox(
        KeyServer::Valkey,
        "cache: [{ store: cache, keys: \"cache:user:*\", ttl: 1 h, guard: { max_percent: 100 } }]\nsessions: [{ store: cache, keys: \"user:session:*\", ttl: 1 h }]\n",
    );
    let more: String = (0..12).map(|i| format!("SET cache:job:{i} xxxxxxxx\n")).collect();
    keys(&sandbox).seed(&format!("SET cache:user:1 1\nSET user:session:1 1\nSET user:li:cart 1\nSET lonely 1\n{more}"));
    let told = sandbox.steward(["run-job", "sweep", "--yes", "--json"]).must_end(0).json();
    let uncovered = &told["datasets"][1];
    assert_eq!(uncovered["policy"], "keys that no policy covers");
    let reasons = uncovered["reasons"].to_string();
    assert!(reasons.contains("12 keys under `cache:job:`") && reasons.contains("1 key under `user:`"), "{reasons}");
    assert!(reasons.contains("1 key under names without `:`"), "{reasons}");
    assert!(!reasons.contains("li:") && !reasons.contains("user:session") && !reasons.contains("lonely"), "{reasons}");
}

#[test]
fn a_guard_refuses_before_anything_is_touched() {
    let sandbox = sandbox(KeyServer::Redis, "cache: [{ store: cache, keys: \"c:*\", ttl: 1 h }]\n");
    keys(&sandbox).seed("SET c:1 1\nSET c:2 1\nSET c:3 1 EX 10\n");
    let before = keys(&sandbox).dump();
    let told = run(&sandbox, "sweep", 4);
    assert_eq!(told["left"]["guarded"], 2, "{told}");
    assert_eq!(keys(&sandbox).dump(), before);
}

on_every_server!(a_crash_in_the_midst_leaves_keys_whole_and_the_next_run_does_the_rest, |server| {
    let sandbox = sandbox(
        server,
        "cache: [{ store: cache, keys: \"{{prefix}}c:*\", ttl: 1 h, without_ttl: remove, guard: { max_percent: 100 } }]\n",
    );
    // In a cluster a hash tag keeps them on one server, so that one script may make them.
    let fill = "for i = 1, 60000 do redis.call('SET', KEYS[1] .. i, i) end";
    keys(&sandbox).ask::<Option<i64>>(&format!("EVAL \"{fill}\" 1 {{{{prefix}}}}c:{{t}}"));
    let count = || keys(&sandbox).ask::<i64>("EVAL \"return #redis.call('KEYS', KEYS[1] .. '*')\" 1 {{prefix}}c:{t}");
    let mut run = sandbox.command(["run-job", "sweep", "--yes"]).stderr(std::process::Stdio::null()).spawn().unwrap();
    let began = std::time::Instant::now();
    // KEYS keeps the server from everything else: asked without a pause, it keeps the run from its work.
    while count() == 60_000 && began.elapsed() < std::time::Duration::from_secs(120) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(count() < 60_000, "it had begun");
    let told = self::run(&sandbox, "sweep", 0);
    assert_eq!((count(), told["debt"]["rows"].as_u64()), (0, Some(0)), "{told}");
    sandbox.steward(["audit", "verify"]).must_end(0);
});
