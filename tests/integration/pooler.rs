//! PostgreSQL behind PgBouncer in transaction mode: every transaction may be on another connection of the server, which the
//! application gets afterwards.

use crate::seen::setup::{empty, sandbox, table};
use crate::support::address::configured;
use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox, URL};
use crate::support::wait::wait;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use std::str::FromStr;

/// What an application could stumble over when it is left behind.
const LEFT_BEHIND: &str = "SELECT concat_ws(' ', current_setting('statement_timeout'), current_setting('lock_timeout'), \
     current_setting('idle_in_transaction_session_timeout'), current_setting('row_security'), current_setting('TimeZone'), \
     current_setting('DateStyle'), current_setting('IntervalStyle'), current_setting('bytea_output'), \
     current_setting('extra_float_digits'), current_setting('default_transaction_read_only'), \
     current_setting('default_transaction_isolation'), current_setting('synchronous_commit'), \
     current_setting('client_min_messages'), current_setting('enable_hashjoin'), current_setting('search_path'), \
     (SELECT COUNT(*) FROM pg_prepared_statements), \
     (SELECT COUNT(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()), \
     (SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()))";

const JOBS: &str = r#"
lifecycle:
  - { name: moved, dataset: core.moved, clock: created_at, archive: { after: 1 year, to: core.moved_archive, create: true }, guard: { max_percent: 100 } }
  - { name: gone, dataset: core.gone, clock: created_at, delete: { after: 1 year }, guard: { max_percent: 100 } }
sessions:
  - { name: marked, dataset: core.marked, expires: created_at, set: { note: over }, guard: { max_percent: 100 } }
views:
  - { name: sums, dataset: core.sums, concurrently: true }
checks:
  - { name: rows, dataset: core.moved_archive, row_count: true, fail: "< 1" }
  - { name: twice, dataset: core.moved_archive, duplicate: [note], warn: "> 100" }
  - { name: asked, dataset: core, sql: "SELECT COUNT(*) FROM gone", warn: "> 100" }
"#;

fn through(url: &str, sandbox: &Sandbox, words: &[&str]) -> Ended {
    sandbox.command(words.iter().copied()).env(URL, url).output().expect("the binary starts").into()
}

/// The two connections that the pooler keeps to the server, by what two transactions at once see.
fn seen_by_the_application(url: &str) -> Vec<String> {
    let options = PgConnectOptions::from_str(url).expect("a URL").extra_float_digits(None);
    wait(async move {
        let mut links: Vec<PgConnection> = vec![];
        let mut seen = vec![];
        for _ in 0..2 {
            let mut link = options.connect().await.expect("the pooler answers");
            sqlx::raw_sql("BEGIN").execute(&mut link).await.expect("a transaction");
            let row = sqlx::raw_sql(AssertSqlSafe(LEFT_BEHIND.to_owned())).fetch_one(&mut link).await.expect("a row");
            seen.push(row.get::<String, _>(0));
            links.push(link);
        }
        seen
    })
}

#[test]
fn through_a_pooler_in_transaction_mode_whole_jobs_run_and_the_applications_settings_stay() {
    let script = table("moved")
        + &table("gone")
        + &table("marked")
        + "CREATE MATERIALIZED VIEW sums AS SELECT id FROM moved; CREATE UNIQUE INDEX ON sums (id);";
    let sandbox = sandbox(Engine::Postgres, &script);
    let name = &sandbox.database.name;
    sandbox
        .sql(&format!("ALTER DATABASE {name} SET statement_timeout = '7min'; ALTER DATABASE {name} SET lock_timeout = '6min'"));
    sandbox.policy("p", JOBS);
    for (job, action, policy) in
        [("a", "archive", "moved"), ("d", "delete", "gone"), ("m", "expire-sessions", "marked"), ("v", "refresh-views", "sums")]
    {
        sandbox.job(job, &format!("action: {action}\npolicies: [{policy}]\nmode: enforce\n"));
    }
    sandbox.job("c", "action: check-quality\npolicies: [rows, twice, asked]\n");
    let url =
        configured("STEWARD_TEST_PGBOUNCER_URL").rsplit_once('/').map(|(server, _)| format!("{server}/{name}")).expect("a path");
    let before = seen_by_the_application(&url);
    assert!(before.iter().all(|seen| seen.starts_with("7min 6min 0 on")), "{before:?}");
    for round in 1..=3_u64 {
        for words in [
            ["plan", "a"].as_slice(),
            &["run-job", "a"],
            &["run-job", "d"],
            &["run-job", "m"],
            &["run-job", "v"],
            &["run-job", "c"],
        ] {
            through(&url, &sandbox, words).must_end(0);
        }
        through(&url, &sandbox, &["validate", "--connect"]).must_end(0);
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM moved_archive"), round);
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM gone"), 1);
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM marked WHERE note = 'over'"), 1);
        assert_eq!(seen_by_the_application(&url), before, "round {round}");
        let id = round + 10;
        sandbox.sql(&format!(
            "INSERT INTO moved VALUES ({id}, '2020-01-01', 'due'); INSERT INTO gone VALUES ({id}, '2020-01-01', 'due'); \
             UPDATE marked SET note = 'due' WHERE id = 1"
        ));
    }
    let doctor = through(&url, &sandbox, &["doctor"]).must_end(0);
    assert!(doctor.stdout.contains("a pooler, a proxy or a mapped port stands between"), "{doctor}");
    assert_eq!(seen_by_the_application(&url), before);
}

#[test]
fn a_pooler_in_statement_mode_is_refused_with_the_mode_that_works() {
    let sandbox = sandbox(Engine::Postgres, &(table("pa") + &empty("arch")));
    crate::seen::setup::governs(&sandbox, "core.pa", None, "");
    let url = configured("STEWARD_TEST_PGBOUNCER_URL")
        .rsplit_once('/')
        .map(|(server, _)| format!("{server}/by_statement"))
        .expect("a path");
    for (words, code) in
        [(["run-job", "j"].as_slice(), 78), (&["plan", "j"], 78), (&["validate", "--connect"], 78), (&["doctor"], 3)]
    {
        let said = through(&url, &sandbox, words).must_end(code);
        assert!(said.to_string().contains("is behind a pooler in statement mode"), "{said}");
        assert!(said.to_string().contains("`pool_mode = transaction`"), "{said}");
    }
}
