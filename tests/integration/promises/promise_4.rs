//! A hold is honoured by every action, by construction: the only way to build a removing statement takes the holds.

use super::orders_fixture;
use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;
use std::process::Stdio;
use std::time::{Duration, Instant};
use steward::action::{Action, Batch};
use steward::actions::archive::ArchiveRows;
use steward::actions::delete::DeleteRows;
use steward::actions::expire::{Caches, Expire, Sessions};
use steward::actions::{ACTIONS, Entry};
use steward::ledger::Ledger;
use steward::ledger::event::Event;
use steward::ledger::hold::NewHold;
use steward::policy::hold::{Hold, HoldOrigin};
use steward::policy::section::Section;

mod a_hold_is_honoured_by_every_action {
    use super::*;

    on_every_engine!(
        /// Scenario 16. Rows that a condition names, rows of which it cannot say, and all the others go.
        the_rows_it_names_stay_and_the_others_go,
        |engine: Engine| {
            for action in ending() {
                let sandbox = shop_for(action.name, engine, 100);
                hold(&sandbox, action.name, "where: \"id in (3, 17) or note = 'never'\", ");
                let report = sandbox.steward(["run-job", "nightly", "--json"]).must_end(0).json();
                let dataset = &report["datasets"][0];
                // Every seventh note is NULL: of those the condition knows nothing.
                let held = 14 + 2;
                assert_eq!(dataset["left"]["held"], held, "{report:#}");
                assert_eq!(dataset["holds"][0]["hold"], "case-1", "{report:#}");
                assert_eq!(dataset[count_of(action.name)], 100 - held, "{report:#}");
                assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders WHERE id IN (3, 17) OR note IS NULL AND id < 900"), held);
            }
        }
    );

    on_every_engine!(a_hold_on_everything_keeps_everything, |engine: Engine| {
        for action in ending() {
            let sandbox = shop_for(action.name, engine, 20);
            hold(&sandbox, action.name, "");
            let before = orders_fixture::everything(&sandbox);
            let report = sandbox.steward(["run-job", "nightly", "--json"]).must_end(0).json();
            assert_eq!(report["datasets"][0]["left"]["held"], 20, "{report:#}");
            assert_eq!(orders_fixture::everything(&sandbox), before);
            assert_eq!(orders_fixture::orders(&sandbox), 25);
        }
    });

    on_every_engine!(a_hold_that_cannot_be_evaluated_refuses_the_dataset, |engine: Engine| {
        for action in ending() {
            let sandbox = shop_for(action.name, engine, 20);
            hold(&sandbox, action.name, "where: \"custmer_id = 17\", ");
            let told = sandbox.steward(["run-job", "nightly"]).must_end(4);
            assert!(told.stdout.contains("case-1"), "the hold is not named: {told}");
            assert_eq!(orders_fixture::orders(&sandbox), 25);
        }
    });

    on_every_engine!(
        /// The whole database may be named by one and left out by the other.
        with_or_without_the_schema_in_its_name,
        |engine: Engine| {
            let schema = |sandbox: &Sandbox| match engine {
                Engine::Sqlite => None,
                Engine::Postgres => Some("public".to_owned()),
                Engine::Mysql | Engine::Mariadb => Some(sandbox.database.name.clone()),
            };
            for action in ending() {
                let sandbox = shop_for(action.name, engine, 20);
                let Some(schema) = schema(&sandbox) else { return };
                let named = |text: &str| text.replace("dataset: core.orders", &format!("dataset: core.{schema}.orders"));
                sandbox.policy("holds", "holds:\n  - { name: case-1, dataset: core.orders, where: id = 3, because: litigation }\n");
                sandbox.policy("orders", &named(&policy_for(action.name)));
                sandbox.steward(["run-job", "nightly"]).must_end(0);
                assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders WHERE id < 900"), 1, "{}", action.name);

                let sandbox = shop_for(action.name, engine, 20);
                let schema = self::schema_of(&sandbox);
                sandbox.policy(
                    "holds",
                    &format!("holds:\n  - {{ name: case-1, dataset: core.{schema}.orders, where: id = 3, because: litigation }}\n"),
                );
                sandbox.steward(["run-job", "nightly"]).must_end(0);
                assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders WHERE id < 900"), 1, "{}", action.name);
            }
        }
    );

