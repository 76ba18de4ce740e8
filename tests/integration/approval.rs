//! A plan is approved for something, once: a database, a schema, an account, a time that has come. And a run says who started it.

use crate::promises::shop;
use crate::support::engine::Engine;
use crate::support::house::{Ended, House, URL};
use serde_json::Value;
use steward::ledger::event::Event;

/// A shop whose guard lets ten of twenty due orders go, and a plan of all of them.
fn planned(engine: Engine) -> House {
    let house = shop::open_with(engine, 20);
    house.policy("orders", &shop::policy("").replace("max_rows: 10000000", "max_rows: 10"));
    house.steward(["plan", "archive-orders", "--out", "approved.plan"]).must_end(0);
    house
}

const APPROVED: [&str; 5] = ["run-job", "archive-orders", "--plan", "approved.plan", "--json"];

/// It is refused, says why, and nothing was touched.
#[track_caller]
fn refused(house: &House, ended: Ended, why: &str) {
    let ended = ended.must_end(4);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(said.contains(why), "`{why}` is not said: {ended}");
    assert_eq!(shop::orders(house), 25, "{ended}");
}

/// The plan with another step or time, sealed anew: whoever can write the file can write its hash too.
fn sealed_anew(house: &House, edit: impl Fn(&mut Value)) {
    use steward::runner::approval::{Plan, PlanFile};
    let text = std::fs::read_to_string(house.path("approved.plan")).expect("a plan");
    let mut file: Value = serde_json::from_str(&text).expect("an object");
    edit(&mut file["plan"]);
    let plan: Plan = serde_json::from_value(file["plan"].clone()).expect("a plan");
    house.write("approved.plan", &serde_json::to_string(&PlanFile::seal(plan).expect("a seal")).expect("text"));
}

mod a_time_that_has_not_come_never_reaches_a_removal {
    use super::*;

    on_every_engine!(by_a_plan, |engine: Engine| {
        let house = shop::open_with(engine, 20);
        house.sql("UPDATE orders SET created_at = '2090-01-01 00:00:00' WHERE id < 900000");
        let words = ["plan", "archive-orders", "--as-of", "2099-01-01", "--out", "approved.plan"];
        let ended = house.steward(words).must_end(0);
        assert!(ended.stderr.contains("for looking only") && ended.stderr.contains("SW5020"), "{ended}");
        refused(&house, house.steward([&APPROVED[..], &["--yes"]].concat()), "SW5020");
        // The flag alone is refused as ever, and looking is allowed.
        house.steward(["run-job", "archive-orders", "--as-of", "2099-01-01"]).must_end(2);
        house.steward(["run-job", "archive-orders", "--as-of", "2099-01-01", "--dry-run"]).must_end(0);
        assert_eq!(shop::orders(&house), 25);
    });

    #[test]
    fn by_the_cutoff_of_one_step() {
        let house = planned(Engine::Sqlite);
        sealed_anew(&house, |plan| plan["steps"][0]["cutoff"] = "2098-01-01T00:00:00Z".into());
        refused(&house, house.steward(APPROVED), "SW5020");
    }

    on_every_engine!(by_a_pass_that_was_begun_while_the_clock_was_ahead, |engine: Engine| {
        use steward::ledger::Ledger;
        let house = shop::open_with(engine, 9_000);
        shop::make_archive(&house);
        shop::slow_down(&house, "orders", "DELETE");
        shop::slow_down(&house, "orders_archive", "INSERT");
        house.job("archive-orders", &(shop::job("archive") + "budget: 1 s\n"));
        house.steward(["run-job", "archive-orders"]).must_end(0);
        let left = shop::orders(&house);
        assert!(left > 5);
        // What a clock that is years ahead would have left behind, by the ledger's own hand.
        shop::wait(async {
            let ledger = Ledger::open(&house.path("state/steward.db")).await.expect("a ledger");
            let run = ledger.last_run("archive-orders").await.expect("an answer").expect("a run").id;
            let pass = ledger.pass("archive-orders", "core.orders", "orders").await.expect("an answer").expect("a pass");
            let lease = ledger.lease("archive-orders", &run, pass.as_of).await.expect("the lock");
            let as_of = "2099-06-01T00:00:00Z".parse().expect("a time");
            let outcome = Event::read(
                "outcome",
                r#"{"batch":"b","archived":0,"already_archived":0,"removed":0,"changed":0,"conflict":0,"digest":null}"#,
            );
            let pass = steward::ledger::Pass { as_of, ..pass };
            ledger.append_with_pass(&lease, &outcome.expect("an outcome"), &pass, as_of).await.expect("recorded");
            lease.release().await.expect("released");
            ledger.close().await;
        });
        house.job("archive-orders", &shop::job("archive"));
        let report = house.steward(["run-job", "archive-orders", "--json"]).must_end(0).json();
        assert_eq!(shop::orders(&house), 5, "the young ones stay: {report:#}");
        assert_eq!(report["datasets"][0]["removed"], left - 5, "{report:#}");
        let reasons = report["datasets"][0]["reasons"].to_string();
        assert!(reasons.contains("a new one begins") && !reasons.contains("goes on with"), "{reasons}");
    });
}

