//! Doctor is clean only where a run would begin.

use super::setup::{governs, sandbox, table};
use crate::support::engine::Engine;

#[test]
fn doctor_is_clean_only_where_no_job_would_be_refused() {
    for engine in Engine::all() {
        let sandbox = sandbox(engine, &table("pa"));
        let says = |code: i32, words: &[&str]| {
            let said = sandbox.steward(["doctor"]).must_end(code);
            for word in words {
                assert!(said.stdout.contains(word), "`{word}` is not said: {said}");
            }
        };
        governs(&sandbox, "core.pa", None, "    where: \"nope = 1\"\n");
        says(3, &["✗ fail  jobs", "job `j`, `core.pa`: the condition of the policy does not work"]);
        governs(&sandbox, "core.pa", None, "");
        sandbox.policy("h", "holds:\n  - { name: case-1, dataset: core.gone, because: litigation }\n");
        says(3, &["✗ fail  jobs", "SW4070"]);
        std::fs::remove_file(sandbox.path("policies/h.yaml")).expect("it was there");
        says(0, &["✓ ok  jobs"]);
        if engine == Engine::Postgres {
            sandbox.sql("CREATE MATERIALIZED VIEW sums AS SELECT id FROM pa");
            sandbox.policy("v", "views:\n  - { name: sums, dataset: core.sums }\n");
            sandbox.job("v", "action: refresh-views\npolicies: [sums]\n");
            says(3, &["job `v`, `core.sums`", "has no unique index"]);
            sandbox.sql("CREATE UNIQUE INDEX ON sums (id)");
            says(0, &["nothing in the stores keeps one from its datasets"]);
        }
    }
}
