//! Kinds that look at a whole store, or name their datasets themselves.

use super::sight::Sight;
use crate::support::engine::Engine;

fn sql(query: &str) -> String {
    format!("checks:\n  - {{ name: c, dataset: core, sql: '{}', warn: \"> 0\" }}\n", query.replace('\'', "''"))
}

fn orders(engine: Engine) -> Sight {
    Sight::new(
        engine,
        "create table orders (id integer primary key, at {{datetime}}, paid {{text}}) {{table}};
         create table old_orders (id integer primary key, at {{datetime}}, paid {{text}}) {{table}};
         insert into orders values (1, '2020-01-01 00:00:00', 'y'), (2, '2026-01-01 00:00:00', 'n'), (3, '2026-11-01 00:00:00', 'n'), (4, null, 'n'), (5, '2026-01-02 00:00:00', 'y');
         insert into old_orders values (9, '2010-01-01 00:00:00', 'y')",
    )
}

#[test]
fn a_query_of_ones_own_gives_a_count_and_out_of_how_many() {
    for engine in Engine::all() {
        let sight = orders(engine);
        assert_eq!(sight.counts(&sql("SELECT COUNT(*) FROM orders WHERE paid = 'n'")), (3, None));
        assert_eq!(
            sight.counts(&sql("SELECT SUM(CASE WHEN paid = 'n' THEN 1 END) AS n, COUNT(*) AS a FROM orders;")),
            (3, Some(5))
        );
        assert_eq!(sight.counts(&sql("WITH x AS (SELECT 1 AS one) SELECT COUNT(*) FROM x -- of one")), (1, None));
        assert_eq!(sight.sees(&sql("SELECT 12.000 AS n")).value, 12);
        assert!(sight.sees(&sql("SELECT 0 AS n, 0 AS a")).nothing_seen);
        for (query, told) in [
            ("SELECT id FROM orders", "more than one row"),
            ("SELECT id FROM orders WHERE id > 99", "no row"),
            ("SELECT NULL AS n", "NULL"),
            ("SELECT paid FROM orders WHERE id = 1", "no whole number"),
            ("SELECT -1 AS n", "no whole number"),
            ("SELECT 1.5 AS n", "no whole number"),
            ("SELECT 1; DELETE FROM orders", "more than one statement"),
            ("SELECT COUNT(*) FROM nowhere", "store `core`"),
        ] {
            let said = sight.refuses(&sql(query));
            assert!(said.contains(told), "{} {query}: {said}", engine.name());
        }
    }
}

