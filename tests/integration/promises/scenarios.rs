//! Behaviours that a careful user will try (scenarios 11, 12, 38, and what lies near them).

use super::fault_proxy::Session;
use super::orders_fixture;
use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox, URL};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Takes the place in the archive that a row needs: what nobody can lock beforehand, and a batch waits for.
const ITS_PLACE: &str = "INSERT INTO orders_archive (id, customer, amount, created_at) VALUES (7, 'x', 1, '2020-01-01 00:00:00')";

on_every_engine!(
    /// Scenario 11: the whole batch once more.
    a_lock_that_is_freed_in_time_is_waited_for,
    |engine: Engine| {
        let sandbox = with_short_locks(engine, 50);
        let before = orders_fixture::everything(&sandbox);
        let other = Session::begin(&sandbox.database, "UPDATE orders SET note = note WHERE id = 7");
        let run = start(&sandbox, &["run-job", "archive-orders", "--json"]);
        if engine == Engine::Sqlite {
            wait_for_a_batch(&sandbox);
            std::thread::sleep(Duration::from_millis(2_500)); // longer than one wait for a lock
        } else {
            wait_for_the_others(&sandbox, 49); // this row is tried again for 3.5 s
        }
        drop(other);
        let told = ended(run).must_end(0);
        assert_eq!(told.json()["datasets"][0]["removed"], 50, "{told}");
        assert_eq!(orders_fixture::everything(&sandbox), before);
        orders_fixture::must_be_whole(&sandbox);
    }
);

on_every_engine!(
    /// Scenario 11: retries exhausted. SQLite's lock is on the whole file; elsewhere the other rows go.
    a_lock_that_is_never_freed_is_temporary_and_keeps_what_it_locks,
    |engine: Engine| {
        let sandbox = with_short_locks(engine, 500);
        let before = orders_fixture::everything(&sandbox);
        let other = Session::begin(&sandbox.database, "UPDATE orders SET note = note WHERE id = 7");
        let is_file = engine == Engine::Sqlite;
        let told = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(if is_file { 75 } else { 3 });
        let stay = if is_file { 500 } else { 1 };
        drop(other);
        assert_eq!(orders_fixture::everything(&sandbox), before);
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders_archive"), 500 - stay, "{told}");
        let report = told.json();
        let dataset = &report["datasets"][0];
        let reasons = dataset["reasons"].to_string();
        assert!(reasons.to_lowercase().contains("lock") && reasons.contains("temporary"), "the reason is not told: {told}");
        assert!(is_file || dataset["left"]["locked"] == 1 && reasons.contains("SW5031"), "{told}");
        assert_eq!(orders_fixture::open_batches(&sandbox, "archive-orders"), []);
        sandbox.steward(["run-job", "archive-orders"]).must_end(0);
        assert_eq!(orders_fixture::orders(&sandbox), 5);
    }
);

on_every_engine!(
    /// Where a batch waits for something else than its rows, it goes in parts: the row that waits stays, the others go.
    a_lock_on_a_place_in_the_archive_keeps_one_row_and_the_others_go,
    |engine: Engine| {
        if engine == Engine::Sqlite {
            return; // one lock, on the whole file
        }
        let sandbox = with_short_locks(engine, 60);
        let other = Session::begin(&sandbox.database, ITS_PLACE);
        let told = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(3);
        drop(other);
        let report = told.json();
        assert_eq!((orders_fixture::orders(&sandbox), &report["datasets"][0]["left"]["locked"]), (6, &1.into()), "{told}");
        sandbox.steward(["run-job", "archive-orders"]).must_end(0);
        assert_eq!(orders_fixture::orders(&sandbox), 5);
    }
);