    on_every_engine!(
        /// What a hold covers in a dataset it covers in the archive that the dataset feeds.
        in_the_archive_too,
        |engine: Engine| {
            let sandbox = orders_fixture::open_with(engine, 40);
            sandbox.policy(
                "orders",
                "lifecycle:\n  - name: orders\n    dataset: core.orders\n    clock: created_at\n    \
                 archive: { after: 1 year, to: core.orders_archive, create: true }\n    delete: { after: 2 years }\n    \
                 guard: { max_rows: 10000000, max_percent: 100 }\n",
            );
            sandbox.job("final", &orders_fixture::job("delete"));
            sandbox.steward(["run-job", "archive-orders"]).must_end(0);
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders_archive"), 40);
            sandbox.policy("holds", "holds:\n  - { name: case-1, dataset: core.orders, where: \"id in (3, 17)\", because: litigation }\n");
            let report = sandbox.steward(["run-job", "final", "--json"]).must_end(0).json();
            assert_eq!(report["datasets"][0]["left"]["held"], 2, "{report:#}");
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders_archive WHERE id IN (3, 17)"), 2);
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders_archive"), 2);
        }
    );

    on_every_engine!(
        /// A hold that comes between reading a page and carrying it out keeps its rows.
        placed_between_reading_and_removal,
        |engine: Engine| {
            for action in ending() {
                let sandbox = shop_for(action.name, engine, 20);
                match action.name {
                    "archive" => placed_in_between::<ArchiveRows>(&sandbox),
                    "delete" => placed_in_between::<DeleteRows>(&sandbox),
                    "expire-sessions" => placed_in_between::<Expire<Sessions>>(&sandbox),
                    "sweep-cache" => placed_in_between::<Expire<Caches>>(&sandbox),
                    other => panic!("action `{other}` has no test of a hold placed between reading and removal"),
                }
                assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders WHERE id IN (3, 17)"), 2);
                assert_eq!(orders_fixture::orders(&sandbox), 7);
            }
        }
    );

    on_every_engine!(
        /// A row that expires in place is altered, and a hold keeps it as it is: in the file, unknown for a row, or put down late.
        on_rows_that_would_be_marked_where_they_stand,
        |engine: Engine| {
            let sandbox = orders_fixture::open_with(engine, 20);
            let policy = orders_fixture::expiring("sessions", "    set: { note: over }\n");
            sandbox.policy("orders", &(policy.clone() + "holds:\n  - { name: case-1, dataset: core.orders, where: \"id in (3, 17) or note = 'never'\", because: litigation }\n"));
            only_job(&sandbox, "expire-sessions");
            placed_in_between_keeps_its_marks(&sandbox);
            let report = sandbox.steward(["run-job", "nightly", "--json"]).must_end(0).json();
            let dataset = &report["datasets"][0];
            // Those under the hold, and 7 and 14, whose note is NULL; 5 were marked in between already.
            assert_eq!((&dataset["left"]["held"], &dataset["expired"]), (&4.into(), &11.into()), "{report:#}");
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders WHERE note = 'over'"), 16);
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders WHERE id IN (3, 7, 14, 17) AND COALESCE(note, '') <> 'over'"), 4);
            assert_eq!(orders_fixture::orders(&sandbox), 25);
        }
    );

    on_every_engine!(
        /// Placed with `hold add` while the real run is under way: no batch is begun without it.
        placed_while_the_run_is_under_way,
        |engine: Engine| {
            for action in ending() {
                let sandbox = shop_for(action.name, engine, 6_000);
                orders_fixture::slow_down(&sandbox, "orders", "DELETE");
                let mut run = sandbox.command(["run-job", "nightly"]).stdout(Stdio::null()).spawn().expect("the binary starts");
                wait_for_a_batch(&sandbox);
                add_hold(&sandbox, "core.orders");
                assert_eq!(run.wait().expect("its end").code(), Some(0), "{}", action.name);
                let events = orders_fixture::events(&sandbox);
                let added = events.iter().position(|event| matches!(event, Event::HoldAdded { .. })).expect("the hold");
                let after = events[added..].iter().filter(|event| matches!(event, Event::Intent { .. })).count();
                assert_eq!(after, 0, "batches were begun after the hold was there");
                assert!(orders_fixture::orders(&sandbox) > 1_000, "{}: nothing was left to hold", action.name);
            }
        }
    );

    on_every_engine!(
        /// Taking it out of its file does not end it; `hold release` does.
        vanished_from_its_file_it_stays_until_it_is_released,
        |engine: Engine| {
            for action in ending() {
                let sandbox = shop_for(action.name, engine, 20);
                hold(&sandbox, action.name, "where: \"id = 3\", ");
                sandbox.steward(["run-job", "nightly"]).must_end(0);
                sandbox.policy("orders", &policy_for(action.name));
                let report = sandbox.steward(["run-job", "nightly", "--json"]).must_end(0).json();
                assert_eq!(report["datasets"][0]["left"]["held"], 1, "{report:#}");
                let plan = sandbox.steward(["plan", "nightly", "--json"]).must_end(0).json();
                assert_eq!(plan["jobs"][0]["datasets"][0]["left"]["held"], 1, "{plan:#}");
                assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders WHERE id = 3"), 1);
                in_ledger(&sandbox, async |ledger| ledger.release_hold("case-1", "li", "settled", chrono::Utc::now()).await.map(drop));
                sandbox.steward(["run-job", "nightly"]).must_end(0);
                assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders WHERE id = 3"), 0);
            }
        }
    );

