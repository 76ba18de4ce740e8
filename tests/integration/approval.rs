//! A plan is approved for something, once: a database, a schema, an account, a time that has come. And a run says who started it.

use crate::promises::orders_fixture;
use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox, URL};
use serde_json::Value;
use steward::ledger::event::Event;

/// An orders fixture whose guard lets ten of twenty due orders go, and a plan of all of them.
fn planned(engine: Engine) -> Sandbox {
    let sandbox = orders_fixture::open_with(engine, 20);
    sandbox.policy("orders", &orders_fixture::policy("").replace("max_rows: 10000000", "max_rows: 10"));
    sandbox.steward(["plan", "archive-orders", "--out", "approved.plan"]).must_end(0);
    sandbox
}

const APPROVED: [&str; 5] = ["run-job", "archive-orders", "--plan", "approved.plan", "--json"];

/// It is refused, says why, and nothing was touched.
#[track_caller]
fn refused(sandbox: &Sandbox, ended: Ended, why: &str) {
    let ended = ended.must_end(4);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(said.contains(why), "`{why}` is not said: {ended}");
    assert_eq!(orders_fixture::orders(sandbox), 25, "{ended}");
}

/// The plan with another step or time, sealed anew: whoever can write the file can write its hash too.
fn sealed_anew(sandbox: &Sandbox, edit: impl Fn(&mut Value)) {
    use steward::runner::approval::{Plan, PlanFile};
    let text = std::fs::read_to_string(sandbox.path("approved.plan")).expect("a plan");
    let mut file: Value = serde_json::from_str(&text).expect("an object");
    edit(&mut file["plan"]);
    let plan: Plan = serde_json::from_value(file["plan"].clone()).expect("a plan");
    sandbox.write("approved.plan", &serde_json::to_string(&PlanFile::seal(plan).expect("a seal")).expect("text"));
}

mod a_time_that_has_not_come_never_reaches_a_removal {
    use super::*;

    on_every_engine!(by_a_plan, |engine: Engine| {
        let sandbox = orders_fixture::open_with(engine, 20);
        sandbox.sql("UPDATE orders SET created_at = '2090-01-01 00:00:00' WHERE id < 900000");
        let words = ["plan", "archive-orders", "--as-of", "2099-01-01", "--out", "approved.plan"];
        let ended = sandbox.steward(words).must_end(0);
        assert!(ended.stderr.contains("for looking only") && ended.stderr.contains("SW5020"), "{ended}");
        refused(&sandbox, sandbox.steward([&APPROVED[..], &["--yes"]].concat()), "SW5020");
        // The flag alone is refused as ever, and looking is allowed.
        sandbox.steward(["run-job", "archive-orders", "--as-of", "2099-01-01"]).must_end(2);
        sandbox.steward(["run-job", "archive-orders", "--as-of", "2099-01-01", "--dry-run"]).must_end(0);
        assert_eq!(orders_fixture::orders(&sandbox), 25);
    });

    #[test]
    fn by_the_cutoff_of_one_step() {
        let sandbox = planned(Engine::Sqlite);
        sealed_anew(&sandbox, |plan| plan["steps"][0]["cutoff"] = "2098-01-01T00:00:00Z".into());
        refused(&sandbox, sandbox.steward(APPROVED), "SW5020");
    }

    on_every_engine!(by_a_pass_that_was_begun_while_the_clock_was_ahead, |engine: Engine| {
        use steward::ledger::Ledger;
        let sandbox = orders_fixture::open_with(engine, 9_000);
        orders_fixture::make_archive(&sandbox);
        orders_fixture::slow_down(&sandbox, "orders", "DELETE");
        orders_fixture::slow_down(&sandbox, "orders_archive", "INSERT");
        sandbox.job("archive-orders", &(orders_fixture::job("archive") + "budget: 1 s\n"));
        // On a busy machine the second may be over before the first batch.
        let has_begun = async |ledger: &Ledger| {
            ledger.checkpoint("archive-orders", "core.orders", "orders").await.expect("an answer").is_some()
        };
        for _ in 0..20 {
            sandbox.steward(["run-job", "archive-orders"]).must_end(0);
            if orders_fixture::ask(&sandbox, has_begun) {
                break;
            }
        }
        let left = orders_fixture::orders(&sandbox);
        assert!(left > 5);
        // What a clock that is years ahead would have left behind, by the ledger's own hand.
        orders_fixture::wait(async {
            let ledger = Ledger::open(&sandbox.path("state/steward.db")).await.expect("a ledger");
            let run = ledger.last_run("archive-orders").await.expect("an answer").expect("a run").id;
            let pass = ledger.checkpoint("archive-orders", "core.orders", "orders").await.expect("an answer").expect("a pass");
            let lease = ledger.lease("archive-orders", &run, pass.as_of).await.expect("the lock");
            let as_of = "2099-06-01T00:00:00Z".parse().expect("a time");
            let outcome = Event::read(
                "outcome",
                r#"{"batch":"b","archived":0,"already_archived":0,"removed":0,"changed":0,"conflict":0,"digest":null}"#,
            );
            let pass = steward::ledger::Checkpoint { as_of, ..pass };
            ledger.append_with_checkpoint(&lease, &outcome.expect("an outcome"), &pass, as_of).await.expect("recorded");
            lease.release().await.expect("released");
            ledger.close().await;
        });
        sandbox.job("archive-orders", &orders_fixture::job("archive"));
        let report = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(0).json();
        assert_eq!(orders_fixture::orders(&sandbox), 5, "the young ones stay: {report:#}");
        assert_eq!(report["datasets"][0]["removed"], left - 5, "{report:#}");
        let reasons = report["datasets"][0]["reasons"].to_string();
        assert!(reasons.contains("a new one begins") && !reasons.contains("goes on with"), "{reasons}");
    });
}

