//! Datasets of one job: what refers to other rows goes before them.

use super::setup::{children, parents};
use crate::support::engine::Engine;

on_every_engine!(
    /// Whatever order the policies stand in, and in the plan as in the run.
    a_job_over_parent_and_child_moves_both_in_one_run,
    |engine: Engine| {
        for action in ["archive", "delete"] {
            let sandbox = parents(engine, 40);
            children(&sandbox, 1..=40);
            let step = |table: &str| match action {
                "archive" => format!("archive: {{ after: 1 year, to: core.{table}_moved, create: true }}"),
                _ => "delete: { after: 1 year }".to_owned(),
            };
            let policy = |table: &str| {
                format!(
                    "  - {{ name: {table}, dataset: core.{table}, clock: created_at, {}, guard: {{ max_percent: 100 }} }}\n",
                    step(table)
                )
            };
            sandbox.policy("p", &format!("lifecycle:\n{}{}", policy("pa"), policy("ch")));
            sandbox.job("j", &format!("action: {action}\npolicies: [pa, ch]\nmode: enforce\n"));
            sandbox.least_privileged();
            let plan = sandbox.steward(["plan", "j", "--json"]).must_end(0).json();
            let order = |datasets: &serde_json::Value| {
                datasets.as_array().expect("datasets").iter().map(|dataset| dataset["policy"].to_string()).collect::<Vec<_>>()
            };
            assert_eq!(order(&plan["jobs"][0]["datasets"]), ["\"ch\"", "\"pa\""], "{plan:#}");
            let ended = sandbox.steward(["run-job", "j", "--json"]).must_end(0);
            let report = ended.json();
            assert_eq!(order(&report["datasets"]), ["\"ch\"", "\"pa\""], "{ended}");
            for dataset in report["datasets"].as_array().expect("datasets") {
                assert_eq!(dataset["removed"], 40, "{ended}");
            }
        }
    }
);