    on_every_engine!(
        /// A hold narrowed in its file still holds what it held.
        narrowed_in_its_file_it_holds_what_it_held,
        |engine: Engine| {
            let sandbox = shop_for("archive", engine, 20);
            hold(&sandbox, "archive", "where: \"id in (3, 17)\", ");
            sandbox.steward(["run-job", "nightly"]).must_end(0);
            hold(&sandbox, "archive", "where: \"id = 3\", ");
            sandbox.steward(["run-job", "nightly"]).must_end(0);
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders WHERE id IN (3, 17)"), 2);
        }
    );

    on_every_engine!(
        /// The same two foreign keys away.
        on_the_grandchildren_that_would_go_along,
        |engine: Engine| {
            let sandbox = shop_for("delete", engine, 20);
            let tail = engine.word("table").expect("a word");
            sandbox.sql(&format!(
                "CREATE TABLE order_lines (id integer NOT NULL PRIMARY KEY, order_id integer, \
                 FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE) {tail}; \
                 CREATE TABLE parcels (id integer NOT NULL PRIMARY KEY, line_id integer, \
                 FOREIGN KEY (line_id) REFERENCES order_lines (id) ON DELETE CASCADE) {tail}; \
                 INSERT INTO order_lines VALUES (1, 3), (2, 4); INSERT INTO parcels VALUES (1, 1)"
            ));
            sandbox.policy("orders", &(policy_for("delete") + "    cascade: allow\n"));
            sandbox.policy("holds", "holds:\n  - { name: case-1, dataset: core.parcels, because: litigation }\n");
            sandbox.steward(["run-job", "nightly"]).must_end(4);
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM parcels"), 1);
            assert_eq!(orders_fixture::orders(&sandbox), 25);
        }
    );

    on_every_engine!(
        /// Rows that a foreign key would take along are rows that are removed: a hold on them counts, `cascade: allow` or not.
        on_the_children_that_would_go_along,
        |engine: Engine| {
            for (action, rule) in ending().iter().flat_map(|action| [(action.name, "CASCADE"), (action.name, "SET NULL")]) {
                let sandbox = shop_for(action, engine, 20);
                let tail = engine.word("table").expect("a word");
                sandbox.sql(&format!(
                    "CREATE TABLE order_lines (id integer NOT NULL PRIMARY KEY, order_id integer, \
                     FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE {rule}) {tail}; \
                     INSERT INTO order_lines VALUES (1, 3), (2, 4)"
                ));
                sandbox.policy("orders", &(policy_for(action) + "    cascade: allow\n"));
                sandbox.policy("holds", "holds:\n  - { name: case-1, dataset: core.order_lines, where: order_id = 3, because: litigation }\n");
                let lines = sandbox.database.dump("order_lines");
                let told = sandbox.steward(["run-job", "nightly"]);
                assert_eq!(sandbox.database.dump("order_lines"), lines, "{action}, {rule}: a held row went or changed along: {told}");
                assert!(told.stdout.contains("case-1"), "{told}");
                assert_eq!(told.code, Some(4), "{told}");
                // Without the hold they go: it was the hold that kept them.
                in_ledger(&sandbox, async |ledger| ledger.release_hold("case-1", "li", "settled", chrono::Utc::now()).await.map(drop));
                std::fs::remove_file(sandbox.path("policies/holds.yaml")).expect("the hold's file");
                sandbox.steward(["run-job", "nightly"]).must_end(0);
                assert_ne!(sandbox.database.dump("order_lines"), lines);
            }
        }
    );
}

/// A sandbox whose job `nightly` does this action. An action that is not known here has no hold test, and fails.
fn shop_for(action: &str, engine: Engine, due: u64) -> Sandbox {
    let sandbox = orders_fixture::open_with(engine, due);
    sandbox.policy("orders", &policy_for(action));
    only_job(&sandbox, action);
    sandbox
}

/// The actions that remove or alter rows; the others change nothing that a hold could keep.
fn ending() -> Vec<&'static Entry> {
    let ends = |action: &&Entry| match action.section {
        Section::Archive | Section::Delete | Section::Sessions | Section::Cache => true,
        // A view says again what its tables say; a check looks.
        Section::Views | Section::Checks => false,
    };
    ACTIONS.iter().filter(ends).collect()
}

/// Where a report says how many rows went.
fn count_of(action: &str) -> &'static str {
    match action {
        "expire-sessions" => "expired",
        "sweep-cache" => "swept",
        _ => "removed",
    }
}