mod a_plan_is_approved_for_one_database_schema_and_account {
    use super::*;

    on_every_engine!(another_database_with_the_same_rows_is_another_plan, |engine: Engine| {
        let (sandbox, other) = (planned(engine), planned(engine));
        std::fs::copy(other.path("approved.plan"), sandbox.path("approved.plan")).expect("a copy");
        refused(&sandbox, sandbox.steward(APPROVED), "is on another ");
        refused(
            &sandbox,
            sandbox.command([&APPROVED[..], &["--dry-run"]].concat()).output().expect("it starts").into(),
            "is on another ",
        );
    });

    #[test]
    fn another_schema_or_account_of_the_same_database_is_another_plan() {
        let sandbox = planned(Engine::Postgres);
        sandbox.sql("CREATE SCHEMA tenant_b; CREATE TABLE tenant_b.orders AS SELECT * FROM orders");
        sandbox
            .sql("ALTER TABLE tenant_b.orders ADD PRIMARY KEY (id); CREATE INDEX orders_created ON tenant_b.orders (created_at)");
        let url = sandbox.database.url();
        let glue = if url.contains('?') { '&' } else { '?' };
        let elsewhere = format!("{url}{glue}options=-csearch_path%3Dtenant_b");
        let ended: Ended = sandbox.command(APPROVED).env(URL, elsewhere).output().expect("it starts").into();
        refused(&sandbox, ended, "store `core` is on another schema: `tenant_b");
        sealed_anew(&sandbox, |plan| plan["steps"][0]["stores"][0]["account"] = "somebody".into());
        refused(&sandbox, sandbox.steward(APPROVED), "store `core` is on another account");
    }

    #[test]
    fn a_file_put_in_the_place_of_another_is_another_database() {
        let sandbox = planned(Engine::Sqlite);
        let path = sandbox.path(sandbox.database.url().trim_start_matches("sqlite:").split('?').next().expect("a path"));
        let copy = path.with_extension("copy");
        std::fs::copy(&path, &copy).expect("a copy");
        std::fs::rename(&copy, &path).expect("a move");
        refused(&sandbox, sandbox.steward(APPROVED), "is on another server: `inode");
    }

    #[test]
    fn keys_and_nodes_and_the_owners_of_keys_are_named_too() {
        use crate::graph::users_fixture as nodes;
        use crate::keys::setup;
        use crate::support::keyspace::KeyServer;
        let steps = |sandbox: &Sandbox, job: &str| {
            sandbox.steward(["plan", job, "--out", "a.plan"]).must_end(0);
            let text = std::fs::read_to_string(sandbox.path("a.plan")).expect("a plan");
            serde_json::from_str::<Value>(&text).expect("an object")["plan"]["steps"][0]["stores"].clone()
        };
        let named =
            |store: &Value, parts: &[&str]| parts.iter().all(|part| store[*part].as_str().is_some_and(|text| !text.is_empty()));
        let policy = "cache: [{ name: web, store: cache, keys: \"{{prefix}}c:{id}\", ttl: 1 h, belongs_to: core.users.id }]\n";
        let sandbox = setup::sandbox(KeyServer::Redis, policy);
        sandbox.sql("create table users (id integer primary key); insert into users values (1)");
        let stores = steps(&sandbox, "sweep");
        assert!(named(&stores[0], &["server", "database", "account"]), "{stores:#}");
        assert_eq!((&stores[0]["store"], &stores[1]["store"]), (&"cache".into(), &"core".into()), "{stores:#}");
        let sandbox = nodes::open();
        nodes::policy(&sandbox, "");
        let stores = steps(&sandbox, "clean-graph");
        assert!(named(&stores[0], &["server", "database", "account"]), "{stores:#}");
    }

