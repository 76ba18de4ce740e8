//! Tables that share rows: inheritance, partitions, and an archive that is its own source.

use super::setup::{empty, governs, is_refused, sandbox, table};
use crate::support::engine::Engine;

const INHERITED: &str = "CREATE TABLE ev (id int PRIMARY KEY, created_at timestamptz, note text); \
    CREATE TABLE ev_app (extra text, PRIMARY KEY (id)) INHERITS (ev); \
    INSERT INTO ev VALUES (1, '2020-01-01', 'a'); INSERT INTO ev_app VALUES (2, '2020-01-01', 'b', 'kept'); \
    CREATE TABLE ev_archive (id int PRIMARY KEY, created_at timestamptz, note text);";

#[test]
fn a_table_that_others_inherit_from_is_refused_on_either_side_and_its_leaf_is_governed() {
    let sandbox = sandbox(Engine::Postgres, INHERITED);
    governs(&sandbox, "core.ev", Some("core.ev_archive"), "");
    is_refused(&sandbox, &["ev", "ev_archive"], &["SW4040", "`public.ev_app`", "inherits from `core.public.ev`"]);
    governs(&sandbox, "core.ev", None, "");
    is_refused(&sandbox, &["ev"], &["SW4040"]);
    sandbox.sql("CREATE TABLE other (id int PRIMARY KEY, created_at timestamptz, note text)");
    governs(&sandbox, "core.other", Some("core.ev"), "");
    is_refused(&sandbox, &["ev", "other"], &["SW4040", "`public.ev_app`"]);
    // The leaf holds its own rows alone.
    sandbox.sql("CREATE TABLE app_archive (id int PRIMARY KEY, created_at timestamptz, note text, extra text)");
    governs(&sandbox, "core.ev_app", Some("core.app_archive"), "");
    sandbox.steward(["run-job", "j"]).must_end(0);
    assert_eq!(sandbox.database.rows("SELECT id::text, extra FROM app_archive"), [[Some("2".into()), Some("kept".into())]]);
    assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM ev"), 1);
}

#[test]
fn a_partition_that_is_foreign_unlogged_or_temporary_refuses_its_parent_at_any_depth() {
    let sandbox = sandbox(
        Engine::Postgres,
        "CREATE TABLE m (id int, created_at timestamptz, PRIMARY KEY (id)) PARTITION BY RANGE (id); \
         CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10); \
         CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (id); \
         CREATE UNLOGGED TABLE m2a PARTITION OF m2 FOR VALUES FROM (10) TO (15); INSERT INTO m VALUES (1, '2020-01-01')",
    );
    governs(&sandbox, "core.m", None, "");
    is_refused(&sandbox, &["m"], &["SW4040", "partition `public.m2a`", "unlogged"]);
    sandbox.sql(
        "DROP TABLE m2a; CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw; \
         ALTER TABLE m DROP CONSTRAINT m_pkey; ALTER TABLE m ALTER id SET NOT NULL; \
         CREATE FOREIGN TABLE m3 PARTITION OF m FOR VALUES FROM (20) TO (30) SERVER far; \
         DROP TABLE m1; CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10)",
    );
    let said = sandbox.steward(["run-job", "j", "--json"]).must_end(4);
    assert!(said.stdout.contains("partition `public.m3`") && said.stdout.contains("a foreign table"), "{said}");
}

#[test]
fn an_archive_that_shares_rows_with_its_source_is_refused() {
    let sandbox = sandbox(
        Engine::Postgres,
        "CREATE TABLE m (id int PRIMARY KEY, created_at timestamptz) PARTITION BY RANGE (id); \
         CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10); INSERT INTO m VALUES (1, '2020-01-01'); \
         CREATE TABLE a (id int PRIMARY KEY, created_at timestamptz); CREATE TABLE b (PRIMARY KEY (id)) INHERITS (a); \
         INSERT INTO b VALUES (1, '2020-01-01')",
    );
    for (source, archive) in [("m", "m1"), ("m1", "m"), ("b", "a")] {
        governs(&sandbox, &format!("core.{source}"), Some(&format!("core.{archive}")), "");
        is_refused(&sandbox, &[source, archive], &["SW4009", "shares rows with"]);
    }
}

#[test]
fn a_partitioned_table_and_a_partition_by_name_are_archived_whole() {
    let sandbox = sandbox(
        Engine::Postgres,
        "CREATE TABLE m (id int PRIMARY KEY, created_at timestamptz) PARTITION BY RANGE (id); \
         CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id); \
         CREATE TABLE m1a PARTITION OF m1 FOR VALUES FROM (0) TO (10); \
         CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (10) TO (20); \
         INSERT INTO m VALUES (1, '2020-01-01'), (11, '2020-01-01'); CREATE TABLE arch (id int PRIMARY KEY, created_at timestamptz)",
    );
    governs(&sandbox, "core.m1a", Some("core.arch"), "");
    sandbox.steward(["run-job", "j"]).must_end(0);
    governs(&sandbox, "core.m", Some("core.arch"), "");
    sandbox.steward(["run-job", "j"]).must_end(0);
    assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM m"), 0);
    assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM arch"), 2);
}

#[test]
fn an_archive_that_hangs_on_its_source_is_refused_on_every_engine_at_any_depth() {
    for engine in Engine::all() {
        let sandbox = sandbox(engine, &(table("pa") + &empty("far")));
        for rule in ["CASCADE", "SET NULL"] {
            sandbox.sql(&super::setup::words(
                engine,
                &format!(
                    "CREATE TABLE middle (id integer NOT NULL PRIMARY KEY, FOREIGN KEY (id) REFERENCES pa (id) ON DELETE CASCADE) {{{{table}}}}; \
                     CREATE TABLE arch (id integer NOT NULL PRIMARY KEY, created_at {{{{datetime}}}}, note varchar(40), link integer, \
                     FOREIGN KEY (link) REFERENCES middle (id) ON DELETE {rule}) {{{{table}}}};"
                ),
            ));
            governs(&sandbox, "core.pa", Some("core.arch"), "    cascade: allow\n");
            is_refused(&sandbox, &["pa", "arch"], &["SW4009", "when rows of", "are removed"]);
            sandbox.sql("DROP TABLE arch; DROP TABLE middle;");
        }
    }
}
