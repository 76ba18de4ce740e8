//! What became of a batch whose run died is read from the mark that its own transaction left, never guessed from today's rows.

use super::orders_fixture;
use super::promise_4::add_hold;
use super::under_way::{a_run_dies_in_a_batch, a_run_waits_in_a_batch, verdicts};
use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox, URL};
use crate::support::wait::until;
use steward::action::{Action, Batch, OpenBatch};
use steward::actions::archive::ArchiveRows;
use steward::actions::delete::DeleteRows;
use steward::actions::expire::{Expire, Sessions};
use steward::report::run::Verdict;
use steward::store::error::StoreFailure;

const JOB: &str = "archive-orders";

/// The orders fixture with an action that leaves its mark in no archive: an archive that knows no batches, none at all, rows that stay.
fn sandbox(engine: Engine, action: &str) -> Sandbox {
    let sandbox = orders_fixture::open(engine);
    sandbox.sql(&orders_fixture::tables(engine, "orders_archive"));
    sandbox.policy("orders", &policy(action));
    sandbox.job(JOB, &orders_fixture::job(action));
    // SQLite makes the table of marks under the lock that the runs below must wait for.
    sandbox.sql(&orders_fixture::insert("orders", &[800]));
    sandbox.steward(["run-job", JOB]).must_end(0);
    sandbox.sql("DELETE FROM orders; DELETE FROM orders_archive");
    orders_fixture::fill(&sandbox, 20);
    sandbox
}

fn policy(action: &str) -> String {
    match action {
        "archive" => orders_fixture::policy("").replace(", create: true", ""),
        "delete" => orders_fixture::DELETE.to_owned(),
        _ => orders_fixture::expiring("sessions", "    set: { note: over }\n"),
    }
}

on_every_engine!(
    /// Counted by today's predicate none of its rows would be due any more, and the batch would be told as carried out.
    what_was_rolled_back_stays_rolled_back_whatever_changed_since,
    |engine: Engine| {
        for (action, changed) in
            [("archive", "hold"), ("delete", "period"), ("expire-sessions", "where"), ("delete", "re-dated"), ("archive", "gone")]
        {
            let sandbox = sandbox(engine, action);
            a_run_dies_in_a_batch(&sandbox);
            match changed {
                "hold" => add_hold(&sandbox, "core.orders"),
                "period" => sandbox.policy("orders", &policy(action).replace("1 year", "200 years")),
                "where" => sandbox.policy("orders", &(policy(action) + "    where: \"id < 0\"\n")),
                "re-dated" => sandbox.sql("UPDATE orders SET created_at = '2098-01-01 00:00:00' WHERE id < 900"),
                _ => sandbox.sql("DELETE FROM orders WHERE id < 900"),
            }
            let ended = sandbox.steward(["run-job", JOB]).must_end(0);
            assert_eq!(verdicts(&sandbox), ["rolled back"], "{action}, {changed}: {ended}");
            assert_eq!(orders_fixture::open_batches(&sandbox, JOB), []);
            let left = if changed == "gone" { 0 } else { 20 };
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders WHERE id < 900"), left, "{action}, {changed}");
            orders_fixture::must_be_whole(&sandbox);
        }
    }
);

on_every_engine!(
    /// Counted, some rows or all of them would stand in its range, and the batch would be told as rolled back, or as unclear.
    what_was_committed_stays_committed_whatever_came_since,
    |engine: Engine| {
        for (action, changed) in [("archive", "others"), ("delete", "the same"), ("expire-sessions", "unmarked")] {
            let sandbox = sandbox(engine, action);
            dies_after_its_commit(&sandbox, || match action {
                "expire-sessions" => sandbox.database.count("SELECT COUNT(*) FROM orders WHERE note = 'over'") > 0,
                _ => orders_fixture::orders(&sandbox) < 25,
            });
            match changed {
                "others" => sandbox.sql(&orders_fixture::insert("orders", &(101..=120).collect::<Vec<_>>())),
                "the same" => sandbox.sql(&orders_fixture::insert("orders", &(1..=20).collect::<Vec<_>>())),
                _ => sandbox.sql("UPDATE orders SET note = 'again' WHERE note = 'over'"),
            }
            let ended = sandbox.steward(["run-job", JOB]).must_end(0);
            assert_eq!(verdicts(&sandbox), ["applied"], "{action}, {changed}: {ended}");
            let due = if action == "expire-sessions" { "note = 'again'" } else { "id < 900" };
            assert_eq!(sandbox.database.count(&format!("SELECT COUNT(*) FROM orders WHERE {due}")), 0, "they are due in their turn");
            orders_fixture::must_be_whole(&sandbox);
        }
    }
);

/// Kills a run that has committed its batch and cannot say so: the ledger is kept busy.
fn dies_after_its_commit(sandbox: &Sandbox, is_committed: impl Fn() -> bool) {
    let (holder, mut run) = a_run_waits_in_a_batch(sandbox);
    let ledger = orders_fixture::Busy::new(&sandbox.path("state/steward.db"));
    drop(holder);
    until("the batch is committed", is_committed);
    run.kill().expect("SIGKILL");
    run.wait().expect("its end");
    drop(ledger);
    assert_eq!(orders_fixture::open_batches(sandbox, JOB).len(), 1);
}

