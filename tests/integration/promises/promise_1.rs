//! Nothing is removed that is not provably copied: freeze, copy, read the copy back, remove with the whole predicate
//! repeated, require removed = copied, else roll back. A row changed or inserted meanwhile stays.

use super::orders_fixture;
use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox};
use steward::action::{Action, Batch, Tally};

mod nothing_is_removed_that_is_not_provably_copied {
    use super::*;

    on_every_engine!(
        /// Scenario 9: the application re-opens a row after it was read and before it is removed.
        a_row_changed_meanwhile_stays_and_is_counted,
        |engine: Engine| {
            let sandbox = orders_fixture::open_with(engine, 20);
            let tally = with_a_change_in_between(&sandbox, "UPDATE orders SET created_at = '2099-06-01 00:00:00' WHERE id IN (3, 4)");
            assert_eq!((tally.counts.by_key("archived"), tally.counts.by_key("removed"), tally.changed), (Some(18), Some(18), 2));
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders WHERE id IN (3, 4)"), 2);
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders_archive"), 18);
        }
    );

    on_every_engine!(
        /// What is archived is the row as it is when it is frozen, not as it was when its key was read.
        a_row_edited_meanwhile_and_still_due_is_archived_as_it_is_now,
        |engine: Engine| {
            let sandbox = orders_fixture::open_with(engine, 20);
            let tally = with_a_change_in_between(&sandbox, "UPDATE orders SET note = 'edited' WHERE id = 5");
            assert_eq!((tally.counts.by_key("archived"), tally.counts.by_key("removed"), tally.changed), (Some(20), Some(20), 0));
            assert_eq!(sandbox.database.value("SELECT note FROM orders_archive WHERE id = 5").as_deref(), Some("edited"));
        }
    );

    on_every_engine!(
        /// The policy's own condition is repeated in the removal too.
        a_row_that_left_the_condition_meanwhile_stays,
        |engine: Engine| {
            let sandbox = orders_fixture::open_with(engine, 20);
            sandbox.policy("orders", &orders_fixture::policy("    where: \"amount > 0\"\n"));
            let tally = with_a_change_in_between(&sandbox, "UPDATE orders SET amount = 0 WHERE id = 7");
            assert_eq!((tally.counts.by_key("archived"), tally.counts.by_key("removed"), tally.changed), (Some(19), Some(19), 1));
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders WHERE id = 7"), 1);
        }
    );

    on_every_engine!(
        /// Scenario 8: a due row enters the key range and the time range of the batch; it was not read, so it survives.
        a_row_inserted_into_the_key_range_survives,
        |engine: Engine| {
            let sandbox = orders_fixture::open(engine);
            sandbox.sql(&orders_fixture::insert("orders", &(1..=40).filter(|id| id % 2 == 0).collect::<Vec<_>>()));
            let before = orders_fixture::everything(&sandbox).len();
            let tally = with_a_change_in_between(&sandbox, &orders_fixture::insert("orders", &[9, 11, 13]));
            assert_eq!((tally.counts.by_key("archived"), tally.counts.by_key("removed"), tally.changed), (Some(20), Some(20), 0));
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders WHERE id IN (9, 11, 13)"), 3);
            assert_eq!(orders_fixture::everything(&sandbox).len(), before + 3);
        }
    );

    on_every_engine!(a_row_deleted_meanwhile_is_not_archived, |engine: Engine| {
        let sandbox = orders_fixture::open_with(engine, 20);
        let tally = with_a_change_in_between(&sandbox, "DELETE FROM orders WHERE id IN (1, 2, 20)");
        assert_eq!((tally.counts.by_key("archived"), tally.counts.by_key("removed"), tally.changed), (Some(17), Some(17), 3));
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders_archive WHERE id IN (1, 2, 20)"), 0);
    });

