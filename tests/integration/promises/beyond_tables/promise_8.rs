//! One store down never stops the others, and is never reported as success: tables, keys and nodes in one job, one store dead
//! from the start, one frozen in the middle.

use super::setup::{by_line, in_a_batch, last_subject, mailing, rewrite, short_limits, with_mail};
use crate::graph::users_fixture as nodes;
use crate::keys::reach::Own;
use crate::keys::setup::{keys, sandbox};
use crate::promises::dead_port;
use crate::promises::fault_proxy::{Line, Mood};
use crate::promises::orders_fixture;
use crate::service::{Serving, get, until};
use crate::support::database::Database;
use crate::support::engine::Engine;
use crate::support::keyspace::{KeyServer, Keyspace};
use crate::support::sandbox::{Ended, Sandbox, URL};
use crate::support::wait::at_once;
use serde_json::Value;
use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// However a store is down, a job ends within this.
const AT_MOST: Duration = Duration::from_secs(120);

/// Five stores: `core` on PostgreSQL, `cache`, `graph`, `small` on SQLite, and `dead`, which nobody answers for.
struct Five {
    sandbox: Sandbox,
    small: Database,
    to: String,
}

fn five() -> Five {
    let mut sandbox = Sandbox::new(Engine::Postgres);
    sandbox.add_cache(KeyServer::Redis);
    sandbox.add_graph();
    let to = with_mail(&sandbox, "away");
    let small = Database::new(Engine::Sqlite, &sandbox.path("jobs").with_file_name("policies"));
    short_limits(&sandbox);
    rewrite(
        &sandbox,
        &format!("{{ env: {URL} }} }}"),
        &format!("{{ env: {URL} }}, statement_timeout: 3 s, lock_timeout: 2 s }}"),
    );
    let more =
        format!("  small: {{ url: \"{}\" }}\n  dead: {{ url: \"redis://127.0.0.1:{}\" }}\nstate:", small.url(), dead_port());
    rewrite(&sandbox, "state:", &more);
    sandbox.sql(&orders_fixture::tables(Engine::Postgres, "orders"));
    orders_fixture::fill(&sandbox, 3_000);
    small.sql("create table marks (id integer primary key, created_at text)");
    small.sql("insert into marks values (1, '2020-01-01 00:00:00'), (2, '2020-01-02 00:00:00')");
    nodes::users(&sandbox, 6_000);
    keys(&sandbox).ask::<Option<i64>>("EVAL \"for i = 1, 20000 do redis.call('SET', 'c:' .. i, i) end\" 0");
    Five { sandbox, small, to }
}

impl Five {
    /// Puts a line before one of them.
    fn line(&self, store: &str) -> Line {
        match store {
            "core" => Line::to(&self.sandbox.database.url()),
            "cache" => by_line(&self.sandbox, &keys(&self.sandbox).address.host),
            _ => by_line(&self.sandbox, &nodes::graph(&self.sandbox).address.host),
        }
    }

    /// Starts a job by way of the line, and what became of it. `freezes` says when the line falls silent.
    fn run(&self, job: &str, line: &Line, freezes: impl FnOnce(&mut std::process::Child)) -> (Ended, Duration) {
        let mut run = mailing(&self.sandbox, ["run-job", job, "--json"]);
        // Of the stores only PostgreSQL has its whole address in the environment.
        if std::fs::read_to_string(self.sandbox.path("steward.yaml")).expect("the configuration").contains(&line.host()) {
            run.env(URL, self.sandbox.database.url());
        } else {
            run.env(URL, line.url(&self.sandbox.database.url()));
        }
        let mut run = run.spawn().expect("the binary starts");
        freezes(&mut run);
        let began = Instant::now();
        let ended = Ended::from(run.wait_with_output().expect("its end"));
        (ended, began.elapsed())
    }
}

fn outcomes<'r>(report: &'r Value, store: &str) -> Vec<&'r Value> {
    let findings = report["findings"].as_array().expect("findings").iter();
    findings.filter(|finding| finding["check"].as_str().is_some_and(|name| name.starts_with(store))).collect()
}

