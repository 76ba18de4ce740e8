//! One store down never stops the others, and is never reported as success.

use super::fault_proxy::{Line, Mood, black_hole, dead_port};
use super::orders_fixture;
use crate::support::engine::Engine;
use crate::support::sandbox::{Sandbox, URL};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// However a store is down, a run over one dataset of it ends within this.
const AT_MOST: Duration = Duration::from_secs(30);

on_every_engine!(one_store_down_never_stops_the_others, |engine: Engine| {
    let (_silent, silent_port) = black_hole();
    let kinds = [
        ("a dead port, PostgreSQL", format!("postgres://steward@127.0.0.1:{}/x", dead_port())),
        ("a dead port, MySQL", format!("mysql://steward@127.0.0.1:{}/x", dead_port())),
        ("a port that never answers, PostgreSQL", format!("postgres://steward@127.0.0.1:{silent_port}/x")),
        ("a port that never answers, MySQL", format!("mysql://steward@127.0.0.1:{silent_port}/x")),
        ("a host that is not there", "postgres://steward@nowhere.invalid/x".to_owned()),
        ("a file that is not there", "sqlite:nowhere/shop.db".to_owned()),
    ];
    // Each kind beside SQLite; beside the servers the worst one.
    let kinds = if engine == Engine::Sqlite { &kinds[..] } else { &kinds[2..3] };
    for (what, url) in kinds {
        let sandbox = with_a_second_store(engine, url);
        let began = Instant::now();
        let told = sandbox.steward(["run-job", "both", "--json"]);
        assert!(began.elapsed() < AT_MOST, "{what}: it took {:?}", began.elapsed());
        assert_eq!(told.code, Some(3), "{what}: {told}");
        let report = told.json();
        assert_eq!(report["datasets"][1]["removed"], 20, "{what}: the other was not done: {told}");
        assert_eq!(report["datasets"][0]["outcome"], "temporary", "{what}: {told}");
        let why = report["datasets"][0]["reasons"].to_string();
        assert!(why.contains("`down`"), "{what}: the store is not named: {told}");
        assert!(report["datasets"][0]["due"].is_null(), "{what}: nothing is known of it, not even that there is nothing: {told}");
        assert_eq!(orders_fixture::orders(&sandbox), 5);

        // Alone, it is temporary: nothing was done.
        if engine != Engine::Sqlite {
            continue;
        }
        let alone = sandbox.steward(["run-job", "down-only", "--json"]).must_end(75);
        assert!(began.elapsed() < AT_MOST * 2, "{what}: it took {:?}", began.elapsed());
        assert_eq!(alone.json()["outcome"], "temporary");
        let plan = sandbox.steward(["plan", "down-only"]);
        assert_eq!(plan.code, Some(75), "{what}: a plan that saw nothing is no plan: {plan}");
    }
});

/// In the middle of a batch the server says nothing any more: the run ends in time, and the next one finishes.
#[test]
fn a_store_that_falls_silent_in_the_middle() {
    on_every_server(|engine| {
        let sandbox = orders_fixture::open_with(engine, 3_000);
        orders_fixture::make_archive(&sandbox);
        let before = orders_fixture::everything(&sandbox);
        orders_fixture::slow_down(&sandbox, "orders", "DELETE");
        let line = by_line(&sandbox);
        let run = sandbox
            .command(["run-job", "archive-orders", "--json"])
            .env(URL, line.url(&sandbox.database.url()))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let run = run.expect("the binary starts");
        let began = Instant::now();
        while orders_fixture::open_batches(&sandbox, "archive-orders").is_empty() {
            assert!(began.elapsed() < Duration::from_secs(20), "no batch was begun");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(20));
        line.become_(Mood::Silent);
        let fell = Instant::now();
        let told: crate::support::sandbox::Ended = run.wait_with_output().expect("its end").into();
        assert!(fell.elapsed() < AT_MOST * 4, "it took {:?}", fell.elapsed());
        assert!(matches!(told.code, Some(3 | 75)), "{told}");
        finishes(&sandbox, &before);
    });
}

/// The COMMIT arrives, its answer does not: nothing is claimed, and the next run looks.
#[test]
fn a_commit_that_is_never_answered_is_settled_by_looking() {
    on_every_server(|engine| {
        let sandbox = orders_fixture::open_with(engine, 800);
        orders_fixture::make_archive(&sandbox);
        let before = orders_fixture::everything(&sandbox);
        let line = by_line(&sandbox);
        line.become_(Mood::SwallowsCommits);
        let began = Instant::now();
        let told: crate::support::sandbox::Ended = sandbox
            .command(["run-job", "archive-orders", "--json"])
            .env(URL, line.url(&sandbox.database.url()))
            .output()
            .expect("its end")
            .into();
        assert!(line.is(Mood::Silent), "no COMMIT was sent: {told}");
        assert!(began.elapsed() < AT_MOST * 4, "it took {:?}", began.elapsed());
        assert!(matches!(told.code, Some(3 | 75)), "{told}");
        assert_eq!(
            orders_fixture::open_batches(&sandbox, "archive-orders").len(),
            1,
            "the batch whose end is not known stays open: {told}"
        );
        assert_eq!(orders_fixture::orders(&sandbox), 5, "the commit arrived");
        let next = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(0).json();
        assert_eq!(next["settled"][0]["verdict"], "applied", "{next:#}");
        finishes(&sandbox, &before);
    });
}

/// All at once: there is more waiting in it than work.
fn on_every_server(check: impl Fn(Engine) + Sync) {
    std::thread::scope(|scope| {
        let servers = [Engine::Postgres, Engine::Mysql, Engine::Mariadb];
        let running = servers.map(|engine| {
            scope.spawn({
                let check = &check;
                move || check(engine)
            })
        });
        for checked in running {
            checked.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
}

/// Twenty orders here, and a second store at `url` that is asked first.
fn with_a_second_store(engine: Engine, url: &str) -> Sandbox {
    let sandbox = orders_fixture::open_with(engine, 20);
    sandbox.write(
        "steward.yaml",
        &format!(
            "stores:\n  core: {{ url: {{ env: {URL} }} }}\n  down: {{ url: \"{url}\" }}\nstate: state/\nledger: \"sqlite:state/steward.db\"\npolicies: [policies/]\njobs: jobs/\n"
        ),
    );
    sandbox.policy("down", &orders_fixture::policy("").replace("core.", "down.").replace("name: orders", "name: a-down"));
    sandbox.job("both", "action: archive\npolicies: [a-down, orders]\nmode: enforce\n");
    sandbox.job("down-only", "action: archive\npolicies: [a-down]\nmode: enforce\n");
    sandbox
}

/// Short limits, so that the test need not wait long.
fn by_line(sandbox: &Sandbox) -> Line {
    sandbox.write(
        "steward.yaml",
        &format!(
            "stores:\n  core: {{ url: {{ env: {URL} }}, statement_timeout: 3 s, lock_timeout: 2 s }}\nstate: state/\nledger: \"sqlite:state/steward.db\"\npolicies: [policies/]\njobs: jobs/\n"
        ),
    );
    Line::to(&sandbox.database.url())
}

fn finishes(sandbox: &Sandbox, before: &[String]) {
    sandbox.steward(["run-job", "archive-orders"]).must_end(0);
    assert_eq!(orders_fixture::everything(sandbox), before);
    assert_eq!(orders_fixture::orders(sandbox), 5);
    assert_eq!(orders_fixture::open_batches(sandbox, "archive-orders"), []);
    orders_fixture::must_be_whole(sandbox);
}
