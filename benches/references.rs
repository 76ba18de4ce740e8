//! What comparing costs beside only reading: ids of MySQL against nodes of Neo4j, and against keys of Redis.
//!
//! `eval "$(tests/run up)"; cargo bench --bench references` prints a line per pair. Ids on each side: `STEWARD_BENCH_IDS` (default
//! 1,000,000). Reading means both sides at once by their bare drivers, in the plainest way that holds no more than a page: `SELECT id`
//! and `MATCH … RETURN n.id` as streams, SCAN with COUNT 1000. Comparing is the check `reference`, both ways. Each runs in a
//! process of its own, whose highest resident memory is told too. Ratios are what counts: absolute times belong to the machine.
#![allow(clippy::expect_used, reason = "a benchmark that cannot go on says so and ends")]

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection};
use std::process::Command;
use std::time::{Duration, Instant};
use steward::policy::checks::field::{Field, ReferenceEnd};
use steward::reference::compare::{Asked, compare};
use steward::reference::side::Side;
use steward::store::address::{StoreAddress, StoreLocation};
use steward::store::registry::Stores;

const ROUNDS: usize = 3;
const ROLE: &str = "STEWARD_BENCH_ROLE";
const TOKEN: &str = "STEWARD_BENCH_TOKEN";

/// A server's URL in its parts, without decoding anything but `%XX`.
struct Server {
    scheme: String,
    user: String,
    password: String,
    host: String,
}