mod a_plan_is_approved_for_one_database_schema_and_account {
    use super::*;

    on_every_engine!(another_database_with_the_same_rows_is_another_plan, |engine: Engine| {
        let (house, other) = (planned(engine), planned(engine));
        std::fs::copy(other.path("approved.plan"), house.path("approved.plan")).expect("a copy");
        refused(&house, house.steward(APPROVED), "is on another ");
        refused(
            &house,
            house.command([&APPROVED[..], &["--dry-run"]].concat()).output().expect("it starts").into(),
            "is on another ",
        );
    });

    #[test]
    fn another_schema_or_account_of_the_same_database_is_another_plan() {
        let house = planned(Engine::Postgres);
        house.sql("CREATE SCHEMA tenant_b; CREATE TABLE tenant_b.orders AS SELECT * FROM orders");
        house
            .sql("ALTER TABLE tenant_b.orders ADD PRIMARY KEY (id); CREATE INDEX orders_created ON tenant_b.orders (created_at)");
        let url = house.database.url();
        let glue = if url.contains('?') { '&' } else { '?' };
        let elsewhere = format!("{url}{glue}options=-csearch_path%3Dtenant_b");
        let ended: Ended = house.command(APPROVED).env(URL, elsewhere).output().expect("it starts").into();
        refused(&house, ended, "store `core` is on another schema: `tenant_b");
        sealed_anew(&house, |plan| plan["steps"][0]["stores"][0]["account"] = "somebody".into());
        refused(&house, house.steward(APPROVED), "store `core` is on another account");
    }

    #[test]
    fn a_file_put_in_the_place_of_another_is_another_database() {
        let house = planned(Engine::Sqlite);
        let path = house.path(house.database.url().trim_start_matches("sqlite:").split('?').next().expect("a path"));
        let copy = path.with_extension("copy");
        std::fs::copy(&path, &copy).expect("a copy");
        std::fs::rename(&copy, &path).expect("a move");
        refused(&house, house.steward(APPROVED), "is on another server: `inode");
    }

    #[test]
    fn keys_and_nodes_and_the_owners_of_keys_are_named_too() {
        use crate::graph::shop as nodes;
        use crate::keys::ground;
        use crate::support::keyspace::KeyServer;
        let steps = |house: &House, job: &str| {
            house.steward(["plan", job, "--out", "a.plan"]).must_end(0);
            let text = std::fs::read_to_string(house.path("a.plan")).expect("a plan");
            serde_json::from_str::<Value>(&text).expect("an object")["plan"]["steps"][0]["stores"].clone()
        };
        let named =
            |store: &Value, parts: &[&str]| parts.iter().all(|part| store[*part].as_str().is_some_and(|text| !text.is_empty()));
        let policy = "cache: [{ name: web, store: cache, keys: \"{{prefix}}c:{id}\", ttl: 1 h, belongs_to: core.users.id }]\n";
        let house = ground::house(KeyServer::Redis, policy);
        house.sql("create table users (id integer primary key); insert into users values (1)");
        let stores = steps(&house, "sweep");
        assert!(named(&stores[0], &["server", "database", "account"]), "{stores:#}");
        assert_eq!((&stores[0]["store"], &stores[1]["store"]), (&"cache".into(), &"core".into()), "{stores:#}");
        let house = nodes::open();
        nodes::policy(&house, "");
        let stores = steps(&house, "clean-graph");
        assert!(named(&stores[0], &["server", "database", "account"]), "{stores:#}");
    }

    #[test]
    fn a_plan_that_names_no_database_is_planned_again() {
        let house = planned(Engine::Sqlite);
        sealed_anew(&house, |plan| plan["steps"][0]["stores"] = Value::Array(vec![]));
        refused(&house, house.steward(APPROVED), "does not say for which database");
    }
}

