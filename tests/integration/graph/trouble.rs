//! A store that refuses, falls silent, or whose answer never comes.

use super::users_fixture::{context, count, graph, open, policy, users};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};
use steward::action::{Action, Batch, OpenBatch};
use steward::actions::delete::DeleteRows;
use steward::report::run::Verdict;
use steward::store::error::StoreFailure;

#[test]
fn a_wrong_password_fails_and_is_named_nowhere() {
    let sandbox = open();
    policy(&sandbox, "");
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).expect("the configuration");
    sandbox.write("steward.yaml", &config.replace("STEWARD_SANDBOX_GRAPH_PASSWORD", "WRONG_PASSWORD"));
    let run = |words: &[&str]| {
        let mut command = sandbox.command(words.iter().copied());
        crate::support::sandbox::Ended::from(command.env("WRONG_PASSWORD", "canary-4471").output().expect("the binary starts"))
    };
    for words in [&["run-job", "clean-graph"][..], &["doctor"]] {
        let ended = run(words).must_end(if words[0] == "doctor" { 3 } else { 78 });
        assert!(ended.stdout.contains("the user or the password is wrong"), "{ended}");
        assert!(!ended.stdout.contains("canary") && !ended.stderr.contains("canary"), "{ended}");
    }
}

#[test]
fn doctor_tells_who_answers() {
    let sandbox = open();
    let told = sandbox.steward(["doctor"]);
    assert!(told.stdout.contains("Neo4j 5") && told.stdout.contains("store graph: TLS"), "{told}");
}

#[test]
fn a_server_that_accepts_and_never_answers_ends_within_seconds() {
    let sandbox = open();
    policy(&sandbox, "");
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).expect("the configuration");
    let address = silent.local_addr().expect("an address").to_string();
    sandbox.write("steward.yaml", &config.replace(&graph(&sandbox).address.host, &address));
    let began = Instant::now();
    let ended = sandbox.steward(["run-job", "clean-graph"]).must_end(75);
    assert!(ended.stdout.contains("is away: no answer in 8 s"), "{ended}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn a_server_that_is_not_there_is_away_at_once() {
    let sandbox = open();
    policy(&sandbox, "");
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).expect("the configuration");
    sandbox.write("steward.yaml", &config.replace(&graph(&sandbox).address.host, "127.0.0.1:1"));
    let began = Instant::now();
    let ended = sandbox.steward(["run-job", "clean-graph"]).must_end(75);
    assert!(ended.stdout.contains("is away"), "{ended}");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

/// The runner writes the outcome after the commit: kill -9 between the two, and the next run asks the store.
#[test]
fn a_crash_at_any_moment_loses_and_doubles_nothing() {
    let sandbox = open();
    policy(&sandbox, "");
    graph(&sandbox).seed("CREATE CONSTRAINT id{{graph}} FOR (n:User{{graph}}) REQUIRE n.id IS UNIQUE;");
    users(&sandbox, 12_000);
    let mut kills = 0;
    for moment in [60, 90, 120, 150, 180, 210, 240, 270, 300, 330, 360, 390] {
        let mut run = sandbox.command(["run-job", "clean-graph", "--as-of", "2026-05-01"]);
        let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
        std::thread::sleep(Duration::from_millis(moment));
        kills += u64::from(run.try_wait().expect("its state").is_none());
        run.kill().ok();
        run.wait().expect("its end");
    }
    assert!(kills > 3, "only {kills} kills: this proves too little");
    sandbox.steward(["run-job", "clean-graph", "--as-of", "2026-05-01"]).must_end(0);
    assert_eq!(count(&sandbox), 3);
    sandbox.steward(["audit", "verify"]).must_end(0);
}

/// The run died, and its COMMIT is still under way: it is waited for, and what it comes to is told.
#[test]
fn a_commit_under_way_is_waited_for_and_never_guessed() {
    let sandbox = open();
    policy(&sandbox, "");
    users(&sandbox, 3);
    let cx = context(&sandbox);
    let label = graph(&sandbox).label("User");
    let address = graph(&sandbox).address.clone();
    let config = neo4rs::ConfigBuilder::default().uri(graph(&sandbox).url()).user(address.user).password(address.password);
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime").block_on(async {
        let other = neo4rs::Graph::connect(config.build().expect("settings")).expect("a driver");
        let target = DeleteRows::targets(&cx.job, &cx.policies).remove(0);
        let as_of = "2026-05-01T00:00:00Z".parse().expect("an instant");
        let action = DeleteRows::prepare(&cx, &target, as_of).await.expect("prepared");
        let page = action.next(&cx, None, 10).await.expect("a page").expect("nodes");
        action.begin(&cx).await.expect("begun");
        let open = OpenBatch { id: "b".into(), before: action.last_batch() };
        let mark = format!("MATCH (m:StewardBatch) WHERE m.dataset ENDS WITH '{label}' SET m.batch = 'b'");
        let delete = format!("MATCH (n:{label}) WHERE n.id <= 3 DELETE n");

        // It never ends: nothing is claimed.
        let mut dead = other.start_txn().await.expect("a transaction");
        dead.run(mark.as_str()).await.expect("the mark");
        dead.run(delete.as_str()).await.expect("locks");
        let failure = action.settle(&cx, &open).await.expect_err("busy");
        assert!(matches!(failure, StoreFailure::Busy { .. }), "{failure}");
        dead.rollback().await.expect("rolled back");
        assert_eq!(action.settle(&cx, &open).await.expect("a verdict"), Verdict::RolledBack);
        // Should it live after all, it commits nothing.
        let failure = action.apply(&cx, &Batch { id: "b".into(), page }).await.expect_err("settled");
        assert!(matches!(&failure, StoreFailure::Refused { code, .. } if code.as_str() == "SW5011"), "{failure}");
        assert_eq!(action.settle(&cx, &open).await.expect("a verdict"), Verdict::RolledBack, "asked a second time");

        // It commits while somebody waits for it.
        action.begin(&cx).await.expect("begun");
        let open = OpenBatch { before: action.last_batch(), ..open };
        let mut dead = other.start_txn().await.expect("a transaction");
        dead.run(mark.as_str()).await.expect("the mark");
        dead.run(delete.as_str()).await.expect("locks");
        let ends = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            dead.commit().await.expect("committed");
        };
        let (verdict, ()) = tokio::join!(action.settle(&cx, &open), ends);
        assert_eq!(verdict.expect("a verdict"), Verdict::Applied);
    });
}

/// Counted, and not removed: the instant that the cutoff is counted from lies ahead of both clocks.
#[test]
fn a_time_that_has_not_come_removes_no_node() {
    let sandbox = open();
    policy(&sandbox, "");
    users(&sandbox, 3);
    let cx = context(&sandbox);
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime").block_on(async {
        let target = DeleteRows::targets(&cx.job, &cx.policies).remove(0);
        let action = DeleteRows::prepare(&cx, &target, chrono::Utc::now() + chrono::TimeDelta::days(90)).await.expect("prepared");
        assert!(action.survey(&cx).await.expect("counted").due >= 3);
        let page = action.next(&cx, None, 10).await.expect("a page").expect("nodes");
        for failure in [action.begin(&cx).await.err(), action.apply(&cx, &Batch { id: "b".into(), page }).await.err()] {
            let failure = failure.expect("refused");
            assert!(matches!(&failure, StoreFailure::Refused { code, .. } if code.as_str() == "SW5010"), "{failure}");
        }
    });
    assert_eq!(count(&sandbox), 6);
}