impl Server {
    fn of(variable: &str) -> Self {
        let url = configured(variable);
        let (scheme, rest) = url.split_once("://").expect("a url");
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let (account, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = account.split_once(':').unwrap_or((account, ""));
        Self { scheme: scheme.into(), user: decoded(user), password: decoded(password), host: host.into() }
    }

    fn address(&self, name: &str, path: &str) -> StoreAddress {
        let url = format!("{}://{}{path}", self.scheme, self.host);
        let user = (!self.user.is_empty()).then(|| self.user.clone());
        address(name, StoreLocation::Server { url: url.into(), user, password: Some(self.password.clone().into()), ca: None })
    }
}

fn configured(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: `eval \"$(tests/run up)\"`"))
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn address(name: &str, at: StoreLocation) -> StoreAddress {
    let seconds = Duration::from_secs;
    StoreAddress { name: name.into(), at, lock_timeout: seconds(5), statement_timeout: seconds(30), connections: 4 }
}

/// What everything of this benchmark is called; a child is told its parent's.
fn token() -> String {
    std::env::var(TOKEN).unwrap_or_else(|_| format!("steward_bench_{}", std::process::id()))
}

fn mysql_url() -> String {
    let url = configured("STEWARD_TEST_MYSQL_URL");
    let (server, query) = url.split_once('?').unwrap_or((&url, ""));
    let server = &server[..server.rfind('/').expect("a database")];
    format!("{server}/{}?{query}", token())
}

fn redis_link() -> redis::Connection {
    let client = redis::Client::open(configured("STEWARD_TEST_REDIS_URL")).expect("a url");
    client.get_connection().expect("redis")
}

fn neo4j() -> neo4rs::Graph {
    let server = Server::of("STEWARD_TEST_NEO4J_URL");
    let config = neo4rs::ConfigBuilder::default()
        .uri(format!("{}://{}", server.scheme, server.host))
        .user(server.user)
        .password(server.password)
        .connection_timeout(Duration::from_secs(60))
        .build()
        .expect("a configuration");
    neo4rs::Graph::connect(config).expect("neo4j")
}

async fn cypher(graph: &neo4rs::Graph, statement: String) {
    let mut rows = graph.execute(neo4rs::query(&statement)).await.expect("statement");
    while rows.next().await.expect("row").is_some() {}
}

/// The same ids on all three sides.
async fn seed(ids: u64) {
    let token = token();
    let mut link = MySqlConnection::connect(&configured("STEWARD_TEST_MYSQL_URL")).await.expect("mysql");
    for statement in [
        format!("CREATE DATABASE {token}"),
        format!("CREATE TABLE {token}.users (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, name VARCHAR(60) NOT NULL)"),
        format!("SET SESSION cte_max_recursion_depth = {}", ids + 1),
        format!(
            "INSERT INTO {token}.users WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ids}) \
             SELECT i, CONCAT('user number ', i) FROM n"
        ),
    ] {
        link.execute(AssertSqlSafe(statement)).await.expect("statement");
    }
    let graph = neo4j();
    cypher(&graph, format!("CREATE CONSTRAINT {token} FOR (n:{token}) REQUIRE n.id IS UNIQUE")).await;
    cypher(
        &graph,
        format!("UNWIND range(1, {ids}) AS id CALL {{ WITH id CREATE (:{token} {{id: id}}) }} IN TRANSACTIONS OF 20000 ROWS"),
    )
    .await;
    let mut keys = redis_link();
    let all: Vec<u64> = (1..=ids).collect();
    for chunk in all.chunks(10_000) {
        let mut pipe = redis::pipe();
        for id in chunk {
            pipe.cmd("SET").arg(format!("{token}:user:{id}")).arg("x").ignore();
        }
        pipe.query::<()>(&mut keys).expect("keys");
    }
}

async fn remove(ids: u64) {
    let token = token();
    let mut link = MySqlConnection::connect(&configured("STEWARD_TEST_MYSQL_URL")).await.expect("mysql");
    link.execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {token}"))).await.expect("statement");
    let graph = neo4j();
    cypher(&graph, format!("MATCH (n:{token}) CALL {{ WITH n DELETE n }} IN TRANSACTIONS OF 20000 ROWS")).await;
    cypher(&graph, format!("DROP CONSTRAINT {token} IF EXISTS")).await;
    let mut keys = redis_link();
    let all: Vec<u64> = (1..=ids).collect();
    for chunk in all.chunks(10_000) {
        let mut command = redis::cmd("UNLINK");
        for id in chunk {
            command.arg(format!("{token}:user:{id}"));
        }
        command.query::<()>(&mut keys).expect("keys");
    }
}

async fn read_mysql() -> u64 {
    let mut link = MySqlConnection::connect(&mysql_url()).await.expect("mysql");
    let mut rows = sqlx::query("SELECT id FROM users ORDER BY id").fetch(&mut link);
    let mut seen = 0;
    while rows.try_next().await.expect("row").is_some() {
        seen += 1;
    }
    seen
}

async fn read_neo4j() -> u64 {
    let statement = format!("MATCH (n:{}) RETURN n.id AS id", token());
    let mut rows = neo4j().execute(neo4rs::query(&statement)).await.expect("statement");
    let mut seen = 0;
    while rows.next().await.expect("row").is_some() {
        seen += 1;
    }
    seen
}

fn read_redis() -> u64 {
    let (mut keys, pattern) = (redis_link(), format!("{}:user:*", token()));
    let (mut seen, mut cursor) = (0, 0_u64);
    loop {
        let mut scan = redis::cmd("SCAN");
        let scan = scan.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(1_000);
        let (next, page): (u64, Vec<Vec<u8>>) = scan.query(&mut keys).expect("page");
        (seen, cursor) = (seen + page.len() as u64, next);
        if cursor == 0 {
            return seen;
        }
    }
}

async fn compared(with: &str) -> u64 {
    let core = address("core", StoreLocation::Server { url: mysql_url().into(), user: None, password: None, ca: None });
    let (other, field) = match with {
        "neo4j" => (Server::of("STEWARD_TEST_NEO4J_URL").address("other", ""), format!("other.{}.id", token())),
        _ => (Server::of("STEWARD_TEST_REDIS_URL").address("other", "/0"), format!("other.{}:user:{{id}}", token())),
    };
    let stores = Stores::new([core, other]).expect("stores");
    let end = |text: &str| {
        let field = Field::read(text, |store| store == "other" && with == "redis").expect("a field");
        ReferenceEnd { field, r#where: None, clock: None }
    };
    let (from, to) = (end("core.users.id"), end(&field));
    let sides = tokio::try_join!(Side::at(&stores, "bench", &from, None), Side::at(&stores, "bench", &to, None));
    let (from, to) = sides.expect("two sides");
    let compared = compare(&from, &to, Asked { both_ways: true, settle: None, samples: 5 }).await.expect("a comparison");
    assert_eq!((compared.from.missing, compared.to.missing), (0, 0), "both sides hold the same");
    assert_eq!(compared.from.seen, compared.to.seen);
    compared.from.seen
}

/// What a child does: `read neo4j`, `compare redis`. Says how many, in how many seconds, and the most memory in kilobytes.
async fn act(role: &str) {
    let began = Instant::now();
    let seen = match role {
        "read neo4j" => {
            let (one, other) = tokio::join!(tokio::spawn(read_mysql()), tokio::spawn(read_neo4j()));
            one.expect("mysql").min(other.expect("neo4j"))
        }
        "read redis" => {
            let (one, other) = tokio::join!(tokio::spawn(read_mysql()), tokio::task::spawn_blocking(read_redis));
            one.expect("mysql").min(other.expect("redis"))
        }
        "compare neo4j" => compared("neo4j").await,
        _ => compared("redis").await,
    };
    let took = began.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    println!("{seen} {took} {}", peak.split_whitespace().next().unwrap_or("0"));
}

/// The median time of a role in seconds, and its highest memory in megabytes.
fn measured(role: &str, ids: u64) -> (f64, f64) {
    let (mut times, mut peak) = (vec![], 0.0_f64);
    for _ in 0..ROUNDS {
        let this = std::env::current_exe().expect("this program");
        let done = Command::new(this).env(ROLE, role).env(TOKEN, token()).output().expect("a child");
        let text = String::from_utf8_lossy(&done.stdout);
        let parts: Vec<f64> = text.split_whitespace().filter_map(|part| part.parse().ok()).collect();
        let [seen, took, memory] = parts[..] else { panic!("{role}: {text}{}", String::from_utf8_lossy(&done.stderr)) };
        #[expect(clippy::cast_precision_loss, reason = "a count far below 2^53")]
        let all = ids as f64;
        assert!(seen >= all, "{role} saw {seen} of {ids}");
        times.push(took);
        peak = peak.max(memory / 1024.0);
    }
    times.sort_by(f64::total_cmp);
    (times[ROUNDS / 2], peak)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    rustls::crypto::ring::default_provider().install_default().expect("one provider");
    if let Ok(role) = std::env::var(ROLE) {
        return act(&role).await;
    }
    let ids: u64 = std::env::var("STEWARD_BENCH_IDS").ok().and_then(|ids| ids.parse().ok()).unwrap_or(1_000_000);
    seed(ids).await;
    println!("{ids} ids on each side, median of {ROUNDS} rounds; ratio = comparing / only reading both sides at once");
    println!("{:<16} {:>9} {:>11} {:>6} {:>10} {:>10}", "pair", "reading", "comparing", "ratio", "peak read", "peak ours");
    for with in ["neo4j", "redis"] {
        let (read, read_peak) = measured(&format!("read {with}"), ids);
        let (ours, ours_peak) = measured(&format!("compare {with}"), ids);
        let pair = format!("mysql - {with}");
        println!("{pair:<16} {read:>7.2} s {ours:>9.2} s {:>6.2} {read_peak:>7.0} MB {ours_peak:>7.0} MB", ours / read);
    }
    remove(ids).await;
}