mod a_plan_is_good_for_one_run {
    use super::*;

    on_every_engine!(the_second_run_under_it_is_refused_and_names_the_first, |engine: Engine| {
        let house = planned(engine);
        let first = house.steward(APPROVED).must_end(0).json();
        // The same rows, as if they had never gone: counts, cutoff and policy are what they were.
        house.sql(&shop::insert("orders", &(1..=20).collect::<Vec<_>>()));
        house.sql("DELETE FROM orders_archive");
        let ended = house.steward(APPROVED);
        refused(&house, ended, &format!("used by run `{}`", first["run"].as_str().expect("an id")));
    });

    #[test]
    fn a_run_that_began_no_batch_does_not_use_it_up() {
        let house = planned(Engine::Sqlite);
        house.steward([&APPROVED[..], &["--dry-run"]].concat()).must_end(0);
        house.sql(&shop::insert("orders", &[21]));
        house.steward(APPROVED).must_end(4);
        house.sql("DELETE FROM orders WHERE id = 21");
        house.steward(APPROVED).must_end(0);
        assert_eq!(shop::orders(&house), 5);
    }
}

mod who_did_it_and_who_approved {
    use super::*;

    #[test]
    fn every_run_says_who_started_it_and_from_where() {
        let house = shop::open_with(Engine::Sqlite, 3);
        let started = |command: &mut std::process::Command| {
            let ended: Ended = command.args(["--dry-run"]).output().expect("it starts").into();
            ended.must_end(0).json()["started_by"].clone()
        };
        let words = ["run-job", "archive-orders", "--json"];
        let by_hand = started(
            house.command(words).env_remove("INVOCATION_ID").env_remove("KUBERNETES_SERVICE_HOST").env("SUDO_USER", "li"),
        );
        assert!(by_hand["actor"].as_str().expect("an actor").ends_with("for li"), "{by_hand:#}");
        assert!(["by hand", "cron"].contains(&by_hand["origin"].as_str().expect("an origin")), "{by_hand:#}");
        assert_eq!(by_hand["version"], env!("CARGO_PKG_VERSION"));
        let pod = started(house.command(words).env("KUBERNETES_SERVICE_HOST", "10.0.0.1").env("INVOCATION_ID", "1"));
        assert_eq!(pod["origin"], "cronjob");

        let runs = house.steward(["runs", "--json"]).must_end(0).json();
        assert_eq!(runs["runs"][0]["started_by"], pod, "{runs:#}");
        let list = house.steward(["runs"]).must_end(0);
        assert!(list.stdout.contains("cronjob: ") && list.stdout.contains(pod["host"].as_str().expect("a host")), "{list}");
        let run = runs["runs"][0]["run"].as_str().expect("an id").to_owned();
        let story = house.steward(["runs", &run]).must_end(0);
        assert!(story.stdout.contains("started by a CronJob, as "), "{story}");
    }

    #[test]
    fn an_approved_plan_is_an_event_of_its_own_and_the_report_says_so() {
        let house = planned(Engine::Sqlite);
        let report = house.steward(APPROVED).must_end(0).json();
        let digest = serde_json::from_str::<Value>(&std::fs::read_to_string(house.path("approved.plan")).expect("a plan"))
            .expect("an object")["sha256"]
            .as_str()
            .expect("a digest")
            .to_owned();
        assert_eq!(report["approval"]["plan"], digest, "{report:#}");
        let events = shop::events(&house);
        let approved = events
            .iter()
            .position(|event| matches!(event, Event::Approved { plan, by: Some(_), made_by: Some(_), .. } if *plan == digest));
        let intent = events.iter().position(|event| matches!(event, Event::Intent { .. }));
        assert!(approved.is_some() && approved < intent, "{events:#?}");
        let by = report["approval"]["by"].as_str().expect("a name");
        let page = std::fs::read_to_string(house.path(report["report"]["html"].as_str().expect("a page"))).expect("a page");
        let story = house.steward(["runs", report["run"].as_str().expect("an id")]).must_end(0);
        for said in [&page, &story.stdout] {
            assert!(
                said.contains(&digest) && said.contains(&format!("approved by {by}")) && said.contains("started by "),
                "{said}"
            );
        }
        assert!(house.steward(["audit", "verify"]).must_end(0).stdout.contains("whole"));
    }
}
