//! Holds that work for some rows and fail for others.

use super::setup::{governs, parents};
use crate::support::engine::Engine;

/// A condition that fails for row 5 alone, where the engine has one.
const fn failing(engine: Engine) -> Option<&'static str> {
    match engine {
        Engine::Postgres => Some("1 / (id - 5) = 1"),
        Engine::Sqlite => Some("abs(CASE id WHEN 5 THEN -9223372036854775807 - 1 ELSE 1 END) = 2"),
        Engine::Mysql => Some("json_extract(CASE id WHEN 5 THEN '{' ELSE '{}' END, '$.a') = 1"),
        // What fails for a row is NULL there, with a warning: it is held.
        Engine::Mariadb => None,
    }
}

on_every_engine!(
    /// It is refused where it is added, and one that is in a file refuses its dataset, by its name.
    a_hold_that_fails_for_some_rows_is_named_and_nothing_is_touched,
    |engine: Engine| {
        let Some(condition) = failing(engine) else { return };
        let sandbox = parents(engine, 20);
        governs(&sandbox, None, "");
        let added = sandbox.steward(["hold", "add", "case-1", "--dataset", "core.pa", "--because", "law", "--where", condition]);
        assert!(added.code == Some(4) && added.stderr.contains("`case-1`"), "{added}");
        sandbox.policy(
            "h",
            &format!("holds:\n  - {{ name: case-2, dataset: core.pa, where: \"{condition}\", because: law, owner: l@example.com }}\n"),
        );
        let told = sandbox.steward(["run-job", "j", "--json"]).must_end(4);
        assert!(told.json()["datasets"][0]["reasons"].to_string().contains("hold `case-2`"), "{told}");
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM pa"), 20);
    }
);