#[test]
fn one_store_down_never_stops_the_checks_of_the_others() {
    at_once(["core", "cache", "graph"], |frozen| {
        let five = five();
        let label = nodes::graph(&five.sandbox).label("User");
        let looks = [
            ("core", "dataset: core.orders, row_count: true, fail: \"< 1\"".to_owned()),
            ("cache", "dataset: cache, without_ttl: \"*\", warn: \"> 1000000\"".to_owned()),
            ("graph", format!("dataset: graph.{label}, row_count: true, fail: \"< 1\"")),
            ("small", "dataset: small.marks, row_count: true, fail: \"< 1\"".to_owned()),
            ("dead", "dataset: dead, without_ttl: \"*\", warn: \"> 0\"".to_owned()),
        ];
        let line_of =
            |(store, look): &(&str, String)| (1..=3).map(|n| format!("  - {{ name: {store}-{n}, {look} }}\n")).collect();
        let checks: Vec<String> = looks.iter().map(line_of).collect();
        five.sandbox.policy("checks", &format!("checks:\n{}", checks.concat()));
        five.sandbox.job("check", "action: check-quality\npolicies: [\"*\"]\nreport: { when: always }\n");
        let line = five.line(frozen);
        line.become_(Mood::Slow);

        let (whole, _) = five.run("check", &line, |_| {});
        let report = whole.must_end(3).json();
        for store in ["core", "cache", "graph", "small"] {
            assert!(outcomes(&report, store).iter().all(|finding| finding["outcome"] == "pass"), "{report:#}");
        }
        let half = line.passed() / 2;
        let at_first = line.passed();
        let (told, took) = five.run("check", &line, |run| {
            while line.passed() < at_first + half && run.try_wait().expect("its state").is_none() {
                std::thread::sleep(Duration::from_micros(200));
            }
            line.become_(Mood::Silent);
        });
        assert!(took < AT_MOST, "{frozen}: it took {took:?}");
        let report = told.must_end(3).json();
        assert_eq!(report["outcome"], "partial", "{frozen}: {report:#}");
        for store in ["core", "cache", "graph", "small"].into_iter().filter(|store| *store != frozen) {
            assert!(outcomes(&report, store).iter().all(|finding| finding["outcome"] == "pass"), "{frozen}: {report:#}");
        }
        for store in [frozen, "dead"] {
            let last = outcomes(&report, store)[2];
            assert_eq!((&last["outcome"], &last["silent"]), (&"error".into(), &store.into()), "{frozen}: {report:#}");
            assert!(last["value"].is_null() && last["reason"]["weight"] == "temporary", "{frozen}: {last}");
        }
        let subject = last_subject(&five.to);
        assert!(subject.starts_with("steward: check PARTIAL: ") && subject.contains("gave no answer"), "{frozen}: {subject}");
    });
}

#[test]
fn one_store_down_never_stops_removal_in_the_others() {
    at_once(["core", "graph"], |frozen| {
        let five = five();
        let label = nodes::graph(&five.sandbox).label("User");
        let rule = |name: &str, dataset: &str| {
            format!(
                "  - {{ name: {name}, dataset: {dataset}, clock: created_at, delete: {{ after: 2 years }}, guard: {{ max_percent: 100 }} }}\n"
            )
        };
        let rules =
            [rule("core", "core.orders"), rule("graph", &format!("graph.{label}")), rule("small", "small.marks")].concat();
        five.sandbox.policy("all", &format!("lifecycle:\n{rules}"));
        let others = if frozen == "core" { "graph, small" } else { "core, small" };
        five.sandbox.job(
            "delete",
            &format!("action: delete\npolicies: [{frozen}, {others}]\nmode: enforce\nreport: {{ when: always }}\n"),
        );
        if frozen == "core" {
            orders_fixture::slow_down(&five.sandbox, "orders", "DELETE");
        }
        let line = five.line(frozen);
        line.become_(Mood::Slow);
        let (told, took) = five.run("delete", &line, |run| {
            assert!(in_a_batch(&five.sandbox, "delete", run), "{frozen}: it was over before it froze");
            line.become_(Mood::Silent);
        });
        assert!(took < AT_MOST, "{frozen}: it took {took:?}");
        let report = told.must_end(3).json();
        let of = |policy: &str| {
            let datasets = report["datasets"].as_array().expect("datasets");
            datasets.iter().find(|one| one["policy"] == policy).unwrap_or_else(|| panic!("{report:#}")).clone()
        };
        assert_ne!(of(frozen)["outcome"], "done", "{report:#}");
        assert_eq!(of("small")["removed"], 2, "{frozen}: {report:#}");
        assert_eq!(five.small.count("select count(*) from marks"), 0);
        let other = if frozen == "core" { of("graph") } else { of("core") };
        assert_eq!(other["removed"], if frozen == "core" { 6_000 } else { 3_000 }, "{frozen}: {report:#}");
        let subject = last_subject(&five.to);
        assert!(subject.starts_with("steward: delete PARTIAL: "), "{frozen}: {subject}");

        // It thaws; the next night does the rest, and nothing but it.
        line.become_(Mood::Open);
        let (next, _) = five.run("delete", &line, |_| {});
        next.must_end(0);
        assert_eq!((nodes::count(&five.sandbox), orders_fixture::orders(&five.sandbox)), (3, 5), "{frozen}");
        assert_eq!(orders_fixture::open_batches(&five.sandbox, "delete"), []);
        orders_fixture::must_be_whole(&five.sandbox);
    });
}

