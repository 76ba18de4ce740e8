//! What these promises are tried on: keys that end for every reason there is, and lines to servers.

use crate::keys::setup::{keys, sandbox};
use crate::promises::fault_proxy::Line;
use crate::promises::orders_fixture;
use crate::service::{received, setting};
use crate::support::keyspace::KeyServer;
use crate::support::sandbox::Sandbox;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The variable that holds the mail server's password.
const MAIL_PASSWORD: &str = "MAIL_PASSWORD";

/// Sections whose policies end keys: the section, the job, and the count that says how many keys were removed.
pub const ENDING_KEYS: [(&str, &str, &str); 2] = [("cache", "sweep", "swept"), ("sessions", "end", "expired")];

/// Keys that get a time to live, and keys whose owner is gone, as [`web`] makes them.
pub const TO_LIVE: u64 = 9;
pub const OWNERLESS: u64 = 2;

/// Keys `c:1` to `c:11` that are due: six without a time to live, three with a longer one, two of nobody. And two that are fine.
pub fn web(server: KeyServer, section: &str, more: &str) -> Sandbox {
    let policy = format!(
        "{section}: [{{ name: web, store: cache, keys: \"{{{{prefix}}}}c:{{id}}\", ttl: 1 h, belongs_to: core.users.id, guard: {{ max_percent: 100 }} }}]\n{more}"
    );
    let sandbox = sandbox(server, &policy);
    sandbox.sql("create table users (id integer primary key)");
    for id in (1..=9).chain([12, 13]) {
        sandbox.sql(&format!("insert into users values ({id})"));
    }
    let set = |id: u64, more: &str| format!("SET {{{{prefix}}}}c:{id} value-{id}{more}\n");
    let endless = (1..=6).map(|id| set(id, ""));
    let long = (7..=9).map(|id| set(id, " EX 86400"));
    let fine = [10, 11, 12, 13].map(|id| set(id, " EX 600"));
    keys(&sandbox).seed(&endless.chain(long).chain(fine).collect::<String>());
    sandbox
}

/// Every key, and to the millisecond when it ends.
pub fn exact(sandbox: &Sandbox) -> String {
    let ends = |line: &str| {
        let name = line.split(' ').next().expect("a name");
        format!("{line} {}\n", keys(sandbox).ask::<i64>(&format!("PEXPIRETIME {{{{prefix}}}}{name}")))
    };
    keys(sandbox).dump().lines().map(ends).collect()
}

/// Puts a line between the sandbox and the server at `host`.
pub fn by_line(sandbox: &Sandbox, host: &str) -> Line {
    let line = Line::to(&format!("tcp://{host}"));
    rewrite(sandbox, host, &line.host());
    line
}

/// Gives keys and nodes short limits, so that a test need not wait long.
pub fn short_limits(sandbox: &Sandbox) {
    for password in ["STEWARD_SANDBOX_CACHE_PASSWORD }", "STEWARD_SANDBOX_GRAPH_PASSWORD }"] {
        rewrite(sandbox, password, &format!("{password}, statement_timeout: 3 s, lock_timeout: 2 s"));
    }
}

/// Replaces something in `steward.yaml`.
pub fn rewrite(sandbox: &Sandbox, from: &str, to: &str) {
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).expect("the configuration");
    assert!(config.contains(from), "{from}\n{config}");
    sandbox.write("steward.yaml", &config.replace(from, to));
}

/// Waits until a batch of the job is open that was not open before; false when the run was over first.
pub fn in_a_batch(sandbox: &Sandbox, job: &str, run: &mut Child) -> bool {
    let before: Vec<String> = orders_fixture::open_batches(sandbox, job).into_iter().map(|open| open.batch).collect();
    let began = Instant::now();
    while run.try_wait().expect("its state").is_none() {
        if orders_fixture::open_batches(sandbox, job).iter().any(|open| !before.contains(&open.batch)) {
            return true;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "no batch was begun");
        std::thread::sleep(Duration::from_millis(1));
    }
    false
}

/// Whom the sandbox's mails go to; adds the mail server to the configuration, which is written anew.
pub fn with_mail(sandbox: &Sandbox, name: &str) -> String {
    let to = format!("{name}-{}@example.com", uuid::Uuid::new_v4().simple());
    sandbox.config(&format!(
        "mail: {{ url: \"smtp://127.0.0.1:{}\", user: {}, password: {{ env: {MAIL_PASSWORD} }}, ca: \"{}\", from: \"steward@example.com\", to: [\"{to}\"] }}\n",
        setting("STARTTLS_PORT"),
        setting("USER"),
        setting("CA")
    ));
    to
}

/// The binary with these words, and with the mail server's password.
pub fn mailing<'a>(sandbox: &Sandbox, words: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = sandbox.command(words);
    command.env(MAIL_PASSWORD, setting("PASSWORD")).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The subject of the last mail to an address.
pub fn last_subject(to: &str) -> String {
    let mails = received(to);
    let last = mails.iter().max_by_key(|mail| mail["date"].to_string() + &mail["message_id"].to_string());
    last.expect("a mail")["subject"].as_str().expect("a subject").to_owned()
}