    #[test]
    fn a_plan_that_names_no_database_is_planned_again() {
        let sandbox = planned(Engine::Sqlite);
        sealed_anew(&sandbox, |plan| plan["steps"][0]["stores"] = Value::Array(vec![]));
        refused(&sandbox, sandbox.steward(APPROVED), "does not say for which database");
    }
}

mod a_plan_is_good_for_one_run {
    use super::*;

    on_every_engine!(the_second_run_under_it_is_refused_and_names_the_first, |engine: Engine| {
        let sandbox = planned(engine);
        let first = sandbox.steward(APPROVED).must_end(0).json();
        // The same rows, as if they had never gone: counts, cutoff and policy are what they were.
        sandbox.sql(&orders_fixture::insert("orders", &(1..=20).collect::<Vec<_>>()));
        sandbox.sql("DELETE FROM orders_archive");
        let ended = sandbox.steward(APPROVED);
        refused(&sandbox, ended, &format!("used by run `{}`", first["run"].as_str().expect("an id")));
    });

    #[test]
    fn a_run_that_began_no_batch_does_not_use_it_up() {
        let sandbox = planned(Engine::Sqlite);
        sandbox.steward([&APPROVED[..], &["--dry-run"]].concat()).must_end(0);
        sandbox.sql(&orders_fixture::insert("orders", &[21]));
        sandbox.steward(APPROVED).must_end(4);
        sandbox.sql("DELETE FROM orders WHERE id = 21");
        sandbox.steward(APPROVED).must_end(0);
        assert_eq!(orders_fixture::orders(&sandbox), 5);
    }
}

mod who_did_it_and_who_approved {
    use super::*;

    #[test]
    fn every_run_says_who_started_it_and_from_where() {
        let sandbox = orders_fixture::open_with(Engine::Sqlite, 3);
        let started = |command: &mut std::process::Command| {
            let ended: Ended = command.args(["--dry-run"]).output().expect("it starts").into();
            ended.must_end(0).json()["started_by"].clone()
        };
        let words = ["run-job", "archive-orders", "--json"];
        let by_hand = started(
            sandbox.command(words).env_remove("INVOCATION_ID").env_remove("KUBERNETES_SERVICE_HOST").env("SUDO_USER", "li"),
        );
        assert!(by_hand["actor"].as_str().expect("an actor").ends_with("for li"), "{by_hand:#}");
        assert!(["by hand", "cron"].contains(&by_hand["origin"].as_str().expect("an origin")), "{by_hand:#}");
        assert_eq!(by_hand["version"], env!("CARGO_PKG_VERSION"));
        let pod = started(sandbox.command(words).env("KUBERNETES_SERVICE_HOST", "10.0.0.1").env("INVOCATION_ID", "1"));
        assert_eq!(pod["origin"], "cronjob");

        let runs = sandbox.steward(["runs", "--json"]).must_end(0).json();
        assert_eq!(runs["runs"][0]["started_by"], pod, "{runs:#}");
        let list = sandbox.steward(["runs"]).must_end(0);
        assert!(list.stdout.contains("cronjob: ") && list.stdout.contains(pod["host"].as_str().expect("a host")), "{list}");
        let run = runs["runs"][0]["run"].as_str().expect("an id").to_owned();
        let story = sandbox.steward(["runs", &run]).must_end(0);
        assert!(story.stdout.contains("started by a CronJob, as "), "{story}");
    }

    #[test]
    fn an_approved_plan_is_an_event_of_its_own_and_the_report_says_so() {
        let sandbox = planned(Engine::Sqlite);
        let report = sandbox.steward(APPROVED).must_end(0).json();
        let digest = serde_json::from_str::<Value>(&std::fs::read_to_string(sandbox.path("approved.plan")).expect("a plan"))
            .expect("an object")["sha256"]
            .as_str()
            .expect("a digest")
            .to_owned();
        assert_eq!(report["approval"]["plan"], digest, "{report:#}");
        let events = orders_fixture::events(&sandbox);
        let approved = events
            .iter()
            .position(|event| matches!(event, Event::Approved { plan, by: Some(_), made_by: Some(_), .. } if *plan == digest));
        let intent = events.iter().position(|event| matches!(event, Event::Intent { .. }));
        assert!(approved.is_some() && approved < intent, "{events:#?}");
        let by = report["approval"]["by"].as_str().expect("a name");
        let page = std::fs::read_to_string(sandbox.path(report["report"]["html"].as_str().expect("a page"))).expect("a page");
        let story = sandbox.steward(["runs", report["run"].as_str().expect("an id")]).must_end(0);
        for said in [&page, &story.stdout] {
            assert!(
                said.contains(&digest) && said.contains(&format!("approved by {by}")) && said.contains("started by "),
                "{said}"
            );
        }
        assert!(sandbox.steward(["audit", "verify"]).must_end(0).stdout.contains("whole"));
    }
}
