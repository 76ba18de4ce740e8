//! What a query may say and a removal may not is known before the first batch.

use super::setup::{empty, governs, is_refused, sandbox, table};
use crate::support::engine::Engine;

/// Rows of a note that has another row: a query on the table itself.
const OWN: &str = "note IN (SELECT o.note FROM pa o WHERE o.id < 3)";
const DERIVED: &str = "note IN (SELECT note FROM (SELECT DISTINCT note FROM pa WHERE id < 3) d)";

#[test]
fn a_condition_that_reads_its_own_table_is_refused_before_the_first_batch_where_the_engine_takes_no_such_removal() {
    for engine in Engine::all() {
        let sandbox = sandbox(engine, &(table("pa") + &empty("arch")));
        let sessions = |more: &str, condition: &str| {
            sandbox.policy("p", &format!("sessions:\n  - {{ name: p, dataset: core.pa, expires: created_at, where: \"{condition}\", guard: {{ max_percent: 100 }}{more} }}\n"));
            sandbox.job("j", "action: expire-sessions\npolicies: [p]\nmode: enforce\n");
        };
        let declare = |way: usize, condition: &str| match way {
            0 => governs(&sandbox, "core.pa", None, &format!("    where: \"{condition}\"\n")),
            1 => governs(&sandbox, "core.pa", Some("core.arch"), &format!("    where: \"{condition}\"\n")),
            2 => sessions("", condition),
            _ => sessions(", set: { note: over }", condition),
        };
        for way in 0..4 {
            declare(way, OWN);
            // MariaDB takes it in an UPDATE.
            if engine == Engine::Mysql || engine == Engine::Mariadb && way < 3 {
                is_refused(
                    &sandbox,
                    &["pa", "arch"],
                    &["SW4087", "the policy's condition: a subquery reads `core.", "derived table"],
                );
            } else {
                sandbox.steward(["validate", "--connect"]).must_end(0);
            }
            declare(way, DERIVED);
            sandbox.steward(["validate", "--connect"]).must_end(0);
            sandbox.steward(["run-job", "j"]).must_end(0);
            sandbox.sql("DELETE FROM pa; DELETE FROM arch");
            sandbox.sql(&super::setup::words(engine, &super::setup::rows("pa")));
        }
    }
}

#[test]
fn a_hold_that_reads_the_held_table_is_named_when_the_engine_takes_no_such_removal() {
    for engine in Engine::all() {
        let sandbox = sandbox(engine, &table("pa"));
        governs(&sandbox, "core.pa", None, "");
        sandbox.write(
            "policies/h.yaml",
            &format!("holds:\n  - {{ name: audit, dataset: core.pa, where: \"{OWN} AND id = 1\", because: lawsuit }}\n"),
        );
        if engine.is_mysql() {
            is_refused(&sandbox, &["pa"], &["SW4087", "hold `audit`"]);
        } else {
            sandbox.steward(["run-job", "j"]).must_end(0);
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM pa"), 2);
        }
    }
}

#[test]
fn a_name_that_is_unknown_in_a_removal_alone_is_refused_before_it() {
    let sandbox = sandbox(Engine::Postgres, &table("pa"));
    governs(&sandbox, "core.pa", None, "    where: \"ctid IS NOT NULL\"\n");
    is_refused(
        &sandbox,
        &["pa"],
        &["SW4087", "the policy's condition: column \"ctid\" does not exist", "write names with their table"],
    );
    governs(&sandbox, "core.pa", None, "    where: \"pa.ctid IS NOT NULL\"\n");
    sandbox.steward(["run-job", "j"]).must_end(0);
}