on_every_engine!(
    /// A row that was passed by for a lock lies behind the place where a run was stopped; the next run looks there again.
    a_stop_while_a_locked_row_is_tried_again_forgets_no_row,
    |engine: Engine| {
        if engine == Engine::Sqlite {
            return; // one lock, on the whole file
        }
        let sandbox = with_short_locks(engine, 50);
        let other = Session::begin(&sandbox.database, "UPDATE orders SET note = note WHERE id = 7");
        let run = start(&sandbox, &["run-job", "archive-orders"]);
        wait_for_the_others(&sandbox, 49);
        terminate(&run);
        ended(run).must_end(75);
        drop(other);
        sandbox.steward(["run-job", "archive-orders"]).must_end(0);
        assert_eq!(orders_fixture::orders(&sandbox), 5);
    }
);

on_every_engine!(
    /// Nothing could be done, and all of it may pass by itself: 75.
    rows_that_are_all_locked_are_temporary,
    |engine: Engine| {
        let sandbox = with_short_locks(engine, 20);
        let other = Session::begin(&sandbox.database, "UPDATE orders SET note = note");
        let told = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(75);
        drop(other);
        assert_eq!(orders_fixture::orders(&sandbox), 25, "{told}");
        sandbox.steward(["run-job", "archive-orders"]).must_end(0);
    }
);

on_every_engine!(
    /// Scenario 11: a deadlock, whoever its victim is.
    a_deadlock_costs_a_retry_and_no_row,
    |engine: Engine| {
        if engine == Engine::Sqlite {
            return; // one writer: there are none
        }
        let sandbox = orders_fixture::open_with(engine, 50);
        orders_fixture::make_archive(&sandbox);
        let before = orders_fixture::everything(&sandbox);
        // The other holds one of the last rows of the batch and then wants the archive rows' place and the first rows.
        let mut other = Session::begin(&sandbox.database, "UPDATE orders SET note = note WHERE id = 19");
        let run = start(&sandbox, &["run-job", "archive-orders", "--json"]);
        if engine == Engine::Sqlite {
            wait_for_a_batch(&sandbox);
            std::thread::sleep(Duration::from_millis(300));
        } else {
            wait_for_the_others(&sandbox, 1);
        }
        let _ = other.run("UPDATE orders SET note = note WHERE id <> 19");
        drop(other);
        let told = ended(run).must_end(0);
        assert_eq!(told.json()["datasets"][0]["removed"], 50, "{told}");
        assert_eq!(orders_fixture::everything(&sandbox), before);
    }
);

on_every_engine!(
    /// Scenario 12: finished or rolled back, the lock freed, 75, and the next run goes on with the same cutoff.
    sigterm_ends_at_the_edge_of_a_batch,
    |engine: Engine| {
        let sandbox = orders_fixture::open_with(engine, 6_000);
        orders_fixture::make_archive(&sandbox);
        let before = orders_fixture::everything(&sandbox);
        orders_fixture::slow_down(&sandbox, "orders", "DELETE");
        let run = start(&sandbox, &["run-job", "archive-orders", "--json"]);
        wait_for_a_batch(&sandbox);
        terminate(&run);
        let first = ended(run).must_end(75);
        let report = first.json();
        let removed = report["datasets"][0]["removed"].as_u64().expect("a number");
        assert!(removed > 0 && removed < 6_000, "{first}");
        assert_eq!(orders_fixture::orders(&sandbox), 6_000 - removed + 5, "{first}");
        assert_eq!(orders_fixture::open_batches(&sandbox, "archive-orders"), []);
        assert_eq!(orders_fixture::told_archived(&sandbox), removed);
        let next = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(0).json();
        assert_eq!(next["datasets"][0]["cutoff"], report["datasets"][0]["cutoff"], "a pass that goes on keeps its cutoff");
        assert_eq!(next["datasets"][0]["removed"], 6_000 - removed);
        assert_eq!(orders_fixture::everything(&sandbox), before);
        orders_fixture::must_be_whole(&sandbox);
    }
);

