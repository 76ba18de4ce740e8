//! The check itself: what it measures, says and shows.

use super::stores::Two;
use crate::support::engine::Engine;
use chrono::Utc;
use std::sync::Arc;
use steward::action::{Context, Measured};
use steward::actions;
use steward::actions::checks;
use steward::declarations::reading::Declarations;
use steward::job::spec::{Job, Mode, ReportRule};
use steward::place::Place;
use steward::store::error::StoreFailure;

/// Measures the one check of a policy file.
fn measured(two: &Two, policy: &str) -> Result<Measured, StoreFailure> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("policies")).unwrap();
    std::fs::create_dir_all(folder.path().join("jobs")).unwrap();
    let config = "stores:\n  core: { url: \"${CORE}\" }\n  other: { url: \"${OTHER}\" }\n";
    std::fs::write(folder.path().join("steward.yaml"), config).unwrap();
    std::fs::write(folder.path().join("policies/p.yaml"), policy).unwrap();
    let variable = |name: &str| match name {
        "CORE" => Some(two.core.url()),
        "OTHER" => Some(two.other.url()),
        _ => None,
    };
    let read = Declarations::read(&folder.path().join("steward.yaml"), &variable, &actions::registry());
    let (declarations, _) = read.unwrap_or_else(|wrong| panic!("{}", wrong.render(false)));
    let job = Job {
        name: "hourly".into(),
        action: "check-quality".into(),
        policies: vec![],
        after: vec![],
        schedule: None,
        timezone: chrono_tz::UTC,
        budget: "1 minute".parse().ok(),
        pause: Default::default(),
        retry_after: None,
        mode: Mode::Observe,
        report: ReportRule::default(),
        place: Place::File { file: "j.yaml".into(), line: 1, column: 1 },
    };
    let policies = Arc::new(declarations.policies);
    let check = policies.checks[0].clone();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let cx = Context::new("run".into(), Arc::new(job), Arc::new(two.stores()), policies, vec![]);
        (checks::named("reference").unwrap().measure)(&cx, &check, Utc::now()).await
    })
}

fn fixture() -> Two {
    let two = Two::new(Engine::Mysql, Engine::Postgres);
    two.core.sql("CREATE TABLE users (id bigint PRIMARY KEY, email varchar(90)); INSERT INTO users VALUES (1, 'a@x.org'), (2, 'canary@x.org'), (3, 'c@x.org')");
    two.other.sql("CREATE TABLE embeddings (id bigint PRIMARY KEY, user_id bigint, email text); INSERT INTO embeddings VALUES (10, 1, 'a@x.org'), (11, 1, 'a@x.org'), (12, 7, 'c@x.org')");
    two
}

#[test]
fn both_ways_are_counted_and_told_apart() {
    let told = measured(
        &fixture(),
        "checks: [{ reference: { from: other.embeddings.user_id, to: core.users.id }, both_ways: true, settle: 1 s }]\n",
    )
    .unwrap();
    assert_eq!((told.value, told.of, told.nothing_seen), (3, Some(5), false));
    assert_eq!(told.samples, ["other.embeddings.user_id=7", "core.users.id=2", "core.users.id=3"]);
    assert_eq!(
        told.notes,
        [
            "1 of 2 ids of `other.embeddings.user_id` are missing in `core.users.id`",
            "2 of 3 ids of `core.users.id` are missing in `other.embeddings.user_id`",
            "3 ids were looked up again after 1 second",
        ]
    );
}

#[test]
fn samples_are_masked() {
    let told = measured(&fixture(), "checks: [{ reference: { from: core.users.email, to: other.embeddings.email } }]\n").unwrap();
    assert_eq!((told.value, told.of, told.samples.as_slice()), (1, Some(3), &["core.users.email=***".to_owned()][..]));
    let text = format!("{told:?}");
    assert!(!text.contains("canary"), "{text}");
    let none =
        measured(&fixture(), "checks: [{ reference: { from: core.users.email, to: other.embeddings.email }, samples: 0 }]\n")
            .unwrap();
    assert!(none.samples.is_empty() && none.value == 1);
}

#[test]
fn two_empty_sides_are_no_pass() {
    let two = fixture();
    two.core.sql("DELETE FROM users");
    let told = measured(&two, "checks: [{ reference: { from: other.embeddings.user_id, to: core.users.id } }]\n").unwrap();
    assert_eq!((told.value, told.nothing_seen), (2, false));
    assert!(told.notes.contains(&"`core.users.id` has no ids at all".to_owned()), "{:?}", told.notes);
    two.other.sql("DELETE FROM embeddings");
    let told = measured(&two, "checks: [{ reference: { from: other.embeddings.user_id, to: core.users.id } }]\n").unwrap();
    assert_eq!((told.value, told.of, told.nothing_seen), (0, Some(0), true));
}

#[test]
fn nothing_to_compare_is_no_pass_and_null_points_nowhere() {
    let two = fixture();
    two.other.sql("UPDATE embeddings SET user_id = NULL");
    let one_way = "checks: [{ reference: { from: other.embeddings.user_id, to: core.users.id } }]\n";
    let told = measured(&two, one_way).unwrap();
    assert_eq!((told.value, told.of, told.nothing_seen), (0, Some(0), false));
    assert!(told.notes.contains(&"3 of `other.embeddings.user_id` have no id".to_owned()), "{:?}", told.notes);
    two.other.sql("DELETE FROM embeddings");
    assert!(measured(&two, one_way).unwrap().nothing_seen, "nothing was looked at");
    let both = measured(&two, &one_way.replace(" } }]", " }, both_ways: true }]")).unwrap();
    assert_eq!((both.value, both.of, both.nothing_seen), (3, Some(3), false));
}

#[test]
fn a_wait_that_the_job_has_no_time_for_is_refused() {
    let failure = measured(
        &fixture(),
        "checks: [{ reference: { from: core.users.id, to: other.embeddings.user_id }, settle: 5 minutes }]\n",
    )
    .unwrap_err();
    assert!(failure.to_string().contains("longer than the budget"), "{failure}");
}
