//! What a check for duplicate emails costs beside the bare GROUP BY, on one table of each engine.
//!
//! `eval "$(tests/run up)"; cargo bench --bench duplicates`. Rows: `STEWARD_BENCH_ROWS` (default 5,000,000), 1 in 1,000 a
//! duplicate in other capitals, 1 in 500 with letters beyond ASCII. Ratios are what counts.
#![allow(clippy::expect_used, reason = "a benchmark that cannot go on says so and ends")]

use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection, SqliteConnection};
use std::process::Command;
use std::time::{Duration, Instant};

const ROUNDS: usize = 3;

#[derive(Clone)]
struct Engine {
    name: &'static str,
    url: String,
}

impl Engine {
    async fn run(&self, sql: &str) {
        macro_rules! run {
            ($connection:ty) => {{
                let mut connection = <$connection>::connect(&self.url).await.expect("connect");
                connection.execute(AssertSqlSafe(sql.to_owned())).await.expect("statement");
                connection.close().await.expect("close");
            }};
        }
        match self.name {
            "SQLite" => run!(SqliteConnection),
            "PostgreSQL" => run!(PgConnection),
            _ => run!(MySqlConnection),
        }
    }

    async fn seed(&self, rows: u64) {
        let numbers = match self.name {
            "PostgreSQL" => format!("(SELECT generate_series(1, {rows}) i)"),
            "MariaDB" => format!("(SELECT seq i FROM seq_1_to_{rows})"),
            _ => format!("(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) SELECT i FROM n)"),
        };
        let join = |parts: &[&str]| match self.name {
            "MySQL" | "MariaDB" => format!("CONCAT({})", parts.join(", ")),
            _ => parts.join(" || "),
        };
        let id = if self.name == "MySQL" || self.name == "MariaDB" { "CAST(i AS CHAR)" } else { "CAST(i AS TEXT)" };
        let before = if self.name == "MySQL" || self.name == "MariaDB" { "CAST(i - 1 AS CHAR)" } else { "CAST(i - 1 AS TEXT)" };
        let email = format!(
            "CASE WHEN i % 1000 = 0 THEN {} WHEN i % 500 = 7 THEN {} ELSE {} END",
            join(&["'User'", before, "'@Example.COM'"]),
            join(&["'user'", id, "'@bücher.example'"]),
            join(&["'user'", id, "'@example.com'"]),
        );
        self.run("DROP TABLE IF EXISTS bench_users").await;
        self.run("CREATE TABLE bench_users (id BIGINT PRIMARY KEY, email VARCHAR(255), created_at TIMESTAMP)").await;
        if self.name == "MySQL" {
            self.run(&format!("SET GLOBAL cte_max_recursion_depth = {}", rows + 1)).await;
        }
        self.run(&format!("INSERT INTO bench_users (id, email) SELECT i, {email} FROM {numbers} n")).await;
    }

    /// What somebody would type to know the same.
    async fn bare(&self) -> Duration {
        let began = Instant::now();
        self.run(
            "SELECT count(*) FROM (SELECT lower(email) FROM bench_users GROUP BY lower(email) HAVING count(*) > 1) AS doubled",
        )
        .await;
        began.elapsed()
    }
}

fn steward(engine: &Engine, rows: u64) -> Duration {
    let sandbox = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: String| {
        let path = sandbox.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    write("url", engine.url.replace("?mode=rwc", ""));
    write("steward.yaml", "stores:\n  core: { url: { file: url }, statement_timeout: 10 min }\n".to_owned());
    write(
        "policies/p.yaml",
        "checks:\n  - { name: doubles, dataset: core.bench_users, duplicate: email, normalize: email }\n".to_owned(),
    );
    write("jobs/doubles.yaml", "action: check-quality\npolicies: [doubles]\nbudget: 20 min\n".to_owned());
    let began = Instant::now();
    let done = Command::new(env!("CARGO_BIN_EXE_steward"))
        .args(["run-job", "doubles", "--json"])
        .current_dir(sandbox.path())
        .output()
        .expect("steward");
    let took = began.elapsed();
    let text = String::from_utf8_lossy(&done.stdout);
    let told: serde_json::Value = serde_json::from_str(&text).expect("a report");
    assert_eq!(told["findings"][0]["value"].as_u64(), Some(rows / 1000), "{text}");
    took
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    rustls::crypto::ring::default_provider().install_default().expect("one provider");
    let rows: u64 = std::env::var("STEWARD_BENCH_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(5_000_000);
    let folder = tempfile::tempdir().expect("a folder");
    let mut engines =
        vec![Engine { name: "SQLite", url: format!("sqlite:{}?mode=rwc", folder.path().join("bench.db").display()) }];
    for (name, variable) in [("PostgreSQL", "POSTGRES"), ("MariaDB", "MARIADB"), ("MySQL", "MYSQL")] {
        match std::env::var(format!("STEWARD_TEST_{variable}_URL")) {
            Ok(url) => engines.push(Engine { name, url }),
            Err(_) => println!("{name:<11} not measured: STEWARD_TEST_{variable}_URL is not set (`eval \"$(tests/run up)\"`)"),
        }
    }
    println!("{rows} rows, median of {ROUNDS} rounds; times = steward's time / bare time, 1.00 would be free");
    for engine in &engines {
        engine.seed(rows).await;
        let (mut bare, mut ours) = (vec![], vec![]);
        for round in 1..=ROUNDS {
            bare.push(engine.bare().await);
            ours.push(steward(engine, rows));
            let (bare, ours) = (bare[round - 1].as_secs_f64(), ours[round - 1].as_secs_f64());
            println!("{:<11} round {round}: bare {bare:>7.2} s  steward {ours:>7.2} s", engine.name);
        }
        engine.run("DROP TABLE bench_users").await;
        bare.sort();
        ours.sort();
        let (bare, ours) = (bare[ROUNDS / 2].as_secs_f64(), ours[ROUNDS / 2].as_secs_f64());
        println!("{:<11} bare {bare:>7.2} s  steward {ours:>7.2} s  times {:>5.2}", engine.name, ours / bare);
    }
}