on_every_engine!(
    /// Scenario 12: while the batch waits for a lock, the first SIGTERM waits with it, the second does not.
    a_second_sigterm_stops_at_once,
    |engine: Engine| {
        let sandbox = after_a_first_run(engine, 50);
        let before = orders_fixture::everything(&sandbox);
        let other = Session::begin(&sandbox.database, ITS_PLACE);
        let run = start(&sandbox, &["run-job", "archive-orders"]);
        wait_for_a_batch(&sandbox);
        terminate(&run);
        std::thread::sleep(Duration::from_millis(300));
        let asked = Instant::now();
        terminate(&run);
        let told = ended(run).must_end(75);
        assert!(asked.elapsed() < Duration::from_secs(4), "it took {:?}", asked.elapsed());
        assert!(told.stderr.contains("second signal"), "{told}");
        drop(other);
        let next = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(0).json();
        assert_eq!(next["settled"][0]["verdict"], "rolled_back", "{next:#}");
        assert_eq!(orders_fixture::everything(&sandbox), before);
        assert_eq!(orders_fixture::orders(&sandbox), 5);
    }
);

on_every_engine!(
    /// Whatever was done before: a stop by a signal is 75, also when it comes while a batch waits for somebody's lock.
    sigterm_while_a_batch_waits_for_a_lock_is_temporary,
    |engine: Engine| {
        let sandbox = with_short_locks(engine, 50);
        let other = Session::begin(&sandbox.database, ITS_PLACE);
        let run = start(&sandbox, &["run-job", "archive-orders"]);
        wait_for_a_batch(&sandbox);
        terminate(&run);
        let told = ended(run).must_end(75);
        drop(other);
        assert!(told.stdout.contains("signal"), "it does not say that it was stopped: {told}");
        assert_eq!(orders_fixture::open_batches(&sandbox, "archive-orders"), []);
        sandbox.steward(["run-job", "archive-orders"]).must_end(0);
        assert_eq!(orders_fixture::orders(&sandbox), 5);
    }
);

on_every_engine!(
    /// Scenario 38.
    a_policy_edited_while_its_job_runs_does_not_change_the_running_pass,
    |engine: Engine| {
        let sandbox = orders_fixture::open_with(engine, 4_000);
        orders_fixture::make_archive(&sandbox);
        orders_fixture::slow_down(&sandbox, "orders", "DELETE");
        let run = start(&sandbox, &["run-job", "archive-orders", "--json"]);
        wait_for_a_batch(&sandbox);
        sandbox.policy("orders", &orders_fixture::policy("    where: \"id < 0\"\n"));
        assert_eq!(ended(run).must_end(0).json()["datasets"][0]["removed"], 4_000);
        assert_eq!(orders_fixture::orders(&sandbox), 5);
    }
);

on_every_engine!(
    /// Two jobs, one table, at the same time: every row is moved once.
    two_jobs_at_once_on_one_table_move_each_row_once,
    |engine: Engine| {
        let sandbox = orders_fixture::open_with(engine, 4_000);
        orders_fixture::make_archive(&sandbox);
        let before = orders_fixture::everything(&sandbox);
        sandbox.job("another", &orders_fixture::job("archive"));
        let runs = [start(&sandbox, &["run-job", "archive-orders", "--json"]), start(&sandbox, &["run-job", "another", "--json"])];
        let told = runs.map(ended);
        let mut moved = 0;
        for told in &told {
            assert!(matches!(told.code, Some(0 | 3 | 75)), "{told}");
            moved += told.json()["datasets"][0]["removed"].as_u64().unwrap_or(0);
        }
        assert!(told.iter().any(|told| told.code == Some(0)), "{}\n{}", told[0], told[1]);
        sandbox.steward(["run-job", "archive-orders"]).must_end(0);
        assert_eq!(orders_fixture::everything(&sandbox), before);
        assert_eq!(orders_fixture::orders(&sandbox), 5);
        assert_eq!(moved, 4_000, "the reports tell of another number of rows:\n{}\n{}", told[0], told[1]);
    }
);

on_every_engine!(
    /// A budget beyond all years, and a table without a row.
    a_huge_budget_and_no_rows,
    |engine: Engine| {
        let sandbox = orders_fixture::open(engine);
        for budget in ["1 day", "100000 days", "900000000 days"] {
            sandbox.job("archive-orders", &format!("{}budget: {budget}\n", orders_fixture::job("archive")));
            let told = sandbox.steward(["run-job", "archive-orders"]);
            assert!(matches!(told.code, Some(0 | 78)), "{budget}: {told}");
            assert!(!told.stderr.contains("panicked"), "{budget}: {told}");
        }
        assert!(!orders_fixture::archive_is_there(&sandbox), "an archive was made for nothing");
    }
);

