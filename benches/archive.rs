//! What the proof costs: archiving with steward beside the bare statements, in one run on the same server.
//!
//! `eval "$(tests/run up)"; cargo bench --bench archive` prints a line per engine. Rows per engine: `STEWARD_BENCH_ROWS`
//! (default 200,000, about 200 bytes each). Bare means `INSERT … SELECT` and `DELETE` of the same rows by key range in
//! transactions of 10,000 rows on one connection, without reading anything back and without evidence. Ratios are what
//! counts: absolute times belong to the machine.
#![allow(clippy::expect_used, reason = "a benchmark that cannot go on says so and ends")]

use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection, SqliteConnection};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const CHUNK: u64 = 10_000;
const ROUNDS: usize = 3;

enum Engine {
    Sqlite(std::path::PathBuf),
    Server { name: &'static str, url: String },
}

impl Engine {
    fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Server { name, .. } => name,
        }
    }

    fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}?mode=rwc", path.display()),
            Self::Server { url, .. } => url.clone(),
        }
    }

    async fn run(&self, sql: &[String]) {
        macro_rules! run {
            ($connection:ty, $url:expr) => {{
                let mut connection = <$connection>::connect($url).await.expect("connect");
                for statement in sql {
                    connection.execute(AssertSqlSafe(statement.clone())).await.expect("statement");
                }
                connection.close().await.expect("close");
            }};
        }
        let url = self.url();
        match self {
            Self::Sqlite(_) => run!(SqliteConnection, &url),
            Self::Server { name: "PostgreSQL", .. } => run!(PgConnection, &url),
            Self::Server { .. } => run!(MySqlConnection, &url),
        }
    }

    fn seed(&self, rows: u64) -> Vec<String> {
        let numbers = match self {
            Self::Server { name: "PostgreSQL", .. } => format!("(SELECT generate_series(1, {rows}) i)"),
            Self::Server { name: "MariaDB", .. } => format!("(SELECT seq i FROM seq_1_to_{rows})"),
            _ => format!("(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) SELECT i FROM n)"),
        };
        let (due, text) = match self {
            Self::Sqlite(_) => ("datetime('2020-01-01', '+' || i || ' seconds')", "'row ' || i || hex(zeroblob(80))"),
            Self::Server { name: "PostgreSQL", .. } => {
                ("timestamp '2020-01-01' + i * interval '1 second'", "'row ' || i || repeat('x', 160)")
            }
            Self::Server { .. } => ("'2020-01-01 00:00:00' + INTERVAL i SECOND", "CONCAT('row ', i, REPEAT('x', 160))"),
        };
        let columns = "id BIGINT PRIMARY KEY, account BIGINT NOT NULL, amount DECIMAL(12,2) NOT NULL, note VARCHAR(255) NOT NULL, created_at TIMESTAMP NOT NULL";
        let mut statements = vec![
            "DROP TABLE IF EXISTS bench_rows".to_owned(),
            "DROP TABLE IF EXISTS bench_archive".to_owned(),
            format!("CREATE TABLE bench_rows ({columns})"),
            format!("CREATE TABLE bench_archive ({columns}, steward_batch VARCHAR(64))"),
        ];
        if matches!(self, Self::Server { name: "MySQL", .. }) {
            statements.push(format!("SET SESSION cte_max_recursion_depth = {}", rows + 1));
        }
        statements.push(format!("INSERT INTO bench_rows SELECT i, i % 1000, i / 3.0, {text}, {due} FROM {numbers} n"));
        statements.push("CREATE INDEX bench_rows_created_at ON bench_rows (created_at)".to_owned());
        statements.push(match self {
            Self::Sqlite(_) | Self::Server { name: "PostgreSQL", .. } => "ANALYZE bench_rows".to_owned(),
            Self::Server { .. } => "ANALYZE TABLE bench_rows".to_owned(),
        });
        statements
    }

    /// The same rows by the bare statements.
    async fn bare(&self, rows: u64) -> Duration {
        let mut statements = vec![];
        for from in (0..rows).step_by(usize::try_from(CHUNK).expect("small")) {
            let chunk = format!("id > {from} AND id <= {}", from + CHUNK);
            statements.push("BEGIN".to_owned());
            statements.push(format!(
                "INSERT INTO bench_archive SELECT id, account, amount, note, created_at, NULL FROM bench_rows WHERE {chunk}"
            ));
            statements.push(format!("DELETE FROM bench_rows WHERE {chunk}"));
            statements.push("COMMIT".to_owned());
        }
        let began = Instant::now();
        self.run(&statements).await;
        began.elapsed()
    }

    /// The whole binary: start, survey, every batch with intent and outcome, count again, report.
    fn steward(&self, sandbox: &Path, rows: u64) -> Duration {
        let began = Instant::now();
        let done = Command::new(env!("CARGO_BIN_EXE_steward"))
            .args(["run-job", "bench", "--json"])
            .current_dir(sandbox)
            .output()
            .expect("steward");
        let took = began.elapsed();
        let text = String::from_utf8_lossy(&done.stdout);
        let archived = serde_json::from_str::<serde_json::Value>(&text).expect("a report")["datasets"][0]["archived"].as_u64();
        assert_eq!(archived, Some(rows), "{text}{}", String::from_utf8_lossy(&done.stderr));
        took
    }
}