on_every_engine!(
    /// A run that was taken for dead, and its batch settled, commits nothing when it wakes up. Asked again the answer is the same.
    what_was_settled_as_rolled_back_can_no_longer_be_committed,
    |engine: Engine| {
        fenced::<ArchiveRows>(&sandbox(engine, "archive"));
        fenced::<DeleteRows>(&sandbox(engine, "delete"));
        fenced::<Expire<Sessions>>(&sandbox(engine, "expire-sessions"));
    }
);

fn fenced<A: Action>(sandbox: &Sandbox) {
    let before = sandbox.database.dump("orders");
    orders_fixture::wait(async {
        let cx = orders_fixture::context(sandbox, JOB, vec![]);
        let target = A::targets(&cx.job, &cx.policies).into_iter().next().expect("a target");
        let [sleeper, other] = [
            A::prepare(&cx, &target, chrono::Utc::now()).await.expect("prepared"),
            A::prepare(&cx, &target, chrono::Utc::now()).await.expect("prepared"),
        ];
        assert_eq!(sleeper.begin(&cx).await.expect("begun"), []);
        let page = sleeper.next(&cx, None, 100).await.expect("a page").expect("rows");
        let open = OpenBatch { id: "batch-1".into(), before: sleeper.last_batch() };
        assert_eq!(other.settle(&cx, &open).await.expect("settled"), Verdict::RolledBack);
        let woken = sleeper.apply(&cx, &Batch { id: "batch-1".into(), page: page.clone() }).await.expect_err("refused");
        assert!(matches!(&woken, StoreFailure::Refused { code, .. } if code.as_str() == "SW5011"), "{woken}");
        assert_eq!(other.settle(&cx, &open).await.expect("settled"), Verdict::RolledBack, "asked again");
        assert_eq!(sandbox.database.dump("orders"), before);

        // The next batch goes on from there; what a ledger of another time asks about is not known.
        other.begin(&cx).await.expect("begun");
        let open = OpenBatch { id: "batch-2".into(), before: other.last_batch() };
        other.apply(&cx, &Batch { id: "batch-2".into(), page }).await.expect("applied");
        assert_eq!(sleeper.settle(&cx, &open).await.expect("settled"), Verdict::Applied);
        let old = OpenBatch { id: "batch-0".into(), before: Some("none".into()) };
        assert_eq!(sleeper.settle(&cx, &old).await.expect("settled"), Verdict::Unclear);
        let unmarked = OpenBatch { id: "batch-2".into(), before: None };
        assert_eq!(sleeper.settle(&cx, &unmarked).await.expect("settled"), Verdict::Unclear);
    });
}

on_every_engine!(
    /// The name is ours, and the table may not be: it is left alone, and nothing goes without a mark that can be trusted.
    a_table_of_that_name_that_is_not_ours_is_left_alone,
    |engine: Engine| {
        let sandbox = orders_fixture::open_with(engine, 3);
        sandbox.policy("orders", orders_fixture::DELETE);
        sandbox.job(JOB, &orders_fixture::job("delete"));
        sandbox.sql("CREATE TABLE steward_batches (id integer NOT NULL PRIMARY KEY, batch varchar(64))");
        let told = sandbox.steward(["run-job", JOB]).must_end(4);
        assert!(told.stdout.contains("steward_batches") && told.stdout.contains("SW5011"), "{told}");
        assert_eq!((orders_fixture::orders(&sandbox), sandbox.database.count("SELECT COUNT(*) FROM steward_batches")), (8, 0));
    }
);

/// Without the right to make the table the work is done, and the report says what that means; `plan --sql` prints what is
/// missing, and with it given the next run leaves its marks.
#[test]
fn without_the_right_to_make_the_table_the_run_says_so_and_goes_on() {
    let sandbox = orders_fixture::open_with(Engine::Postgres, 20);
    sandbox.policy("orders", orders_fixture::DELETE);
    sandbox.job(JOB, &orders_fixture::job("delete"));
    let name = format!("s_{}", sandbox.database.name);
    sandbox.sql(&format!(
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE \"{name}\" LOGIN PASSWORD 'pw-of-a-test'; \
         GRANT SELECT, UPDATE, DELETE ON orders TO \"{name}\""
    ));
    let url = sandbox.database.url();
    let (scheme, rest) = url.split_once("://").expect("a url");
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let url = format!("{scheme}://{name}:pw-of-a-test@{host}");
    let steward = |words: &[&str]| -> Ended {
        sandbox.command(words.iter().copied()).env(URL, &url).output().expect("the binary starts").into()
    };
    let told = steward(&["run-job", JOB]).must_end(0);
    let plan = steward(&["plan", JOB, "--sql"]).must_end(0);
    for statement in plan.stdout.lines().filter(|line| line.contains("steward_batches") && !line.contains("UPDATE \"")) {
        sandbox.sql(statement);
    }
    sandbox.sql(&orders_fixture::insert("orders", &[1, 2]));
    let again = steward(&["run-job", JOB]).must_end(0);
    let marks = sandbox.database.count("SELECT COUNT(*) FROM steward_batches WHERE batch <> 'none'");
    sandbox.sql(&format!("DROP OWNED BY \"{name}\"; DROP ROLE \"{name}\""));
    assert!(told.stdout.contains("leave no mark in `core.public.steward_batches`"), "{told}");
    assert!(!again.stdout.contains("leave no mark"), "{again}");
    assert_eq!((orders_fixture::orders(&sandbox), marks), (5, 1), "{plan}");
}