    on_every_engine!(
        /// A batch that a crashed run half knew is repeated: what is gone is gone, nothing comes twice.
        the_same_batch_twice_moves_each_row_once,
        |engine: Engine| {
            let sandbox = orders_fixture::open_with(engine, 20);
            let before = orders_fixture::everything(&sandbox);
            orders_fixture::wait(async {
                let cx = orders_fixture::context(&sandbox, "archive-orders", vec![]);
                let action = orders_fixture::archive(&cx).await;
                let page = action.next(&cx, None, 100).await.expect("a page").expect("rows");
                let batch = Batch { id: "batch-1".into(), page };
                assert_eq!(action.apply(&cx, &batch).await.expect("the first time").counts.by_key("archived"), Some(20));
                let again = action.apply(&cx, &batch).await.expect("the second time");
                assert_eq!((again.counts.by_key("archived"), again.counts.by_key("removed"), again.changed), (Some(0), Some(0), 20));
            });
            assert_eq!(orders_fixture::everything(&sandbox), before);
        }
    );

    on_every_engine!(
        /// A trigger of the archive edits what arrives: the copy is not the row, so the row stays.
        an_archive_that_alters_the_copy_gets_nothing,
        |engine: Engine| {
            let sandbox = ready(engine);
            sandbox.sql(&altering_trigger(engine));
            let told = refuses_every_row(&sandbox);
            assert!(told.stdout.contains("read back the same"), "{told}");
        }
    );

    on_every_engine!(
        /// A trigger of the archive drops what arrives.
        an_archive_that_swallows_the_copy_gets_nothing,
        |engine: Engine| {
            let Some(trigger) = swallowing_trigger(engine, "orders_archive", "INSERT") else { return };
            let sandbox = ready(engine);
            sandbox.sql(&trigger);
            refuses_every_row(&sandbox);
        }
    );

    on_every_engine!(
        /// The archive computes a column itself, and otherwise than the source holds it.
        an_archive_whose_generated_column_differs_gets_nothing,
        |engine: Engine| {
            let sandbox = ready(engine);
            sandbox.sql("DROP TABLE orders_archive");
            let (time, text) = (engine.word("datetime6").expect("a word"), engine.word("text").expect("a word"));
            sandbox.sql(&format!(
                "CREATE TABLE orders_archive (id integer NOT NULL PRIMARY KEY, customer varchar(60) NOT NULL, \
                 amount decimal(20,4) GENERATED ALWAYS AS (id * 2) STORED, note {text}, created_at {time})"
            ));
            refuses_every_row(&sandbox);
        }
    );

    on_every_engine!(
        /// A trigger of the source keeps rows from leaving without an error: removed would not equal copied.
        a_source_that_keeps_its_rows_silently_gives_none,
        |engine: Engine| {
            let Some(trigger) = swallowing_trigger(engine, "orders", "DELETE") else { return };
            let sandbox = ready(engine);
            sandbox.sql(&trigger);
            let told = refuses_every_row(&sandbox);
            assert!(told.stdout.contains("were removed; the batch was rolled back"), "{told}");
        }
    );

    on_every_engine!(
        /// One row that cannot be archived does not keep the others back, and is told every night, not only the first.
        one_row_that_the_archive_refuses_stays_and_the_others_go,
        |engine: Engine| {
            let sandbox = orders_fixture::open_with(engine, 300);
            orders_fixture::make_archive(&sandbox);
            sandbox.sql(&refusing_trigger(engine, 77));
            let before = orders_fixture::everything(&sandbox);
            for night in ["the first", "the second", "the third"] {
                let told = sandbox.steward(["run-job", "archive-orders", "--json"]);
                assert_eq!(told.code, Some(3), "{night} night: {told}");
                assert_eq!(told.json()["datasets"][0]["left"]["failed"], 1, "{night} night: {told}");
                assert_eq!(told.json()["datasets"][0]["debt"]["rows"], 1, "{night} night: {told}");
                assert_eq!(orders_fixture::orders(&sandbox), 6, "{night} night");
                assert_eq!(orders_fixture::everything(&sandbox), before);
            }
        }
    );

