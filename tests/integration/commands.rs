//! What people type, and what they are told when it does not work.

use crate::promises::{dead_port, orders_fixture};
use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox, URL};
use std::time::{Duration, Instant};

const SECRET: &str = "hunter2-canary";

/// Scenario 40.
#[test]
fn an_unknown_job_is_usage_and_lists_near_names() {
    let sandbox = orders_fixture::open_with(Engine::Sqlite, 5);
    let told = sandbox.steward(["run-job", "archive-order"]).must_end(2);
    assert!(last(&told).contains("`archive-orders`"), "{told}");
    let told = sandbox.steward(["run-job", "zzz"]).must_end(2);
    assert!(last(&told).contains("archive-orders"), "{told}");
    sandbox.steward(["plan", "archive-order"]).must_end(2);
    assert!(!sandbox.path("state").exists(), "a job that is not there left something behind");
}

#[test]
fn words_that_make_no_command_are_usage() {
    let sandbox = orders_fixture::open_with(Engine::Sqlite, 5);
    for words in [
        &["run-jobs"][..],
        &["run-job"],
        &["run-job", "archive-orders", "--nonsense"],
        &["run-job", "archive-orders", "--as-of", "yesterday"],
        &["run-job", "archive-orders", "--as-of", "2999-01-01"],
        &["run-job", "archive-orders", "--plan", "p", "--as-of", "2020-01-01"],
        &["run-job", "archive-orders", "--plan", "not-there.plan"],
    ] {
        let told = sandbox.steward(words.iter().copied());
        assert_eq!(told.code, Some(2), "{words:?}: {told}");
    }
    assert_eq!(orders_fixture::orders(&sandbox), 10);
}

#[test]
fn a_configuration_that_is_not_there_is_invalid() {
    let sandbox = Sandbox::new(Engine::Sqlite);
    let told = sandbox.steward(["validate", "--config", "nowhere.yaml"]).must_end(78);
    assert!(told.stderr.contains("nowhere.yaml"), "{told}");
}

/// stdout carries the object and nothing else, whatever the outcome; the last line on stderr names the code.
#[test]
fn json_stands_alone_and_the_last_line_names_the_code() {
    let sandbox = orders_fixture::open_with(Engine::Sqlite, 20);
    for (policy, code, word) in [
        (orders_fixture::policy("").replace("max_percent: 100", "max_percent: 1"), 4, "refused (exit 4)"),
        (orders_fixture::policy("").replace("clock: created_at", "clock: nothing"), 4, "refused (exit 4)"),
        (orders_fixture::policy(""), 0, "done (exit 0)"),
    ] {
        sandbox.policy("orders", &policy);
        let told = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(code);
        let object = told.json();
        assert_eq!(object["exit"], code, "{told}");
        assert!(object["run"].is_string() && object["as_of"].is_string() && object["datasets"].is_array(), "{told}");
        assert!(last(&told).starts_with(word), "{told}");
    }
}

