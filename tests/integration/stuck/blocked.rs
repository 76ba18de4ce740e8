//! Rows that rows of another table keep, and rows that a trigger keeps: any number of them, anywhere, and the others go.

use super::setup::{children, governs, parents, refuses, words};
use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;
use crate::support::wait::at_once;
use serde_json::Value;

fn left(sandbox: &Sandbox) -> u64 {
    sandbox.database.count("SELECT COUNT(*) FROM pa")
}

fn dataset(report: &Value) -> &Value {
    &report["datasets"][0]
}

fn reasons(report: &Value) -> String {
    dataset(report)["reasons"].to_string()
}

/// Which rows are kept, in words and by their ids.
type Kept = (&'static str, fn(u64) -> bool);

/// Which of 500 rows are kept.
const KEPT: &[Kept] = &[
    ("the first 25", |id| id <= 25),
    ("one", |id| id == 250),
    ("every second", |id| id % 2 == 0),
    ("all but the last", |id| id < 500),
    ("all", |_| true),
];

on_every_engine!(
    /// No batch fails of them: they are known before, counted in the plan, and the run takes the others at once.
    of_500_rows_of_which_any_number_have_children_that_refuse_the_others_go_in_one_run,
    |engine: Engine| {
        for (which, is_kept) in KEPT {
            for archive in [None, Some("core.pa_archive")] {
                let sandbox = parents(engine, 500);
                let kept: Vec<u64> = (1..=500).filter(|id| is_kept(*id)).collect();
                children(&sandbox, kept.iter().copied());
                governs(&sandbox, archive, "");
                sandbox.least_privileged();
                let blocked = kept.len() as u64;
                let plan = sandbox.steward(["plan", "j", "--json"]).must_end(0).json();
                let planned = &plan["jobs"][0]["datasets"][0];
                assert_eq!((&planned["due"], &planned["left"]["blocked"]), (&500.into(), &blocked.into()), "{which}: {planned:#}");
                let text = planned["reasons"].to_string();
                assert!(text.contains("`ch`") && text.contains("NOT EXISTS") && text.contains("SW5030"), "{planned:#}");
                let ended = sandbox.steward(["run-job", "j", "--json"]).must_end(3);
                let report = ended.json();
                let told = dataset(&report);
                assert_eq!((&told["removed"], &told["left"]["blocked"]), (&(500 - blocked).into(), &blocked.into()), "{ended}");
                assert_eq!((left(&sandbox), &told["left"]["failed"]), (blocked, &0.into()), "{ended}");
                let events = sandbox.steward(["audit", "export"]).must_end(0).stdout;
                assert_eq!(events.matches("\"failed\"").count(), 0, "no batch failed: {events}");
                if archive.is_some() {
                    assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM pa_archive"), 500 - blocked);
                }
            }
        }
    }
);

on_every_engine!(
    /// The condition that the plan proposes, taken as it is, and the run is done.
    the_condition_that_leaves_blocked_rows_out_works_as_it_is_shown,
    |engine: Engine| {
        let sandbox = parents(engine, 20);
        children(&sandbox, [3, 7]);
        governs(&sandbox, None, "");
        let plan = sandbox.steward(["plan", "j", "--json"]).must_end(0).json();
        let reasons = plan["jobs"][0]["datasets"][0]["reasons"].as_array().expect("reasons").clone();
        let help = reasons.iter().find(|reason| reason["code"] == "SW5030").expect("what blocks")["help"].as_str().expect("help");
        let condition = &help[help.find("where: ").expect("a condition")..];
        governs(&sandbox, None, &format!("    {condition}\n"));
        let ended = sandbox.steward(["run-job", "j", "--json"]).must_end(0);
        assert_eq!((dataset(&ended.json())["removed"].clone(), left(&sandbox)), (18.into(), 2), "{ended}");
    }
);

on_every_engine!(
    /// What nobody can know before is found by trying, one row or all but one, and each reason is told once, with its rows.
    of_500_rows_of_which_a_trigger_keeps_any_number_the_others_go_in_one_run,
    |engine: Engine| {
        at_once([("26", "OLD.id <= 26", 26), ("all but one", "OLD.id <> 499", 499), ("scattered", "OLD.id % 9 = 0", 55)], |(which, old, kept)| {
            let sandbox = parents(engine, 500);
            refuses(&sandbox, old);
            governs(&sandbox, None, "");
            let ended = sandbox.steward(["run-job", "j", "--json"]).must_end(3);
            let report = ended.json();
            assert_eq!((left(&sandbox), &dataset(&report)["left"]["failed"]), (kept, &kept.into()), "{which}: {ended}");
            let told = reasons(&report);
            assert_eq!(told.matches(" stay: ").count(), 1, "{told}");
            assert!(told.contains(&format!("{kept} rows (id=")) && !told.contains("li@x.com"), "{told}");
        });
    }
);

on_every_engine!(
    /// The cutoff of a run is its own: what came due since the last one goes, whatever stayed then.
    a_run_after_one_in_which_rows_stayed_goes_by_its_own_cutoff,
    |engine: Engine| {
        let sandbox = parents(engine, 60);
        refuses(&sandbox, "OLD.id < 31");
        governs(&sandbox, None, "");
        sandbox.steward(["run-job", "j", "--as-of", "2021-01-01T00:30:00Z"]).must_end(3);
        sandbox.sql("INSERT INTO pa (id, created_at, note) VALUES (900, '2020-06-01 00:00:00', 'n')");
        let ended = sandbox.steward(["run-job", "j", "--json"]).must_end(3);
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM pa WHERE id >= 31"), 0, "{ended}");
        assert!(!ended.stdout.contains("goes on with the pass"), "{ended}");
    }
);

on_every_engine!(
    /// Leaves go first, then what they hung on: a thread that is due as a whole goes in one run, one with a young answer stays.
    a_table_that_refers_to_itself_is_emptied_from_its_leaves,
    |engine: Engine| {
        let sandbox = Sandbox::new(engine);
        // InnoDB removes no row that refers to itself.
        let up = if engine.is_mysql() { "NULL" } else { "4" };
        let columns = "id integer NOT NULL PRIMARY KEY, created_at {{datetime}}, up integer, CONSTRAINT own FOREIGN KEY (up) REFERENCES pa (id)";
        sandbox.sql(&words(
            engine,
            &format!(
                "CREATE TABLE pa ({columns}) {{{{table}}}}; \
                 INSERT INTO pa VALUES (1, '2020-01-01 00:00:00', NULL); INSERT INTO pa VALUES (2, '2020-01-02 00:00:00', 1); \
                 INSERT INTO pa VALUES (3, '2020-01-03 00:00:00', 2); INSERT INTO pa VALUES (4, '2020-01-04 00:00:00', {up}); \
                 INSERT INTO pa VALUES (5, '2020-01-05 00:00:00', NULL); INSERT INTO pa VALUES (6, '2099-01-01 00:00:00', 5);"
            ),
        ));
        governs(&sandbox, None, "");
        let ended = sandbox.steward(["run-job", "j", "--json"]).must_end(3);
        assert_eq!((left(&sandbox), dataset(&ended.json())["removed"].clone()), (2, 4.into()), "{ended}");
        assert!(reasons(&ended.json()).contains("foreign key `"), "{ended}");
    }
);

on_every_engine!(
    /// A key that would take rows along, where there are none, is nothing to refuse; a row that came meanwhile keeps its parent.
    a_child_table_without_rows_does_not_refuse_its_parents,
    |engine: Engine| {
        for rule in ["CASCADE", "SET NULL"] {
            let sandbox = parents(engine, 30);
            sandbox.sql(&words(
                engine,
                &format!(
                    "CREATE TABLE along (id integer NOT NULL PRIMARY KEY, pa integer, CONSTRAINT along_pa FOREIGN KEY (pa) \
                     REFERENCES pa (id) ON DELETE {rule}) {{{{table}}}};"
                ),
            ));
            governs(&sandbox, None, "");
            let arrives = "INSERT INTO along VALUES (1, 30)";
            sandbox.sql(arrives);
            sandbox.steward(["run-job", "j"]).must_end(4);
            sandbox.sql("DELETE FROM along");
            sandbox.steward(["plan", "j"]).must_end(0);
            sandbox.steward(["run-job", "j"]).must_end(0);
            assert_eq!(left(&sandbox), 0);
        }
    }
);
