//! What looking at every key costs: steward beside bare SCAN and PTTL, pipelined, at the same page size, in one run on one server.
//!
//! `eval "$(tests/run up)"; cargo bench --bench sweep`. Keys: `STEWARD_BENCH_KEYS` (default 1,000,000). It fills and empties
//! database 15 of STEWARD_TEST_REDIS_URL. Ratios are what counts: absolute times belong to the machine. Whether single calls
//! stay short is for the server to say: its slow log and its own count of calls.
#![allow(clippy::expect_used, reason = "a benchmark that cannot go on says so and ends")]

use redis::{Client, Connection, IntoConnectionInfo, Pipeline, cmd, pipe};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Keys per page of the bare loop.
const PAGE: u64 = 500;
const ROUNDS: usize = 3;
/// A call that takes longer makes others wait; in microseconds.
const SLOW: u64 = 2_000;

fn server() -> (String, String) {
    let url = std::env::var("STEWARD_TEST_REDIS_URL").expect("STEWARD_TEST_REDIS_URL: eval \"$(tests/run up)\"");
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let authority = rest.split('/').next().expect("a host");
    let (account, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = account.split_once(':').unwrap_or((account, ""));
    (format!("{scheme}://{user}@{host}/15"), password.to_owned())
}

fn connection() -> Connection {
    let url = std::env::var("STEWARD_TEST_REDIS_URL").expect("a server");
    let info = url.as_str().into_connection_info().expect("a URL");
    let settings = info.redis_settings().clone().set_db(15);
    Client::open(info.set_redis_settings(settings)).expect("a client").get_connection().expect("a connection")
}

/// Keys of the caches of the source documents, all with a time to live within their policy.
fn fill(link: &mut Connection, keys: u64) {
    cmd("FLUSHDB").query::<()>(link).expect("flush");
    for from in (0..keys).step_by(10_000) {
        let mut page: Pipeline = pipe();
        for id in from..(from + 10_000).min(keys) {
            page.cmd("SET")
                .arg(format!("cache:user:{id}"))
                .arg("{\"name\":\"somebody\",\"city\":\"somewhere\"}")
                .arg("EX")
                .arg(86_400 + id % 3_600)
                .ignore();
        }
        page.query::<()>(link).expect("fill");
    }
}

/// SCAN, then one pipeline of PTTL for its page, and of IDLETIME and MEMORY USAGE if asked.
fn bare(link: &mut Connection, all: bool) -> (Duration, u64) {
    let began = Instant::now();
    let (mut cursor, mut seen) = (0_u64, 0_u64);
    loop {
        let (next, keys): (u64, Vec<Vec<u8>>) =
            cmd("SCAN").arg(cursor).arg("MATCH").arg("cache:user:*").arg("COUNT").arg(PAGE).query(link).expect("scan");
        if !keys.is_empty() {
            let mut page = pipe();
            for key in &keys {
                page.cmd("PTTL").arg(key);
                if all {
                    page.cmd("OBJECT").arg("IDLETIME").arg(key).cmd("MEMORY").arg("USAGE").arg(key).arg("SAMPLES").arg(0);
                }
            }
            let answers: Vec<Option<i64>> = page.query(link).expect("page");
            seen += answers.len() as u64 / if all { 3 } else { 1 };
        }
        cursor = next;
        if cursor == 0 {
            return (began.elapsed(), seen);
        }
    }
}

/// The whole binary: start, look at every key, report.
fn steward(sandbox: &Path, job: &str, password: &str) -> Duration {
    let began = Instant::now();
    let done = Command::new(env!("CARGO_BIN_EXE_steward"))
        .args(["run-job", job, "--dry-run", "--json"])
        .current_dir(sandbox)
        .env("BENCH_PASSWORD", password)
        .output()
        .expect("steward");
    let took = began.elapsed();
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    took
}

fn sandbox(url: &str) -> tempfile::TempDir {
    let sandbox = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: String| {
        let path = sandbox.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    write("steward.yaml", format!("stores:\n  cache: {{ url: \"{url}\", password: {{ env: BENCH_PASSWORD }} }}\n"));
    let rule = "store: cache, keys: \"cache:user:*\"";
    write(
        "policies/bench.yaml",
        format!(
            "cache:\n  - {{ name: ttl, {rule}, ttl: 2 days }}\n  - {{ name: idle, {rule}, ttl: 2 days, idle: 30 days }}\nchecks:\n  - {{ name: ttl-alone, dataset: cache, without_ttl: \"cache:user:*\" }}\n  - {{ name: bytes, dataset: cache, big_keys: \"cache:user:*\", over: 1 MB }}\n"
        ),
    );
    let jobs = [
        ("ttl-alone", "check-quality", "ttl-alone"),
        ("ttl", "sweep-cache", "ttl"),
        ("idle", "sweep-cache", "idle"),
        ("both", "sweep-cache", "\"*\""),
        ("bytes", "check-quality", "bytes"),
    ];
    for (job, action, policy) in jobs {
        write(&format!("jobs/{job}.yaml"), format!("action: {action}\npolicies: [{policy}]\n"));
    }
    sandbox
}

/// All calls the server answered, and those in its slow log.
fn calls(link: &mut Connection) -> (u64, u64) {
    let stats: String = cmd("INFO").arg("commandstats").query(link).expect("commandstats");
    let all = stats.lines().filter_map(|line| line.split("calls=").nth(1)?.split(',').next()?.parse::<u64>().ok()).sum();
    (all, cmd("SLOWLOG").arg("LEN").query(link).expect("slow log"))
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

fn main() {
    let keys: u64 = std::env::var("STEWARD_BENCH_KEYS").ok().and_then(|keys| keys.parse().ok()).unwrap_or(1_000_000);
    let (url, password) = server();
    let mut link = connection();
    fill(&mut link, keys);
    let sandbox = sandbox(&url);
    println!("{keys} keys, median of {ROUNDS} rounds; share = bare time / steward's time, 1.00 would be free");
    // A sweep walks once, for all its policies and for the keys that no policy covers.
    let measured = [
        ("TTL, the check", "ttl-alone", false),
        ("TTL, a sweep", "ttl", false),
        ("idle time, a sweep", "idle", true),
        ("two policies", "both", true),
        ("bytes, the check", "bytes", true),
    ];
    for (what, job, all) in measured {
        let (mut theirs, mut ours) = (vec![], vec![]);
        cmd("CONFIG")
            .arg("SET")
            .arg("slowlog-log-slower-than")
            .arg(SLOW)
            .arg("slowlog-max-len")
            .arg(100_000)
            .query::<()>(&mut link)
            .expect("config");
        let (mut total, mut slow) = (0, 0);
        for _ in 0..ROUNDS {
            let (took, seen) = bare(&mut link, all);
            assert!(seen >= keys, "{seen} of {keys} keys seen");
            theirs.push(took);
            cmd("CONFIG").arg("RESETSTAT").query::<()>(&mut link).expect("reset");
            cmd("SLOWLOG").arg("RESET").query::<()>(&mut link).expect("reset");
            ours.push(steward(sandbox.path(), job, &password));
            let (calls, long) = calls(&mut link);
            total += calls;
            slow += long;
        }
        let (bare, ours) = (median(theirs), median(ours));
        #[expect(clippy::cast_precision_loss, reason = "a share for people")]
        let quick = 100.0 - slow as f64 * 100.0 / total as f64;
        println!(
            "{what:<18} bare {bare:>6.2} s  steward {ours:>6.2} s  share {:>5.2}  calls under 2 ms {quick:.4} % of {total}",
            bare / ours
        );
    }
    cmd("FLUSHDB").query::<()>(&mut link).expect("flush");
}