#[test]
fn one_store_down_never_stops_the_sweep_of_the_others() {
    let five = five();
    let spare = Keyspace::new(KeyServer::Valkey);
    let (url, password) = (spare.url(), &spare.address.password);
    five.sandbox.write("spare", password);
    rewrite(&five.sandbox, "state:", &format!("  spare: {{ url: \"{url}\", password: {{ file: spare }} }}\nstate:"));
    spare.seed("SET c:1 1\nSET c:2 1\n");
    let rule = |store: &str| {
        format!("  - {{ name: {store}, store: {store}, keys: \"c:*\", ttl: 1 h, guard: {{ max_percent: 100 }} }}\n")
    };
    five.sandbox.policy("caches", &format!("cache:\n{}", ["dead", "cache", "spare"].map(rule).concat()));
    five.sandbox.job("sweep", "action: sweep-cache\npolicies: [\"*\"]\nmode: enforce\nreport: { when: always }\n");
    five.sandbox.job("cache-only", "action: sweep-cache\npolicies: [cache]\nmode: enforce\nreport: { when: always }\n");
    let line = five.line("cache");
    line.become_(Mood::Slow);
    let (told, took) = five.run("sweep", &line, |run| {
        assert!(in_a_batch(&five.sandbox, "sweep", run), "it was over before it froze");
        line.become_(Mood::Silent);
    });
    assert!(took < AT_MOST, "it took {took:?}");
    let report = told.must_end(3).json();
    let swept = |policy: &str| {
        let datasets = report["datasets"].as_array().expect("datasets");
        datasets.iter().find(|one| one["policy"] == policy).unwrap_or_else(|| panic!("{report:#}")).clone()
    };
    assert_eq!((&swept("spare")["ttl_set"], &swept("dead")["outcome"]), (&2.into(), &"temporary".into()), "{report:#}");
    assert_ne!(swept("cache")["outcome"], "done", "{report:#}");
    assert!(swept("dead")["due"].is_null(), "nothing is known of it, not even that there is nothing: {report:#}");
    assert!(last_subject(&five.to).starts_with("steward: sweep PARTIAL: "), "{}", last_subject(&five.to));

    // Frozen from the start, and alone: nothing was done, and it says so.
    let (alone, took) = five.run("cache-only", &line, |_| {});
    assert!(took < AT_MOST, "it took {took:?}");
    assert_eq!(alone.must_end(75).json()["outcome"], "temporary");
    let subject = last_subject(&five.to);
    assert!(subject.starts_with("steward: cache-only TEMPORARY: ") && subject.contains("cache"), "{subject}");
    line.become_(Mood::Open);
    let (next, _) = five.run("cache-only", &line, |_| {});
    next.must_end(0);
    let endless = keys(&five.sandbox).dump().lines().filter(|line| line.contains(" string - ")).count();
    assert_eq!(endless, 0, "the next run does the rest");
}

/// A Redis of its own that holds this many keys without a time to live, as the store `cache` of a sandbox.
fn own(count: u64, more: &str) -> (Own, Sandbox) {
    let own = Own::start(&[]);
    let sandbox = sandbox(
        KeyServer::Redis,
        "cache: [{ store: cache, keys: \"c:*\", ttl: 1 h, guard: { max_rows: 1000000, max_percent: 100 } }]\n",
    );
    own.takes_over(&sandbox);
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).expect("the configuration");
    sandbox.write("steward.yaml", &(config + more));
    let fill = format!("for i = 1, {count} do redis.call('SET', 'c:' .. i, i) end");
    own.ask::<Option<i64>>(&["EVAL", &fill, "0"]);
    (own, sandbox)
}

