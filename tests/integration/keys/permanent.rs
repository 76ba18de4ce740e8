//! Keys that live on purpose: no policy ends them, and no check of theirs finds fault with them.

use super::setup::{keys, sandbox};

const POLICY: &str = r#"
cache:
  - { name: flags, store: cache, keys: "{{prefix}}c:flag:*", permanent: true, because: kept by the platform team }
  - { name: all, store: cache, keys: "{{prefix}}c:*", without_ttl: remove, guard: { max_percent: 100 } }
  - { name: mine, store: cache, keys: "{{prefix}}c:flag:{id}", belongs_to: core.users.id, guard: { max_percent: 100 } }
checks:
  - { name: ttl, dataset: cache, without_ttl: "{{prefix}}*", warn: "> 0" }
  - { name: uncovered, dataset: cache, uncovered_keys: true, warn: "> 1000000" }
"#;

on_every_server!(permanent_keys_stay_whatever_another_policy_says_and_the_ttl_check_passes, |server| {
    let sandbox = sandbox(server, POLICY);
    sandbox.sql("create table users (id integer primary key); insert into users values (1)");
    keys(&sandbox).seed(
        "SET {{prefix}}c:flag:1 x\nSET {{prefix}}c:flag:9 x\nSET {{prefix}}c:flag:1:old x EX 1000\nSET {{prefix}}c:other x\n",
    );
    let planned = sandbox.steward(["plan", "sweep", "--json"]).must_end(0).json();
    assert_eq!(planned["jobs"][0]["datasets"][0]["due"], 1, "{planned}");
    let told = sandbox.steward(["run-job", "sweep", "--yes", "--json"]).must_end(0).json();
    let datasets = told["datasets"].as_array().expect("datasets");
    let names: Vec<_> = datasets.iter().filter_map(|one| one["policy"].as_str()).collect();
    assert_eq!(names, ["all", "mine", "keys that no policy covers"], "a permanent policy ends nothing");
    assert_eq!((&datasets[0]["due"], &datasets[0]["swept"]), (&1.into(), &1.into()), "{told}");
    assert_eq!((&datasets[1]["due"], &datasets[1]["swept"]), (&0.into(), &0.into()), "owner 9 is gone: {told}");
    assert!(datasets[0]["reasons"].to_string().contains("3 keys left alone: permanent"), "{told}");
    let dump = keys(&sandbox).dump();
    assert_eq!(dump.lines().filter(|line| line.contains("flag")).count(), 3, "{dump}");
    assert_eq!(dump.lines().count(), 3, "{dump}");
    sandbox.job("check", "action: check-quality\npolicies: [ttl]\n");
    let told = sandbox.steward(["run-job", "check", "--json"]).must_end(0).json();
    let finding = &told["findings"][0];
    assert_eq!((&finding["outcome"], &finding["value"], &finding["of"]), (&"pass".into(), &0.into(), &3.into()), "{told}");
    let notes = finding["notes"].to_string();
    assert!(notes.contains("2 keys without a TTL on purpose"), "{notes}");
    assert!(notes.contains("1 key that a `permanent` policy names will expire"), "{notes}");
    let listed = sandbox.steward(["policies", "flags"]).must_end(0);
    assert!(listed.stdout.contains("kept by the platform team"), "{listed}");
});