#[test]
fn a_query_that_would_write_is_refused_and_nothing_is_written() {
    for engine in Engine::all() {
        let sight = orders(engine);
        let dump = sight.sandbox.database.dump("orders");
        let mut attempts = vec![
            "DELETE FROM orders",
            "UPDATE orders SET paid = 'x'",
            "DROP TABLE orders",
            "SELECT 1) q; DELETE FROM orders; SELECT * FROM (SELECT 1",
            "SELECT 1 AS n) q UNION SELECT (SELECT 1",
        ];
        match engine {
            Engine::Postgres => {
                sight.sandbox.sql("CREATE SEQUENCE ticket");
                sight.sandbox.sql("CREATE FUNCTION wipe() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$ BEGIN DELETE FROM orders; RETURN 1; END $$");
                attempts.extend([
                    "WITH d AS (DELETE FROM orders RETURNING 1) SELECT COUNT(*) FROM d",
                    "SELECT wipe()",
                    "SELECT set_config('transaction_read_only', 'off', false), wipe()",
                    "SELECT $q$'$q$ AS a, wipe() --'",
                    "SELECT COUNT(*) FROM orders FOR UPDATE",
                    "SELECT setval('ticket', 7)",
                ]);
            }
            Engine::Mysql | Engine::Mariadb => {
                sight.sandbox.sql("CREATE FUNCTION wipe() RETURNS bigint DETERMINISTIC MODIFIES SQL DATA BEGIN DELETE FROM orders; RETURN 1; END");
                attempts.extend([
                    "SELECT wipe() AS n",
                    "SELECT 1 AS n INTO OUTFILE '/tmp/steward-never'",
                    "SELECT 1 AS n) q UNION SELECT * INTO OUTFILE '/tmp/steward-never' FROM (SELECT 1 AS n",
                    "SELECT 1 INTO @x",
                ]);
            }
            Engine::Sqlite => attempts.extend(["PRAGMA query_only = OFF", "SELECT 1 AS [\"] -- \""]),
        }
        for attempt in attempts {
            // What its letters give away is refused where it is declared, and never asked.
            if !sight.is_sound(&sql(attempt)) {
                continue;
            }
            let answer = sight.measure(&sql(attempt));
            let harmless = attempt.contains("[\"]");
            assert!(answer.is_err() || harmless, "{} {attempt}: {answer:?}", engine.name());
            // A store called away would keep every other check of the run from being asked.
            let away = answer.as_ref().is_err_and(steward::store::error::StoreFailure::is_temporary);
            assert!(!away, "{} {attempt}: {answer:?}", engine.name());
            assert_eq!(sight.sandbox.database.dump("orders"), dump, "{} {attempt}", engine.name());
        }
        // The next session can write: a refused query leaves nothing behind.
        sight.sql("DELETE FROM orders WHERE id = 1");
        assert_eq!(sight.counts(&sql("SELECT COUNT(*) FROM orders")), (4, None));
    }
}

#[test]
fn columns_that_nobody_classified_are_counted_and_named() {
    for engine in Engine::all() {
        let sight = orders(engine);
        let check = "checks:\n  - { name: c, dataset: core, unclassified: true, warn: \"> 0\" }\n";
        let measured = sight.sees(check);
        assert_eq!((measured.value, measured.of), (6, Some(6)), "{}", engine.name());
        let tags = "classification:\n  - dataset: core.orders\n    fields: { id: { type: key, sensitivity: low }, at: { type: time, sensitivity: low }, nowhere: { type: x, sensitivity: low } }\n";
        let measured = sight.sees(&format!("{tags}{check}"));
        assert_eq!((measured.value, measured.of), (4, Some(6)), "{}", engine.name());
        assert_eq!(measured.samples, ["old_orders.id", "old_orders.at", "old_orders.paid", "orders.paid"]);
        sight.sql("drop table orders; drop table old_orders");
        assert!(sight.sees(check).nothing_seen);
    }
}

#[test]
fn the_debt_of_retention_is_counted_without_what_is_held() {
    for engine in Engine::all() {
        let sight = orders(engine);
        let overdue =
            |policies: &str, names: &str| format!("{policies}checks:\n  - {{ name: c, overdue: {names}, warn: \"> 0\" }}\n");
        let plain = "lifecycle:\n  - { name: orders, dataset: core.orders, clock: at, delete: { after: 6 months } }\n";
        assert_eq!(sight.counts(&overdue(plain, "orders")), (3, Some(5)), "{}", engine.name());
        let held = format!(
            "{plain}holds:\n  - {{ name: case-1, dataset: core.orders, where: \"paid = 'n'\", because: law, owner: x@y.z }}\n"
        );
        let measured = sight.sees(&overdue(&held, "[ord*]"));
        assert_eq!((measured.value, measured.of), (2, Some(5)), "{measured:?}");
        assert!(measured.notes.iter().any(|note| note.contains("1 more are held")), "{measured:?}");
        let both = "lifecycle:\n  - { name: orders, dataset: core.orders, clock: at, archive: { after: 6 months, to: core.old_orders }, delete: { after: 7 years } }\n";
        let measured = sight.sees(&overdue(both, "orders"));
        assert_eq!((measured.value, measured.of), (4, Some(6)), "{measured:?}");
        assert!(sight.refuses(&overdue(plain, "nobody")).contains("`nobody` matches no lifecycle policy"));
    }
}
