//! Slips that people make, and what they are told.

use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;
use std::time::{Duration, Instant};

const POLICY: &str = "lifecycle:\n  - { name: marks, dataset: core.marks, clock: created_at, delete: { after: 1 year }, guard: { max_percent: 100 } }\n";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new(Engine::Sqlite);
    sandbox
        .sql("create table marks (id integer primary key, created_at text); insert into marks values (1, '2020-01-01 00:00:00')");
    sandbox.policy("marks", POLICY);
    sandbox.job("gone", "action: delete\npolicies: [marks]\nmode: enforce\n");
    sandbox
}

#[test]
fn a_plan_is_written_over_a_plan_and_over_nothing_else() {
    let sandbox = sandbox();
    let before = std::fs::read_to_string(sandbox.path("steward.yaml")).expect("a configuration");
    let config = sandbox.path("steward.yaml");
    let told = sandbox.steward(["plan", "gone", "--out", config.to_str().expect("a path")]).must_end(2);
    assert!(told.stderr.contains("no plan file; nothing was written"), "{told}");
    assert_eq!(std::fs::read_to_string(&config).expect("a configuration"), before);
    let plan = sandbox.path("plan.json");
    for _ in 0..2 {
        sandbox.steward(["plan", "gone", "--out", plan.to_str().expect("a path")]).must_end(0);
    }
}

#[test]
fn a_secret_that_never_ends_is_none() {
    let sandbox = sandbox();
    sandbox.config("mail: { url: \"smtp://127.0.0.1:1\", user: a, password: { file: /dev/zero }, from: a@example.com, to: [b@example.com] }\n");
    let began = Instant::now();
    let told = sandbox.steward(["doctor", "--mail"]).must_end(3);
    assert!(told.stdout.contains("longer than 65536 bytes"), "{told}");
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn white_space_in_a_url_is_no_password() {
    let sandbox = sandbox();
    sandbox.write("steward.yaml", "stores:\n  core: { url: \"mysql://steward@127.0.0.1:3306 /jobfirst\" }\n");
    let told = sandbox.steward(["validate"]).must_end(78);
    assert!(told.stderr.contains("white space in this URL") && !told.stderr.contains("password"), "{told}");
    sandbox.write("steward.yaml", "stores:\n  core: { url: \"mysql://steward:pw@127.0.0.1:x/jobfirst\" }\n");
    let told = sandbox.steward(["validate"]).must_end(78);
    assert!(told.stderr.contains("a password is written here") && !told.stderr.contains(":pw@"), "{told}");
}

#[test]
fn a_reason_is_a_text_and_no_variable() {
    let sandbox = sandbox();
    sandbox.policy("holds", "holds: [{ name: case, dataset: core.marks, because: \"${CANARY}\" }]\n");
    let told = sandbox.command(["validate"]).env("CANARY", "hunter2").output().expect("the binary starts");
    let told = crate::support::sandbox::Ended::from(told).must_end(78);
    assert!(told.stderr.contains("`because` is kept in the ledger") && !told.stderr.contains("hunter2"), "{told}");
}

#[test]
fn nothing_turns_the_direction_of_what_is_printed() {
    let sandbox = sandbox();
    sandbox.policy(
        "marks",
        &POLICY.replace("name: marks", "name: \"ma\u{202e}rks\"").replace("core.marks", "\"core.ma\u{202e}rks\""),
    );
    sandbox.job("gone", "action: delete\npolicies: [\"*\"]\n");
    for words in [
        vec!["validate", "--connect"],
        vec!["plan", "gone"],
        vec!["run-job", "gone", "--dry-run"],
        vec!["policies"],
        vec!["jobs"],
    ] {
        let told = sandbox.steward(words.clone());
        assert!(!told.stdout.contains('\u{202e}') && !told.stderr.contains('\u{202e}'), "{words:?}: {told}");
    }
    assert!(sandbox.steward(["policies"]).must_end(0).stdout.contains("\\u{202e}"));
}

#[test]
fn a_number_beyond_all_numbers_is_told_as_such() {
    let sandbox = sandbox();
    sandbox.policy("marks", &POLICY.replace("1 year", "99999999999 years"));
    let told = sandbox.steward(["validate"]).must_end(78);
    assert!(told.stderr.contains("at most 4294967295") && !told.stderr.contains("did you mean"), "{told}");
}
