//! Live traffic comes first: short batches whose size follows what was measured, locks that are not waited for, and a wait
//! while replicas lag or a query says so, with a deadline and a reason shown.
//!
//! Locks that others hold: `a_lock_that_is_never_freed_is_temporary_and_keeps_what_it_locks` and its neighbours. Keys: `keys::pace`.

use super::orders_fixture;
use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox};
use crate::support::wait::until;
use std::process::{Child, Stdio};
use std::time::Duration;
use steward::ledger::event::Event;

/// Waits while the table `waiting` holds rows.
const BUSY: &str = "pause_when: { query: { store: core, sql: \"SELECT COUNT(*) FROM waiting\" } }\n";

/// The orders fixture with a table that says whether others are waiting; one is.
fn busy_fixture(engine: Engine, due: u64, more: &str) -> Sandbox {
    let sandbox = orders_fixture::open_with(engine, due);
    sandbox.sql("CREATE TABLE waiting (id integer NOT NULL PRIMARY KEY); INSERT INTO waiting VALUES (1)");
    sandbox.job("archive-orders", &(orders_fixture::job("archive") + more));
    sandbox
}

fn begun(sandbox: &Sandbox) -> Child {
    let run = sandbox.command(["run-job", "archive-orders", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    run.expect("the binary starts")
}

/// Rows that each batch of the sandbox meant, in their order.
fn batches(sandbox: &Sandbox) -> Vec<u64> {
    let rows = |event| match event {
        Event::Intent { rows, .. } => Some(rows),
        _ => None,
    };
    orders_fixture::events(sandbox).into_iter().filter_map(rows).collect()
}

mod live_traffic_comes_first {
    use super::*;

    on_every_engine!(
        /// A thousand rows at first; where rows take long the next batches are small. That they grow again: `runner::pace`.
        the_size_of_a_batch_follows_what_was_measured,
        |engine: Engine| {
            let slow = orders_fixture::open_with(engine, 1_400);
            very_slow(&slow);
            slow.steward(["run-job", "archive-orders"]).must_end(0);
            let sizes = batches(&slow);
            assert_eq!((sizes[0], sizes.iter().sum::<u64>()), (1_000, 1_400), "{sizes:?}");
            assert!(sizes[1..].iter().all(|rows| *rows < 400), "a slow batch is followed by small ones: {sizes:?}");
        }
    );

    on_every_engine!(
        /// The query is asked before every batch: nothing goes while it gives more than zero, and the reason is shown.
        it_waits_while_a_query_says_so_and_goes_on_afterwards,
        |engine: Engine| {
            let sandbox = busy_fixture(engine, 50, BUSY);
            let before = orders_fixture::everything(&sandbox);
            let mut run = begun(&sandbox);
            until("the run began", || sandbox.path("state/steward.db").exists());
            std::thread::sleep(Duration::from_millis(1_500));
            assert!(run.try_wait().expect("its state").is_none(), "it did not wait");
            assert_eq!((orders_fixture::orders(&sandbox), batches(&sandbox)), (55, vec![]));
            sandbox.sql("DELETE FROM waiting");
            let told: Ended = run.wait_with_output().expect("its end").into();
            assert_eq!(told.clone().must_end(0).json()["datasets"][0]["removed"], 50, "{told}");
            assert!(told.stderr.contains("`pause_when` query gives 1 on store `core`; waiting"), "{told}");
            assert_eq!(orders_fixture::everything(&sandbox), before);
        }
    );

    on_every_engine!(
        /// The budget is the deadline: temporary, with the reason, and nothing was begun.
        it_gives_up_at_its_deadline_and_says_why,
        |engine: Engine| {
            let sandbox = busy_fixture(engine, 50, &format!("{BUSY}budget: 6 s\n"));
            let told = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(75);
            let reason = told.json()["datasets"][0].to_string();
            assert!(reason.contains("query gives 1 on store `core`; waited "), "{told}");
            assert_eq!((orders_fixture::orders(&sandbox), batches(&sandbox)), (55, vec![]));
            sandbox.sql("DELETE FROM waiting");
            sandbox.steward(["run-job", "archive-orders"]).must_end(0);
            assert_eq!(orders_fixture::orders(&sandbox), 5);
        }
    );

    on_every_engine!(
        /// What a query that does not work would have said is not known, and no wait makes it known.
        a_query_that_cannot_be_asked_refuses_and_nothing_is_touched,
        |engine: Engine| {
            for (sql, why) in [
                ("SELECT COUNT(*) FROM nowhere", "nowhere"),
                ("SELECT NULL", "NULL, which is no count"),
                ("SELECT 'li@example.com'", "no whole number"),
                ("DELETE FROM waiting", "`pause_when` of the job"),
                ("SELECT id FROM waiting WHERE id > 5", "no row"),
            ] {
                let more = format!("pause_when: {{ query: {{ store: core, sql: \"{sql}\" }} }}\n");
                let sandbox = busy_fixture(engine, 20, &more);
                let told = sandbox.steward(["run-job", "archive-orders"]);
                assert!(matches!(told.code, Some(3 | 4)), "{told}");
                let said = format!("{}{}", told.stdout, told.stderr);
                assert!(said.contains(why) && said.contains("`pause_when` of the job"), "{sql}: {told}");
                assert!(!said.contains("li@example.com"), "{told}");
                assert_eq!((orders_fixture::orders(&sandbox), sandbox.database.count("SELECT COUNT(*) FROM waiting")), (25, 1), "{told}");
            }
        }
    );

    on_every_engine!(
        /// SQLite has no replicas. A server that knows of none does not know how far they are, and that counts as lag.
        an_unknown_lag_counts_as_lag,
        |engine: Engine| {
            let sandbox = busy_fixture(engine, 50, "pause_when: { replica_lag: 5 s }\nbudget: 6 s\n");
            if engine == Engine::Sqlite {
                sandbox.steward(["run-job", "archive-orders"]).must_end(0);
                return;
            }
            let told = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(75);
            assert!(told.json()["datasets"][0].to_string().contains("is unknown, which counts as lag"), "{told}");
            assert_eq!((orders_fixture::orders(&sandbox), batches(&sandbox)), (55, vec![]));
        }
    );

    /// A misspelt store or a lag of nobody is found where it is written.
    #[test]
    fn what_a_job_waits_for_is_checked_where_it_is_written() {
        for (pause, code) in [
            ("{ query: { store: coer, sql: \"SELECT 1\" } }", "SW2003"),
            ("{ replica_lag: 5 s, replicas: [other] }", "SW2003"),
            ("{ replicas: [core] }", "SW0004"),
            ("{ query: { sql: \"SELECT 1\" } }", "SW0004"),
            ("{ query: \"SELECT 1\" }", "SW0005"),
            ("{ replica_lag: 0 s }", "SW3010"),
        ] {
            let sandbox = busy_fixture(Engine::Sqlite, 1, &format!("pause_when: {pause}\n"));
            let told = sandbox.steward(["validate"]).must_end(78);
            assert!(told.stderr.contains(code) && told.stderr.contains("jobs/archive-orders.yaml:"), "{pause}: {told}");
        }
    }
}

/// Every row that leaves takes about a millisecond, so that a thousand take far longer than a batch should.
fn very_slow(sandbox: &Sandbox) {
    let name = "very_slow_orders";
    sandbox.sql(&match sandbox.database.engine {
        Engine::Sqlite => format!(
            "CREATE TRIGGER {name} BEFORE DELETE ON orders BEGIN \
             SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n); END"
        ),
        Engine::Postgres => format!(
            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.001); RETURN OLD; END $$; \
             CREATE TRIGGER {name} BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION {name}()"
        ),
        Engine::Mysql | Engine::Mariadb => {
            format!("CREATE TRIGGER {name} BEFORE DELETE ON orders FOR EACH ROW DO SLEEP(0.001)")
        }
    });
}