    on_every_engine!(
        /// Scenario 7: same key, same content: the source row may go. Same key, other content: it stays, is named, and the run is not done.
        what_the_archive_holds_already_is_compared,
        |engine: Engine| {
            let sandbox = orders_fixture::open_with(engine, 50);
            orders_fixture::make_archive(&sandbox);
            sandbox.sql("INSERT INTO orders_archive (id, customer, amount, note, created_at) SELECT id, customer, amount, note, created_at FROM orders WHERE id <= 10");
            sandbox.sql("UPDATE orders_archive SET note = 'somebody else' WHERE id IN (3, 4)");
            let held = sandbox.database.dump("orders_archive");
            let told = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(3);
            let dataset = &told.json()["datasets"][0];
            assert_eq!(
                (&dataset["archived"], &dataset["already_archived"], &dataset["removed"], &dataset["left"]["conflict"]),
                (&40.into(), &8.into(), &48.into(), &2.into()),
                "{told}"
            );
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders WHERE id IN (3, 4)"), 2);
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM orders WHERE id <= 50"), 2);
            assert!(told.stdout.contains("id=3") && told.stdout.contains("id=4"), "{told}");
            for row in held.lines() {
                assert!(sandbox.database.dump("orders_archive").contains(row), "the archive lost or changed {row}");
            }
        }
    );

    on_every_engine!(
        /// NULL against empty, trailing spaces, letter case, a fourth decimal: nearly the same is not the same.
        nearly_the_same_is_a_conflict,
        |engine: Engine| {
            let sandbox = orders_fixture::open(engine);
            orders_fixture::make_archive(&sandbox);
            let (row, copies) = (
                "'Acme ', 1.0000, NULL, '2020-01-01 00:00:00'",
                ["'Acme', 1.0000, NULL", "'acme ', 1.0000, NULL", "'Acme ', 1.0001, NULL", "'Acme ', 1.0000, ''"],
            );
            for (id, copy) in copies.iter().enumerate() {
                sandbox.sql(&format!("INSERT INTO orders VALUES ({id}, {row})"));
                sandbox.sql(&format!(
                    "INSERT INTO orders_archive (id, customer, amount, note, created_at) VALUES ({id}, {copy}, '2020-01-01 00:00:00')"
                ));
            }
            sandbox.sql(&format!("INSERT INTO orders VALUES (4, {row})"));
            sandbox.sql(
                "INSERT INTO orders_archive (id, customer, amount, note, created_at) VALUES (4, 'Acme ', 1.0000, NULL, '2020-01-01 00:00:01')",
            );
            let before = orders_fixture::everything(&sandbox);
            let told = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(3);
            assert_eq!(told.json()["datasets"][0]["left"]["conflict"], 5, "{told}");
            assert_eq!(orders_fixture::everything(&sandbox), before);
        }
    );

    on_every_engine!(
        /// Scenario 6: refused in `prepare`, the column named, nothing touched.
        an_archive_that_cannot_take_every_row_is_refused_beforehand,
        |engine: Engine| {
            let time = engine.word("datetime6").expect("a word");
            let text = engine.word("text").expect("a word");
            let mut unfit = vec![
                (format!("id integer PRIMARY KEY, customer varchar(60), amount decimal(20,4), created_at {time}"), "note"),
                (
                    format!("id integer PRIMARY KEY, customer varchar(60), amount decimal(20,4), note {text}, created_at {time}, region integer NOT NULL"),
                    "region",
                ),
            ];
            if engine != Engine::Sqlite {
                unfit.push((
                    format!("id integer PRIMARY KEY, customer varchar(20), amount decimal(20,4), note {text}, created_at {time}"),
                    "customer",
                ));
                unfit.push((
                    format!("id integer PRIMARY KEY, customer varchar(60), amount decimal(20,2), note {text}, created_at {time}"),
                    "amount",
                ));
            }
            for (columns, named) in unfit {
                let sandbox = orders_fixture::open_with(engine, 10);
                sandbox.sql(&format!("CREATE TABLE orders_archive ({columns})"));
                let before = orders_fixture::everything(&sandbox);
                let told = sandbox.steward(["run-job", "archive-orders"]).must_end(4);
                assert!(told.stdout.contains(&format!("`{named}`")), "{named} is not named: {told}");
                assert_eq!(orders_fixture::everything(&sandbox), before);
                assert_eq!(orders_fixture::events(&sandbox).iter().filter(|event| event.text().expect("a text").0 == "intent").count(), 0);
            }
        }
    );
}

