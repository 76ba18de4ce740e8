//! What fires during a batch: triggers on every side, before the commit or at it, and rules.

use super::setup::{empty, governs, is_refused, sandbox, table, words};
use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;

/// A trigger that runs a statement after an event on each row.
fn trigger(sandbox: &Sandbox, engine: Engine, name: &str, event: &str, on: &str, does: &str) {
    sandbox.sql(&match engine {
        Engine::Postgres => format!(
            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {does}; RETURN NULL; END $$; \
             CREATE TRIGGER {name} AFTER {event} ON {on} FOR EACH ROW EXECUTE FUNCTION {name}()"
        ),
        Engine::Sqlite => format!("CREATE TRIGGER {name} AFTER {event} ON {on} BEGIN {does}; END"),
        _ => format!("CREATE TRIGGER {name} AFTER {event} ON {on} FOR EACH ROW {does}"),
    });
}

#[test]
fn what_a_trigger_does_after_the_proof_rolls_the_batch_back() {
    for engine in Engine::all() {
        for does in ["DELETE FROM arch WHERE id = OLD.id", "UPDATE arch SET note = 'other' WHERE id = OLD.id"] {
            let sandbox = sandbox(engine, &(table("pa") + &empty("arch")));
            trigger(&sandbox, engine, "undoes", "DELETE", "pa", does);
            governs(&sandbox, "core.pa", Some("core.arch"), "");
            let before = sandbox.database.dump("pa");
            let said = sandbox.steward(["run-job", "j", "--json"]).must_end(4);
            for word in ["SW4046", "`undoes` of", "rolled back"] {
                assert!(said.stdout.contains(word), "{word}: {said}");
            }
            assert_eq!((sandbox.database.dump("pa"), sandbox.database.count("SELECT COUNT(*) FROM arch")), (before, 0), "{said}");
            let plan = sandbox.steward(["plan", "j"]);
            assert!(plan.stdout.contains("trigger `undoes` fires when rows of"), "{plan}");
        }
    }
}

#[test]
fn a_trigger_that_leaves_rows_and_copies_alone_lets_them_go() {
    for engine in Engine::all() {
        let sandbox = sandbox(engine, &(table("pa") + &empty("arch") + "CREATE TABLE seen (id integer);"));
        trigger(&sandbox, engine, "notes_removal", "DELETE", "pa", "INSERT INTO seen VALUES (OLD.id)");
        trigger(&sandbox, engine, "notes_arrival", "INSERT", "arch", "INSERT INTO seen VALUES (NEW.id)");
        governs(&sandbox, "core.pa", Some("core.arch"), "");
        let plan = sandbox.steward(["plan", "j"]).must_end(0);
        assert!(plan.stdout.contains("trigger `notes_arrival` fires when rows arrive in"), "{plan}");
        sandbox.steward(["run-job", "j"]).must_end(0);
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM seen"), 2);
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM arch"), 1);
    }
}

#[test]
fn a_row_that_a_trigger_puts_back_is_not_removed() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let sandbox = sandbox(engine, &table("pa"));
        trigger(&sandbox, engine, "puts_back", "DELETE", "pa", "INSERT INTO pa VALUES (OLD.id, OLD.created_at, OLD.note)");
        governs(&sandbox, "core.pa", None, "");
        let before = sandbox.database.dump("pa");
        let said = sandbox.steward(["run-job", "j", "--json"]).must_end(4);
        assert!(said.stdout.contains("were there again"), "{said}");
        assert_eq!(sandbox.database.dump("pa"), before);
    }
}

#[test]
fn triggers_of_a_child_that_goes_along_and_those_that_wait_for_the_commit_are_looked_behind() {
    let sandbox = sandbox(
        Engine::Postgres,
        &(table("pa")
            + &empty("arch")
            + "CREATE TABLE ch (id int PRIMARY KEY, pa int REFERENCES pa (id) ON DELETE CASCADE); INSERT INTO ch VALUES (7, 1); \
               CREATE FUNCTION empties() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM arch; RETURN NULL; END $$; \
               CREATE CONSTRAINT TRIGGER empties AFTER DELETE ON ch DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION empties();"),
    );
    governs(&sandbox, "core.pa", Some("core.arch"), "    cascade: allow\n");
    let before = (sandbox.database.dump("pa"), sandbox.database.dump("ch"));
    let said = sandbox.steward(["run-job", "j", "--json"]).must_end(4);
    assert!(said.stdout.contains("SW4046") && said.stdout.contains("`empties` of `core.public.ch`"), "{said}");
    assert_eq!((sandbox.database.dump("pa"), sandbox.database.dump("ch")), before);
    // One that is disabled does not fire, and is not named.
    sandbox.sql("ALTER TABLE ch DISABLE TRIGGER empties");
    sandbox.steward(["run-job", "j"]).must_end(0);
    assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM arch"), 1);
}

