//! Tables that are published without a replica identity: PostgreSQL refuses to remove or change their rows.

use super::setup::{self, empty, governs, is_refused, table};
use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;

fn published(script: &str) -> Sandbox {
    setup::sandbox(Engine::Postgres, script)
}

/// Refused, and after the way out, which the refusal names, done.
#[track_caller]
fn is_mended_by(sandbox: &Sandbox, words: &[&str], way_out: &str) {
    is_refused(sandbox, &["pa"], &[&["SW4088", "has no replica identity", way_out], words].concat());
    sandbox.sql(way_out);
    sandbox.steward(["run-job", "j"]).must_end(0);
}

const KEYED: &str = "CREATE TABLE pa (id integer NOT NULL, created_at {{datetime}}, note varchar(40), CONSTRAINT pa_id UNIQUE (id)); \
     INSERT INTO pa VALUES (1, '2020-01-01', 'due'), (2, '2099-01-01', 'young'); CREATE PUBLICATION pub_{{name}} FOR TABLE pa;";

#[test]
fn a_published_table_without_replica_identity_is_refused_with_the_statement_that_gives_it_one() {
    for archive in [None, Some("core.arch")] {
        let sandbox = published(&(KEYED.replace("{{name}}", "a") + &empty("arch")));
        governs(&sandbox, "core.pa", archive, "");
        is_mended_by(
            &sandbox,
            &["`public.pa` is published by `pub_a`"],
            "ALTER TABLE public.pa REPLICA IDENTITY USING INDEX pa_id;",
        );
    }
    // Marked rows are updates; what is published of inserts alone needs no identity.
    let sandbox = published(&KEYED.replace("{{name}}", "b"));
    sandbox.policy(
        "p",
        "sessions:\n  - { name: p, dataset: core.pa, expires: created_at, set: { note: over }, guard: { max_percent: 100 } }\n",
    );
    sandbox.job("j", "action: expire-sessions\npolicies: [p]\nmode: enforce\n");
    is_mended_by(&sandbox, &["to change its rows"], "ALTER TABLE public.pa REPLICA IDENTITY USING INDEX pa_id;");
    let sandbox = published(&KEYED.replace("{{name}}", "c"));
    sandbox.sql("ALTER PUBLICATION pub_c SET (publish = 'insert')");
    governs(&sandbox, "core.pa", None, "");
    sandbox.steward(["run-job", "j"]).must_end(0);
}

#[test]
fn a_partition_and_a_child_that_are_published_without_replica_identity_are_found_as_well() {
    let sandbox = published(
        "CREATE TABLE pa (id integer NOT NULL, created_at timestamptz NOT NULL, UNIQUE (id, created_at)) PARTITION BY RANGE (created_at); \
         CREATE TABLE pa_old PARTITION OF pa FOR VALUES FROM ('2000-01-01') TO ('2050-01-01'); \
         INSERT INTO pa VALUES (1, '2020-01-01'); CREATE PUBLICATION pub FOR TABLE pa WITH (publish_via_partition_root = true)",
    );
    governs(&sandbox, "core.pa", None, "");
    let index = "ALTER TABLE public.pa_old REPLICA IDENTITY USING INDEX pa_old_id_created_at_key;";
    is_mended_by(&sandbox, &["`public.pa_old`"], index);

    let child = "CREATE TABLE ch (pa integer REFERENCES pa (id) ON DELETE CASCADE); INSERT INTO ch VALUES (1); CREATE PUBLICATION pub FOR ALL TABLES;";
    let sandbox = published(&(table("pa") + child));
    governs(&sandbox, "core.pa", None, "    cascade: allow\n");
    is_mended_by(&sandbox, &["`public.ch`", "to remove its rows"], "ALTER TABLE public.ch REPLICA IDENTITY FULL;");
    let child = child.replace("CASCADE", "SET NULL");
    let sandbox = published(&(table("pa") + &child));
    governs(&sandbox, "core.pa", None, "    cascade: allow\n");
    is_mended_by(&sandbox, &["`public.ch`", "to change its rows"], "ALTER TABLE public.ch REPLICA IDENTITY FULL;");
}
