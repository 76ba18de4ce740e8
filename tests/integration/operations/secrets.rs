//! A secret that is missing is in the way of the jobs that need it, and of no other.

use crate::support::engine::Engine;
use crate::support::sandbox::{Sandbox, URL};

/// A sandbox with `core`, and the stores `other` and `elsewhere`, whose password and whose whole address nobody has.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new(Engine::Sqlite);
    sandbox.write(
        "steward.yaml",
        &format!(
            "stores:\n  core: {{ url: {{ env: {URL} }} }}\n  other: {{ url: \"postgres://a@127.0.0.1:1/x\", password: {{ env: NOT_SET }} }}\n  elsewhere: {{ url: {{ env: NOT_SET_EITHER }} }}\n"
        ),
    );
    sandbox.sql(
        "create table marks (id integer primary key, created_at text); insert into marks values (1, '2020-01-01 00:00:00');",
    );
    sandbox.policy(
        "marks",
        "lifecycle:\n  - { name: marks, dataset: core.marks, clock: created_at, delete: { after: 1 year }, guard: { max_percent: 100 } }\n  - { name: others, dataset: other.public.marks, clock: created_at, delete: { after: 1 year } }\nchecks:\n  - { name: both, reference: { from: core.marks.id, to: other.public.marks.id }, fail: \"> 0\" }\n",
    );
    sandbox.job("delete-marks", "action: delete\npolicies: [marks]\nmode: enforce\n");
    sandbox.job("delete-others", "action: delete\npolicies: [others]\nmode: enforce\n");
    sandbox.job("look", "action: check-quality\npolicies: [both]\n");
    sandbox
}

#[test]
fn a_job_needs_the_secrets_of_the_stores_that_it_touches_and_no_others() {
    let sandbox = sandbox();
    sandbox.steward(["run-job", "delete-marks"]).must_end(0);
    assert_eq!(sandbox.database.count("select count(*) from marks"), 0);
    for job in ["delete-others", "look"] {
        let ended = sandbox.steward(["run-job", job]).must_end(78);
        assert!(ended.stdout.contains("the environment has no variable `NOT_SET`"), "{ended}");
    }
    let planned = sandbox.steward(["plan", "delete-marks"]).must_end(0);
    assert!(planned.stdout.contains("delete-marks"), "{planned}");
    let doctor = sandbox.steward(["doctor"]).must_end(3);
    assert!(doctor.stdout.contains("NOT_SET`") && doctor.stdout.contains("NOT_SET_EITHER"), "{doctor}");
    let connected = sandbox.steward(["validate", "--connect"]);
    assert!(connected.code == Some(78) && connected.stdout.contains("NOT_SET"), "{connected}");
}

#[test]
fn a_hold_in_a_store_that_may_be_anywhere_keeps_rows_until_it_is_known_where() {
    let sandbox = sandbox();
    sandbox.policy("hold", "holds:\n  - { name: case, dataset: elsewhere.marks, because: litigation }\n");
    // Nobody knows whether `elsewhere` is the very same file.
    let ended = sandbox.steward(["run-job", "delete-marks"]).must_end(78);
    assert!(ended.stdout.contains("NOT_SET_EITHER"), "{ended}");
    assert_eq!(sandbox.database.count("select count(*) from marks"), 1);
    // It is.
    let held =
        sandbox.command(["run-job", "delete-marks"]).env("NOT_SET_EITHER", sandbox.database.url()).output().expect("it starts");
    assert_eq!(held.status.code(), Some(0));
    assert_eq!(sandbox.database.count("select count(*) from marks"), 1);
    // It is not, and says so.
    sandbox.write("other.db", "");
    let free = sandbox
        .command(["run-job", "delete-marks"])
        .env("NOT_SET_EITHER", "postgres://a@127.0.0.1:1/x")
        .output()
        .expect("it starts");
    assert_eq!(free.status.code(), Some(0), "{}", String::from_utf8_lossy(&free.stdout));
    assert_eq!(sandbox.database.count("select count(*) from marks"), 0);
}