fn sandbox(engine: &Engine) -> tempfile::TempDir {
    let sandbox = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: String| {
        let path = sandbox.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    // A password in a URL is refused inline, so the URL comes from a file.
    write("url", engine.url().replace("?mode=rwc", ""));
    write("steward.yaml", "stores:\n  core: { url: { file: url } }\n".to_owned());
    let policy = "{ name: bench, dataset: core.bench_rows, clock: created_at, archive: { after: 1 year, to: core.bench_archive }, guard: { max_rows: 100000000, max_percent: 100 } }";
    write("policies/bench.yaml", format!("lifecycle:\n  - {policy}\n"));
    write("jobs/bench.yaml", "action: archive\npolicies: [bench]\nmode: enforce\n".to_owned());
    sandbox
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    rustls::crypto::ring::default_provider().install_default().expect("one provider");
    let rows: u64 = std::env::var("STEWARD_BENCH_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(200_000);
    let folder = tempfile::tempdir().expect("a folder");
    let mut engines = vec![Engine::Sqlite(folder.path().join("bench.db"))];
    for (name, variable) in [("PostgreSQL", "POSTGRES"), ("MariaDB", "MARIADB"), ("MySQL", "MYSQL")] {
        match std::env::var(format!("STEWARD_TEST_{variable}_URL")) {
            Ok(url) => engines.push(Engine::Server { name, url }),
            Err(_) => println!("{name:<11} not measured: STEWARD_TEST_{variable}_URL is not set (`eval \"$(tests/run up)\"`)"),
        }
    }
    println!("{rows} rows, median of {ROUNDS} rounds; share = bare time / steward's time, 1.00 would be free");
    println!("{:<11} {:>12} {:>12} {:>7}", "engine", "bare rows/s", "steward", "share");
    for engine in &engines {
        let sandbox = sandbox(engine);
        let (mut bare, mut ours) = (vec![], vec![]);
        for _ in 0..ROUNDS {
            engine.run(&engine.seed(rows)).await;
            bare.push(engine.bare(rows).await);
            engine.run(&engine.seed(rows)).await;
            ours.push(engine.steward(sandbox.path(), rows));
        }
        engine.run(&["DROP TABLE bench_rows".to_owned(), "DROP TABLE bench_archive".to_owned()]).await;
        let (bare, ours) = (median(bare).as_secs_f64(), median(ours).as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let count = rows as f64;
        println!("{:<11} {:>12.0} {:>12.0} {:>7.2}", engine.name(), count / bare, count / ours, bare / ours);
    }
}
