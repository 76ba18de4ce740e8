//! Tables that are published without a replica identity: PostgreSQL refuses to remove or change their rows.

use super::shop::{self, empty, governs, is_refused, table};
use crate::support::engine::Engine;
use crate::support::house::House;

fn published(script: &str) -> House {
    shop::house(Engine::Postgres, script)
}

/// Refused, and after the way out, which the refusal names, done.
#[track_caller]
fn is_mended_by(house: &House, words: &[&str], way_out: &str) {
    is_refused(house, &["pa"], &[&["SW4088", "has no replica identity", way_out], words].concat());
    house.sql(way_out);
    house.steward(["run-job", "j"]).must_end(0);
}

const KEYED: &str = "CREATE TABLE pa (id integer NOT NULL, created_at {{datetime}}, note varchar(40), CONSTRAINT pa_id UNIQUE (id)); \
     INSERT INTO pa VALUES (1, '2020-01-01', 'due'), (2, '2099-01-01', 'young'); CREATE PUBLICATION pub_{{name}} FOR TABLE pa;";

#[test]
fn a_published_table_without_replica_identity_is_refused_with_the_statement_that_gives_it_one() {
    for archive in [None, Some("core.arch")] {
        let house = published(&(KEYED.replace("{{name}}", "a") + &empty("arch")));
        governs(&house, "core.pa", archive, "");
        is_mended_by(
            &house,
            &["`public.pa` is published by `pub_a`"],
            "ALTER TABLE public.pa REPLICA IDENTITY USING INDEX pa_id;",
        );
    }
    // Marked rows are updates; what is published of inserts alone needs no identity.
    let house = published(&KEYED.replace("{{name}}", "b"));
    house.policy(
        "p",
        "sessions:\n  - { name: p, dataset: core.pa, expires: created_at, set: { note: over }, guard: { max_percent: 100 } }\n",
    );
    house.job("j", "action: expire-sessions\npolicies: [p]\nmode: enforce\n");
    is_mended_by(&house, &["to change its rows"], "ALTER TABLE public.pa REPLICA IDENTITY USING INDEX pa_id;");
    let house = published(&KEYED.replace("{{name}}", "c"));
    house.sql("ALTER PUBLICATION pub_c SET (publish = 'insert')");
    governs(&house, "core.pa", None, "");
    house.steward(["run-job", "j"]).must_end(0);
}

#[test]
fn a_partition_and_a_child_that_are_published_without_replica_identity_are_found_as_well() {
    let house = published(
        "CREATE TABLE pa (id integer NOT NULL, created_at timestamptz NOT NULL, UNIQUE (id, created_at)) PARTITION BY RANGE (created_at); \
         CREATE TABLE pa_old PARTITION OF pa FOR VALUES FROM ('2000-01-01') TO ('2050-01-01'); \
         INSERT INTO pa VALUES (1, '2020-01-01'); CREATE PUBLICATION pub FOR TABLE pa WITH (publish_via_partition_root = true)",
    );
    governs(&house, "core.pa", None, "");
    let index = "ALTER TABLE public.pa_old REPLICA IDENTITY USING INDEX pa_old_id_created_at_key;";
    is_mended_by(&house, &["`public.pa_old`"], index);

    let child = "CREATE TABLE ch (pa integer REFERENCES pa (id) ON DELETE CASCADE); INSERT INTO ch VALUES (1); CREATE PUBLICATION pub FOR ALL TABLES;";
    let house = published(&(table("pa") + child));
    governs(&house, "core.pa", None, "    cascade: allow\n");
    is_mended_by(&house, &["`public.ch`", "to remove its rows"], "ALTER TABLE public.ch REPLICA IDENTITY FULL;");
    let child = child.replace("CASCADE", "SET NULL");
    let house = published(&(table("pa") + &child));
    governs(&house, "core.pa", None, "    cascade: allow\n");
    is_mended_by(&house, &["`public.ch`", "to change its rows"], "ALTER TABLE public.ch REPLICA IDENTITY FULL;");
}