/// Wrong password, unknown user, unknown database, unknown host, nobody listening: a clear reason, a code that says whether
/// to try again, and no secret.
#[test]
fn what_keeps_us_from_a_store_is_told_without_the_secret() {
    std::thread::scope(|scope| {
        let servers = [Engine::Postgres, Engine::Mysql, Engine::Mariadb];
        let running = servers.map(|engine| scope.spawn(move || is_told_without_the_secret(engine)));
        for checked in running {
            checked.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
}

fn is_told_without_the_secret(engine: Engine) {
    let sandbox = orders_fixture::open_with(engine, 5);
    let real = sandbox.database.url();
    let (scheme, rest) = real.split_once("://").expect("a url");
    let (account, rest) = rest.rsplit_once('@').expect("a user");
    let (user, password) = account.split_once(':').unwrap_or((account, ""));
    let (host, database) = rest.split_once('/').expect("a database");
    let (for_good, for_now) = (&["run-job archive-orders", "plan", "validate --connect"][..], &["run-job archive-orders"][..]);
    for (what, url, commands, codes, named) in [
        ("a wrong password", format!("{scheme}://{user}:{SECRET}@{host}/{database}"), for_good, &[78][..], "`core`"),
        ("an unknown user", format!("{scheme}://nobody:{SECRET}@{host}/{database}"), for_good, &[78], "`core`"),
        (
            "an unknown database",
            format!("{scheme}://{account}@{host}/steward_t_nowhere"),
            for_good,
            &[3, 4, 78],
            "steward_t_nowhere",
        ),
        ("an unknown host", format!("{scheme}://{user}:{SECRET}@nowhere.invalid/{database}"), for_now, &[75], "`core`"),
        (
            "nobody listening",
            format!("{scheme}://{user}:{SECRET}@127.0.0.1:{}/{database}", dead_port()),
            for_now,
            &[75],
            "`core`",
        ),
    ] {
        for words in commands {
            let began = Instant::now();
            let told: Ended = sandbox.command(words.split(' ')).env(URL, &url).output().expect("its end").into();
            assert!(codes.contains(&told.code.expect("a code")), "{} {what} {words}: {told}", engine.name());
            assert!(told.to_string().contains(named), "{} {what}: {named} is not named: {told}", engine.name());
            assert!(!told.to_string().contains(SECRET), "{} {what}: the secret is told: {told}", engine.name());
            assert!(
                password.len() < 6 || !told.to_string().contains(password),
                "{} {what}: the password is told: {told}",
                engine.name()
            );
            // Who is refused at once is told at once: the run tries once more, and no driver for it.
            let at_most = Duration::from_secs(if what == "nobody listening" { 6 } else { 30 });
            assert!(began.elapsed() < at_most, "{} {what}: it took {:?}", engine.name(), began.elapsed());
        }
    }
    assert_eq!(orders_fixture::orders(&sandbox), 10);
    let left = crate::promises::read_below(&sandbox.path("state"));
    assert!(!left.contains(SECRET), "{}: the secret is in state/", engine.name());
}

/// A password in a file is refused, and not repeated.
#[test]
fn a_password_written_inline_is_refused_and_not_repeated() {
    let sandbox = orders_fixture::open(Engine::Sqlite);
    for url in [format!("postgres://li:{SECRET}@127.0.0.1/x"), format!("postgres://li@127.0.0.1/x?password={SECRET}")] {
        sandbox.write("steward.yaml", &format!("stores:\n  core: {{ url: \"{url}\" }}\n"));
        let told = sandbox.steward(["validate"]).must_end(78);
        assert!(!told.to_string().contains(SECRET), "{told}");
    }
}

/// A url that comes from the environment and cannot be read does not stand in the message.
#[test]
fn a_url_that_cannot_be_used_is_not_repeated() {
    let sandbox = orders_fixture::open(Engine::Sqlite);
    for url in [
        format!("postgres://li:{SECRET}@127.0.0.1:port/x"),
        format!("mysql://li:{SECRET}@127.0.0.1:99999/x"),
        format!("mssql://li:{SECRET}@127.0.0.1/x"),
        format!("postgres//li:{SECRET}@127.0.0.1/x"),
        SECRET.to_owned(),
        format!("postgres://li:{SECRET}@127.0.0.1/x?sslmode=nonsense"),
    ] {
        for words in [&["validate"][..], &["plan"], &["run-job", "archive-orders"]] {
            let told: Ended = sandbox.command(words.iter().copied()).env(URL, &url).output().expect("its end").into();
            assert!(!told.to_string().contains(SECRET), "{words:?}: {told}");
            assert!(!told.stderr.contains("panicked"), "{words:?}: {told}");
            if words[0] != "validate" {
                assert_ne!(told.code, Some(0), "{words:?}: {told}");
            }
        }
    }
    let mut command = sandbox.command(["run-job", "archive-orders"]);
    let told: Ended = command.env_remove(URL).output().expect("its end").into();
    assert_eq!(told.code, Some(78), "{told}");
    assert!(told.stderr.contains(URL), "the variable is not named: {told}");
}

fn last(told: &Ended) -> &str {
    told.stderr.lines().last().unwrap_or_default()
}

/// A newcomer's first minutes: stores that are not there yet, secrets that nobody has set.
#[test]
fn what_is_declared_can_be_read_before_there_is_a_store_or_a_secret() {
    let sandbox = Sandbox::new(Engine::Sqlite);
    sandbox.write(
        "steward.yaml",
        "stores:\n  core: { url: \"postgres://x@127.0.0.1/db\", password: { env: NOBODY_SET_THIS } }\n  small: { url: \"sqlite:gone.db\" }\n",
    );
    sandbox.policy("p", "lifecycle:\n  - { name: orders, dataset: small.orders, clock: at, delete: { after: 1 year } }\n");
    sandbox.job("delete-orders", "action: delete\npolicies: [orders]\n");
    let told = sandbox.steward(["policies"]).must_end(0);
    assert!(told.stdout.contains("delete    after 1 year"), "{told}");

    sandbox.write("steward.yaml", "stores: { small: { url: \"sqlite:gone.db\" } }\n");
    let told = sandbox.steward(["plan"]).must_end(75);
    assert!(told.stdout.contains("there is no file") && told.stdout.contains("gone.db"), "{told}");
    assert!(told.stdout.contains("1 dataset could not be looked at") && !told.stdout.contains("nothing is due"), "{told}");

    sandbox.write("steward.yaml", "");
    let told = sandbox.steward(["validate"]).must_end(78);
    assert!(told.stderr.contains("the configuration says nothing") && told.stderr.contains("steward init"), "{told}");
}