on_every_engine!(
    /// A ledger that cannot be written refuses everything, before anything is touched.
    without_a_ledger_nothing_is_touched,
    |engine: Engine| {
        let sandbox = orders_fixture::open_with(engine, 20);
        let before = orders_fixture::everything(&sandbox);
        for ledger in ["sqlite:/proc/steward.db", "sqlite:/dev/null", "sqlite:steward.yaml", "sqlite:jobs"] {
            sandbox.write(
                "steward.yaml",
                &format!("stores:\n  core: {{ url: {{ env: {URL} }} }}\nstate: state/\nledger: \"{ledger}\"\npolicies: [policies/]\njobs: jobs/\n"),
            );
            let told = sandbox.steward(["run-job", "archive-orders"]);
            assert!(matches!(told.code, Some(3 | 75 | 78)), "{ledger}: {told}");
            assert!(told.stderr.contains("ledger"), "{ledger}: {told}");
            assert_eq!(orders_fixture::everything(&sandbox), before, "{ledger}");
            assert!(!orders_fixture::archive_is_there(&sandbox), "{ledger}: an archive was made");
        }
    }
);

on_every_engine!(
    /// Scenario 44, light: values of secret fields are nowhere but in their tables.
    canaries_appear_nowhere,
    |engine: Engine| {
        let sandbox = orders_fixture::open(engine);
        let time = engine.word("datetime6").expect("a word");
        let tail = engine.word("table").expect("a word");
        let table = |name: &str| {
            format!(
                "CREATE TABLE {name} (email varchar(120) NOT NULL PRIMARY KEY, phone varchar(120) NOT NULL, created_at {time}) {tail};"
            )
        };
        sandbox.sql(&(table("people") + &table("people_archive")));
        sandbox.sql("CREATE UNIQUE INDEX people_phone ON people_archive (phone)");
        sandbox.sql(
            "INSERT INTO people VALUES ('canary-1@example.com', 'canary-phone-1', '2020-01-01 00:00:00'), \
             ('canary-2@example.com', 'canary-phone-2', '2020-01-01 00:00:00'), \
             ('canary-3@example.com', 'canary-o''phone-3', '2020-01-01 00:00:00')",
        );
        // One in conflict by its key, one that a unique index refuses with a message that quotes the value.
        sandbox.sql(
            "INSERT INTO people_archive VALUES ('canary-1@example.com', 'canary-other', '2020-01-01 00:00:00'), \
             ('canary-9@example.com', 'canary-o''phone-3', '2020-01-01 00:00:00')",
        );
        std::fs::remove_file(sandbox.path("policies/orders.yaml")).expect("the fixture's policy");
        sandbox.policy(
            "people",
            "lifecycle:\n  - name: people\n    dataset: core.people\n    clock: created_at\n    \
             archive: { after: 1 year, to: core.people_archive }\n    guard: { max_percent: 100 }\n\
             classification:\n  - dataset: core.people\n    fields:\n      \
             email: { type: PII, sensitivity: high, restrict: true }\n      phone: { type: PII, sensitivity: critical, restrict: true }\n",
        );
        std::fs::remove_file(sandbox.path("jobs/archive-orders.yaml")).expect("the fixture's job");
        sandbox.job("people", "action: archive\npolicies: [people]\nmode: enforce\n");
        std::fs::create_dir(sandbox.path("mail")).expect("a folder");
        sandbox.config("mail: { url: \"file:mail\", from: \"steward@example.com\", to: [\"dpo@example.com\"] }\n");
        let mut said = String::new();
        for words in [&["plan", "people"][..], &["plan", "people", "--sql"], &["run-job", "people", "--dry-run"], &["run-job", "people"], &["run-job", "people", "--json"]] {
            let told = sandbox.command(words.iter().copied()).env("STEWARD_LOG", "trace,sqlx=trace").output().expect("its end");
            let told = Ended::from(told);
            said += &told.to_string();
        }
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM people"), 2, "{said}");
        no_canary("what it said", said.as_bytes());
        for folder in ["state", "mail"] {
            for path in below(&sandbox.path(folder)) {
                no_canary(&path, &std::fs::read(&path).expect("a file"));
            }
        }
    }
);