/// Reads a page, lets somebody else change the table, carries the page out.
fn with_a_change_in_between(sandbox: &Sandbox, change: &str) -> Tally {
    orders_fixture::wait(async {
        let cx = orders_fixture::context(sandbox, "archive-orders", vec![]);
        let action = orders_fixture::archive(&cx).await;
        let page = action.next(&cx, None, 100).await.expect("a page").expect("rows");
        sandbox.sql(change);
        action.apply(&cx, &Batch { id: "batch-1".into(), page }).await.expect("applied")
    })
}

/// Thirty due rows and an archive made beforehand.
fn ready(engine: Engine) -> Sandbox {
    let sandbox = orders_fixture::open_with(engine, 30);
    orders_fixture::make_archive(&sandbox);
    sandbox
}

/// A run that gives up with 3, and left both tables as they were.
#[track_caller]
fn refuses_every_row(sandbox: &Sandbox) -> Ended {
    let before = (sandbox.database.dump("orders"), sandbox.database.dump("orders_archive"));
    let told = sandbox.steward(["run-job", "archive-orders"]).must_end(3);
    assert_eq!((sandbox.database.dump("orders"), sandbox.database.dump("orders_archive")), before);
    orders_fixture::must_be_whole(sandbox);
    assert_eq!(orders_fixture::told_archived(sandbox), 0);
    assert_eq!(orders_fixture::open_batches(sandbox, "archive-orders"), []);
    told
}

fn altering_trigger(engine: Engine) -> String {
    match engine {
        Engine::Sqlite => "CREATE TRIGGER edits AFTER INSERT ON orders_archive BEGIN \
                           UPDATE orders_archive SET note = 'tidied' WHERE id = NEW.id; END"
            .into(),
        Engine::Postgres => {
            "CREATE FUNCTION edits() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := 'tidied'; RETURN NEW; END $$; \
                             CREATE TRIGGER edits BEFORE INSERT ON orders_archive FOR EACH ROW EXECUTE FUNCTION edits()"
                .into()
        }
        Engine::Mysql | Engine::Mariadb => {
            "CREATE TRIGGER edits BEFORE INSERT ON orders_archive FOR EACH ROW SET NEW.note = 'tidied'".into()
        }
    }
}

/// Drops what happens without an error; MySQL's triggers cannot.
fn swallowing_trigger(engine: Engine, table: &str, event: &str) -> Option<String> {
    match engine {
        Engine::Sqlite => Some(format!("CREATE TRIGGER swallows BEFORE {event} ON {table} BEGIN SELECT RAISE(IGNORE); END")),
        Engine::Postgres => Some(format!(
            "CREATE FUNCTION swallows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; \
             CREATE TRIGGER swallows BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION swallows()"
        )),
        Engine::Mysql | Engine::Mariadb => None,
    }
}

/// Refuses one row by its id.
fn refusing_trigger(engine: Engine, id: u64) -> String {
    match engine {
        Engine::Sqlite => format!(
            "CREATE TRIGGER refuses BEFORE INSERT ON orders_archive WHEN NEW.id = {id} BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        ),
        Engine::Postgres => format!(
            "CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF NEW.id = {id} THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$; \
             CREATE TRIGGER refuses BEFORE INSERT ON orders_archive FOR EACH ROW EXECUTE FUNCTION refuses()"
        ),
        Engine::Mysql | Engine::Mariadb => format!(
            "CREATE TRIGGER refuses BEFORE INSERT ON orders_archive FOR EACH ROW \
             BEGIN IF NEW.id = {id} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not this one'; END IF; END"
        ),
    }
}