#[test]
fn triggers_of_partitions_are_named_once() {
    let sandbox = sandbox(
        Engine::Postgres,
        "CREATE TABLE m (id int PRIMARY KEY, created_at timestamptz) PARTITION BY RANGE (id); \
         CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10); CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (10) TO (20); \
         INSERT INTO m VALUES (1, '2020-01-01'); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; \
         CREATE TRIGGER of_all AFTER DELETE ON m FOR EACH ROW EXECUTE FUNCTION f(); \
         CREATE TRIGGER of_one AFTER DELETE ON m1 FOR EACH ROW EXECUTE FUNCTION f(); \
         CREATE TRIGGER of_a_statement AFTER DELETE ON m2 FOR EACH STATEMENT EXECUTE FUNCTION f(); \
         CREATE TRIGGER disabled AFTER DELETE ON m1 FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE m1 DISABLE TRIGGER disabled",
    );
    governs(&sandbox, "core.m", None, "");
    let said = sandbox.steward(["plan", "j"]).must_end(0).stdout;
    assert_eq!(said.matches("trigger `of_all` fires").count(), 1, "{said}");
    assert_eq!(said.matches("trigger `of_one` of partition `public.m1` fires").count(), 1, "{said}");
    assert!(!said.contains("of_a_statement") && !said.contains("disabled"), "{said}");
    sandbox.steward(["run-job", "j"]).must_end(0);
}

#[test]
fn a_marked_row_that_a_trigger_takes_away_or_marks_back_is_not_told_as_marked() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        for does in ["DELETE FROM pa WHERE id = OLD.id", "UPDATE pa SET note = 'back' WHERE id = OLD.id AND note <> 'back'"] {
            let sandbox = sandbox(engine, &table("pa"));
            trigger(&sandbox, engine, "undoes", "UPDATE", "pa", does);
            if engine == Engine::Postgres {
                sandbox.sql(
                    "DROP TRIGGER undoes ON pa; CREATE CONSTRAINT TRIGGER undoes AFTER UPDATE ON pa DEFERRABLE INITIALLY DEFERRED \
                     FOR EACH ROW EXECUTE FUNCTION undoes()",
                );
            }
            sandbox.policy(
                "p",
                "sessions:\n  - { name: p, dataset: core.pa, expires: created_at, set: { note: over }, guard: { max_percent: 100 } }\n",
            );
            sandbox.job("j", "action: expire-sessions\npolicies: [p]\nmode: enforce\n");
            let before = sandbox.database.dump("pa");
            let said = sandbox.steward(["run-job", "j", "--json"]).must_end(3);
            assert!(said.stdout.contains("rolled back"), "{said}");
            assert_eq!(sandbox.database.dump("pa"), before, "{said}");
        }
    }
}

#[test]
fn a_rule_that_rewrites_what_is_sent_is_refused_by_name() {
    let engine = Engine::Postgres;
    let sandbox = sandbox(engine, &(table("pa") + &empty("arch") + &table("other")));
    let refuses = |rule: &str, on: &str, archive: Option<&str>| {
        sandbox.sql(&words(engine, &format!("CREATE RULE rewrites AS ON {rule}")));
        governs(&sandbox, "core.pa", archive, "");
        is_refused(&sandbox, &["pa", "arch", "other"], &["SW4042", "rule `rewrites`"]);
        sandbox.sql(&format!("DROP RULE rewrites ON {on}"));
    };
    refuses("DELETE TO pa DO INSTEAD DELETE FROM other", "pa", None);
    refuses("DELETE TO pa DO ALSO DELETE FROM other", "pa", Some("core.arch"));
    refuses("INSERT TO arch DO INSTEAD NOTHING", "arch", Some("core.arch"));
    sandbox.sql("CREATE RULE rewrites AS ON UPDATE TO pa DO INSTEAD NOTHING");
    sandbox.policy(
        "p",
        "sessions:\n  - { name: p, dataset: core.pa, expires: created_at, set: { note: over }, guard: { max_percent: 100 } }\n",
    );
    sandbox.job("j", "action: expire-sessions\npolicies: [p]\nmode: enforce\n");
    is_refused(&sandbox, &["pa"], &["SW4042", "rewrites UPDATE"]);
    // A rule on what is not sent changes nothing.
    governs(&sandbox, "core.pa", Some("core.arch"), "");
    sandbox.steward(["run-job", "j"]).must_end(0);
    assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM arch"), 1);
    sandbox.policy("p", "views:\n  - { name: p, dataset: core.other, statement: [\"DELETE FROM other\", \"INSERT INTO other SELECT * FROM pa\"] }\n");
    sandbox.job("j", "action: refresh-views\npolicies: [p]\nmode: enforce\n");
    sandbox.sql("CREATE RULE rewrites AS ON INSERT TO other DO INSTEAD NOTHING");
    is_refused(&sandbox, &["other"], &["SW4042"]);
}