/// Not on the wire alone: the process itself stands still, in the midst of a sweep.
#[test]
fn one_store_down_is_never_success_when_its_process_is_stopped_in_the_middle() {
    let (own, sandbox) = own(200_000, "");
    let mut run = sandbox.command(["run-job", "sweep", "--json"]);
    let mut run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    assert!(in_a_batch(&sandbox, "sweep", &mut run), "it was over before it was stopped");
    own.signal("-STOP");
    let began = Instant::now();
    let told = Ended::from(run.wait_with_output().expect("its end"));
    let took = began.elapsed();
    own.signal("-CONT");
    assert!(took < AT_MOST, "it took {took:?}");
    assert!(matches!(told.code, Some(3 | 75)), "{told}");
    assert!(told.json()["datasets"][0]["reasons"].to_string().contains("`cache`"), "{told}");
    let next = sandbox.steward(["run-job", "sweep", "--json"]).must_end(0).json();
    assert_eq!(next["datasets"][0]["debt"]["rows"], 0, "{next:#}");
    let endless = "local n, c = 0, '0' repeat local p = redis.call('SCAN', c, 'COUNT', 10000) c = p[1] for _, k in ipairs(p[2]) do if redis.call('PTTL', k) < 0 then n = n + 1 end end until c == '0' return n";
    assert_eq!(own.ask::<u64>(&["EVAL", endless, "0"]), 0);
    orders_fixture::must_be_whole(&sandbox);
}

/// Under `serve`: the tick of a job on a frozen store delays no other's, and the job is tried again.
#[test]
fn one_store_down_never_stops_the_clock_of_the_others() {
    let (own, sandbox) = own(10, "mail: { url: \"file:mail/\", from: \"steward@example.com\", to: [\"dpo@example.com\"] }\n");
    sandbox
        .sql("create table marks (id integer primary key, created_at text); insert into marks values (1, '2020-01-01 00:00:00')");
    rewrite(&sandbox, "sqlite:core.db", &sandbox.database.url());
    sandbox.policy("marks", "lifecycle:\n  - { name: marks, dataset: core.marks, clock: created_at, delete: { after: 1 year }, guard: { max_percent: 100 } }\n");
    // The next minute that is far enough away; the one after it comes tomorrow.
    let minute = chrono::Utc::now() + chrono::Duration::seconds(75);
    let schedule = format!("schedule: \"{}\"\n", minute.format("%-M %-H * * *"));
    sandbox.job("marks", &format!("action: delete\npolicies: [marks]\nmode: enforce\n{schedule}"));
    sandbox
        .job("sweep", &format!("action: sweep-cache\npolicies: [\"*\"]\nmode: enforce\nreport: {{ when: always }}\n{schedule}"));
    let port = TcpListener::bind("127.0.0.1:0").expect("a spare port").local_addr().expect("an address").port();
    let listen = format!("127.0.0.1:{port}");
    let serve = sandbox.command(["serve", "--listen", &listen]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let _serve = Serving(serve.expect("the binary starts"));
    until("/readyz", Duration::from_secs(20), || get(port, "/readyz").is_some_and(|answer| answer.contains(" 200 ")));
    own.signal("-STOP");
    let runs = |job: &str| {
        let told = sandbox.steward(["runs", "--job", job, "--json"]).must_end(0).json();
        told["runs"][0].clone()
    };
    until("the others' work", Duration::from_secs(90), || runs("marks")["ended"].is_string());
    assert!(runs("sweep")["ended"].is_null(), "the frozen one is under way: {:#}", runs("sweep"));
    let ended: chrono::DateTime<chrono::Utc> = runs("marks")["ended"].as_str().expect("a time").parse().expect("a time");
    let late = ended.timestamp() - minute.timestamp() / 60 * 60;
    assert!((0..10).contains(&late), "it was {late} s late");
    assert_eq!(sandbox.database.count("select count(*) from marks"), 0);
    until("the end of the frozen one", AT_MOST, || runs("sweep")["ended"].is_string());
    let sweep = runs("sweep");
    assert_eq!((&sweep["outcome"], &sweep["exit"]), (&"temporary".into(), &75.into()), "{sweep:#}");
    until("the retry", Duration::from_secs(10), || get(port, "/").is_some_and(|page| page.contains("retrying")));
    own.signal("-CONT");
}