fn only_job(sandbox: &Sandbox, action: &str) {
    std::fs::remove_file(sandbox.path("jobs/archive-orders.yaml")).expect("the fixture's own job");
    sandbox.job("nightly", &orders_fixture::job(action));
}

fn policy_for(action: &str) -> String {
    match action {
        "archive" => orders_fixture::policy(""),
        "delete" => orders_fixture::DELETE.to_owned(),
        "expire-sessions" => orders_fixture::expiring("sessions", ""),
        "sweep-cache" => orders_fixture::expiring("cache", ""),
        other => panic!("action `{other}` has no hold test: say here what it works on"),
    }
}

fn hold(sandbox: &Sandbox, action: &str, condition: &str) {
    let hold = format!("holds:\n  - {{ name: case-1, dataset: core.orders, {condition}because: litigation }}\n");
    sandbox.policy("orders", &(policy_for(action) + &hold));
}

fn schema_of(sandbox: &Sandbox) -> String {
    if sandbox.database.engine == Engine::Postgres { "public".to_owned() } else { sandbox.database.name.clone() }
}

fn placed_in_between<A: Action>(sandbox: &Sandbox) {
    orders_fixture::wait(async {
        let cx = orders_fixture::context(sandbox, "nightly", vec![]);
        let target = A::targets(&cx.job, &cx.policies).into_iter().next().expect("a target");
        let action = A::prepare(&cx, &target, chrono::Utc::now()).await.expect("prepared");
        action.begin(&cx).await.expect("begun");
        let page = action.next(&cx, None, 100).await.expect("a page").expect("rows");
        cx.see_holds(vec![Hold {
            name: "case-1".into(),
            dataset: "core.orders".parse().expect("a dataset"),
            r#where: Some("id in (3, 17)".into()),
            because: "litigation".into(),
            owner: None,
            origin: HoldOrigin::Command,
        }]);
        let tally = action.apply(&cx, &Batch { id: "batch-1".into(), page }).await.expect("applied");
        assert_eq!(
            (tally.counts.by_key("removed").or(tally.counts.by_key("expired")).or(tally.counts.by_key("swept")), tally.changed),
            (Some(18), 2)
        );
    });
}

/// The first five rows are marked, but for those that a hold covers which comes between reading and marking.
fn placed_in_between_keeps_its_marks(sandbox: &Sandbox) {
    orders_fixture::wait(async {
        let cx = orders_fixture::context(sandbox, "nightly", vec![]);
        let target = Expire::<Sessions>::targets(&cx.job, &cx.policies).into_iter().next().expect("a target");
        let action = Expire::<Sessions>::prepare(&cx, &target, chrono::Utc::now()).await.expect("prepared");
        let page = action.next(&cx, None, 100).await.expect("a page").expect("rows");
        cx.see_holds(vec![Hold {
            name: "case-2".into(),
            dataset: "core.orders".parse().expect("a dataset"),
            r#where: Some("id in (3, 17) or id in (7, 14) or id > 7".into()),
            because: "litigation".into(),
            owner: None,
            origin: HoldOrigin::Command,
        }]);
        let tally = action.apply(&cx, &Batch { id: "batch-1".into(), page: page.clone() }).await.expect("applied");
        assert_eq!((tally.counts.by_key("expired"), tally.changed), (Some(5), 15));
        let again = action.apply(&cx, &Batch { id: "batch-2".into(), page }).await.expect("applied again");
        assert_eq!((again.counts.by_key("expired"), again.changed), (Some(0), 20), "what is marked is not marked twice");
    });
}

fn wait_for_a_batch(sandbox: &Sandbox) {
    let began = Instant::now();
    while orders_fixture::open_batches(sandbox, "nightly").is_empty() {
        assert!(began.elapsed() < Duration::from_secs(20), "no batch was begun");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Puts a hold on a whole dataset into the ledger, as `hold add` does.
pub fn add_hold(sandbox: &Sandbox, dataset: &str) {
    let hold = NewHold {
        name: "case-9".into(),
        dataset: dataset.into(),
        condition: None,
        because: "litigation".into(),
        owner: None,
        by: "li".into(),
    };
    in_ledger(sandbox, async |ledger| ledger.add_hold(&hold, chrono::Utc::now()).await.map(drop));
}

fn in_ledger(sandbox: &Sandbox, what: impl AsyncFnOnce(&Ledger) -> Result<(), steward::ledger::error::LedgerError>) {
    orders_fixture::wait(async {
        let ledger = Ledger::open(&sandbox.path("state/steward.db")).await.expect("a ledger");
        what(&ledger).await.expect("told to the ledger");
        ledger.close().await;
    });
}
