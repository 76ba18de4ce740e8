//! `audit_log.SYSTEM_LOG`: one row per dataset and run, from every action that changes something there, on every engine that
//! has the table.

use crate::support::database::{Database, TextRow};
use crate::support::engine::Engine;
use crate::support::pair::Own;
use crate::support::sandbox::Sandbox;

const WEB: &str = "sessions:\n  - { name: web, dataset: core.web, expires: ends_at, guard: { max_percent: 100 } }\n";
const POLICIES: &str = "cache:\n  - { name: answers, dataset: core.answers, expires: ends_at, guard: { max_percent: 100 } }
views:\n  - { name: totals, dataset: core.totals, statement: [\"delete from totals\", \"insert into totals select count(*) from web\"] }\n";

/// What is in a database: rows that ended, rows that did not, and a table of sums.
fn tables(sandbox: &Sandbox) {
    let instant = sandbox.database.engine.word("datetime").expect("a word");
    for table in ["web", "answers"] {
        sandbox.sql(&format!("create table {table} (id integer primary key, ends_at {instant})"));
        sandbox.sql(&format!(
            "insert into {table} values (1, '2020-01-01 00:00:00'), (2, '2020-01-02 00:00:00'), (3, '2999-01-01 00:00:00')"
        ));
    }
    sandbox.sql("create table totals (n bigint)");
}

/// Runs every action that changes rows or views, twice.
fn run_all(sandbox: &Sandbox) {
    sandbox.policy("web", WEB);
    sandbox.policy("others", POLICIES);
    for (job, action) in [("end", "expire-sessions"), ("sweep", "sweep-cache"), ("views", "refresh-views")] {
        sandbox.job(job, &format!("action: {action}\npolicies: [\"*\"]\nmode: enforce\n"));
        sandbox.steward(["run-job", job, "--dry-run"]).must_end(0);
        sandbox.steward(["run-job", job]).must_end(0);
    }
    // Nothing is due any more, and nothing was done.
    for job in ["end", "sweep"] {
        sandbox.steward(["run-job", job]).must_end(0);
    }
}

/// Level, message, and what stands in the metadata under the word's count, `dataset`, and `job`; a run is named, too.
fn rows(database: &Database, table: &str) -> Vec<TextRow> {
    let field = |name: &str| match database.engine {
        Engine::Postgres => format!("metadata->>'{name}'"),
        Engine::Sqlite => format!("json_extract(metadata, '$.{name}')"),
        _ => format!("json_unquote(json_extract(metadata, '$.{name}'))"),
    };
    let count = format!("coalesce({}, {}, {})", field("expired_count"), field("swept_count"), field("refreshed_count"));
    let named = field("run");
    database.rows(&format!(
        "select level, message, {count}, {}, {} from {table} where length({named}) = 36 order by id",
        field("dataset"),
        field("job")
    ))
}

fn must_be_told(rows: &[TextRow]) {
    let told: Vec<Vec<&str>> =
        rows.iter().map(|row| row.iter().map(|cell| cell.as_deref().unwrap_or("NULL")).collect()).collect();
    assert_eq!(
        told,
        [
            ["INFO", "steward: expired 2 rows of core.web", "2", "core.web", "end"],
            ["INFO", "steward: swept 2 rows of core.answers", "2", "core.answers", "sweep"],
            ["INFO", "steward: refreshed core.totals", "1", "core.totals", "views"],
        ]
    );
}

#[test]
fn sessions_caches_and_views_leave_their_row_on_sqlite() {
    let sandbox = Sandbox::new(Engine::Sqlite);
    sandbox.sql("create table System_Log (id integer primary key, level text not null, message text not null, metadata text)");
    tables(&sandbox);
    run_all(&sandbox);
    must_be_told(&rows(&sandbox.database, "System_Log"));
}

#[test]
fn sessions_caches_and_views_leave_their_row_on_postgresql() {
    let sandbox = Sandbox::new(Engine::Postgres);
    sandbox.sql("create schema audit_log; create table audit_log.system_log (id bigint generated always as identity primary key, level varchar(10) not null, message text not null, metadata jsonb, at timestamptz default now())");
    tables(&sandbox);
    run_all(&sandbox);
    must_be_told(&rows(&sandbox.database, "audit_log.system_log"));
    // A materialized view is told with the rows it has.
    sandbox.sql("create materialized view mv as select id from web; create unique index on mv (id)");
    sandbox.policy("others", "views:\n  - { name: mv, dataset: core.mv }\n");
    std::fs::remove_file(sandbox.path("jobs/sweep.yaml")).expect("the job");
    sandbox.steward(["run-job", "views"]).must_end(0);
    let last = sandbox.database.rows("select message, metadata->>'rows' from audit_log.system_log order by id desc limit 1");
    assert_eq!(last, [[Some("steward: refreshed core.mv".to_owned()), Some("1".to_owned())]]);
    // Failing to write it is 3, and what was done stays done.
    sandbox.sql("alter table audit_log.system_log add constraint never check (level <> 'INFO') not valid");
    let told = sandbox.steward(["run-job", "views"]).must_end(3);
    assert!(told.stdout.contains("the row in SYSTEM_LOG is missing"), "{told}");
}

#[test]
fn a_table_of_that_name_and_another_shape_is_left_alone_and_that_is_said() {
    for (engine, table, why) in [
        (Engine::Sqlite, "create table system_log (id integer primary key, user_id integer, msg text)", "has no column `level`"),
        (
            Engine::Sqlite,
            "create table system_log (level text, message text, metadata text, who text not null)",
            "wants a value in `who`",
        ),
        (
            Engine::Postgres,
            "create schema audit_log; create table audit_log.system_log (level int, message text, metadata jsonb)",
            "has a column `level`",
        ),
    ] {
        let sandbox = Sandbox::new(engine);
        sandbox.sql(table);
        tables(&sandbox);
        sandbox.policy("web", WEB);
        sandbox.job("end", "action: expire-sessions\npolicies: [\"*\"]\nmode: enforce\n");
        let told = sandbox.steward(["run-job", "end"]).must_end(0);
        assert!(told.stdout.contains(why) && !told.stdout.contains("is missing"), "{told}");
        let name = if engine == Engine::Sqlite { "system_log" } else { "audit_log.system_log" };
        assert_eq!(sandbox.database.rows(&format!("select count(*) from {name}")), [[Some("0".to_owned())]]);
    }
}

/// There its schema is a database of the whole server, where every other test would meet it: a server of its own.
fn leave_their_row_on_a_server_of_their_own(engine: Engine) {
    let own = Own::alone(engine);
    let sandbox = Sandbox::on(engine, &own.url());
    sandbox.sql("create database AUDIT_LOG; create table AUDIT_LOG.SYSTEM_LOG (id bigint auto_increment primary key, level varchar(10) not null, message text not null, metadata json)");
    tables(&sandbox);
    run_all(&sandbox);
    must_be_told(&rows(&sandbox.database, "AUDIT_LOG.SYSTEM_LOG"));
}

#[test]
fn sessions_caches_and_views_leave_their_row_on_mysql() {
    leave_their_row_on_a_server_of_their_own(Engine::Mysql);
}

#[test]
fn sessions_caches_and_views_leave_their_row_on_mariadb() {
    leave_their_row_on_a_server_of_their_own(Engine::Mariadb);
}