/// A condition that casts makes PostgreSQL quote the value in double quotes.
#[test]
fn a_value_that_a_condition_cannot_cast_is_not_told() {
    let sandbox = orders_fixture::open_with(Engine::Postgres, 5);
    sandbox.sql("UPDATE orders SET customer = 'canary-customer'");
    sandbox.policy("orders", &orders_fixture::policy("    where: \"customer::integer > 0\"\n"));
    let told = sandbox.steward(["run-job", "archive-orders"]);
    assert_ne!(told.code, Some(0), "{told}");
    no_canary("what it said", told.to_string().as_bytes());
    for path in below(&sandbox.path("state")) {
        no_canary(&path, &std::fs::read(&path).expect("a file"));
    }
}

fn no_canary(where_: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for canary in ["canary-", "phone-1", "phone-3", "1@example.com", "3@example.com"] {
        if let Some(at) = text.find(canary) {
            let from = text[..at].char_indices().rev().nth(200).map_or(0, |(at, _)| at);
            panic!("{where_} tells a secret value: …{}…", text[from..].chars().take(320).collect::<String>());
        }
    }
}

/// Every file below a folder as one text.
pub fn read_below(folder: &std::path::Path) -> String {
    let files = below(folder).into_iter().map(|path| std::fs::read(path).expect("a file"));
    files.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

fn below(folder: &std::path::Path) -> Vec<String> {
    let mut found = vec![];
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { found.push(path.display().to_string()) }
        }
    }
    found
}

/// An orders fixture with an archive and this many due orders, in which a run was before: the table of marks is there, so that a batch is the
/// first thing that waits for somebody's lock.
fn after_a_first_run(engine: Engine, due: u64) -> Sandbox {
    let sandbox = orders_fixture::open_with(engine, 1);
    orders_fixture::make_archive(&sandbox);
    sandbox.steward(["run-job", "archive-orders"]).must_end(0);
    sandbox.sql("DELETE FROM orders_archive");
    sandbox.sql(&orders_fixture::insert("orders", &(1..=due).collect::<Vec<u64>>()));
    sandbox
}

fn with_short_locks(engine: Engine, due: u64) -> Sandbox {
    let sandbox = after_a_first_run(engine, due);
    sandbox.write(
        "steward.yaml",
        &format!("stores:\n  core: {{ url: {{ env: {URL} }}, lock_timeout: 1 s }}\nstate: state/\nledger: \"sqlite:state/steward.db\"\npolicies: [policies/]\njobs: jobs/\n"),
    );
    sandbox
}

fn start(sandbox: &Sandbox, words: &[&str]) -> Child {
    let mut command = sandbox.command(words.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts")
}

fn ended(run: Child) -> Ended {
    run.wait_with_output().expect("its end").into()
}

fn terminate(run: &Child) {
    let sent = Command::new("kill").args(["-TERM", &run.id().to_string()]).status().expect("kill");
    assert!(sent.success(), "the signal was not sent");
}

/// Waits until rows that nobody holds are in the archive. A batch that waits for nobody may be over before one sees it open.
fn wait_for_the_others(sandbox: &Sandbox, rows: u64) {
    let there = || sandbox.database.count("SELECT COUNT(*) FROM orders_archive") >= rows;
    crate::service::until("the rows that nobody holds", Duration::from_secs(30), there);
}

fn wait_for_a_batch(sandbox: &Sandbox) {
    let began = Instant::now();
    while orders_fixture::open_batches(sandbox, "archive-orders").is_empty() {
        assert!(began.elapsed() < Duration::from_secs(20), "no batch was begun");
        std::thread::sleep(Duration::from_millis(1));
    }
}
