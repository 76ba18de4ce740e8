//! What leaves the sandbox, on the real thing: mail through a mail server, and the clock of `serve`.

use crate::promises::fault_proxy::{Line, Mood};
use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox, URL};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What `tests/run` says of the mail server.
pub fn setting(name: &str) -> String {
    let name = format!("STEWARD_TEST_SMTP_{name}");
    std::env::var(&name).unwrap_or_else(|_| panic!("{name} is not set: start the servers with `tests/run`"))
}

/// A sandbox with one due row and a mail server to tell it to.
fn sandbox(url: &str, to: &str, job: &str) -> Sandbox {
    let sandbox = Sandbox::new(Engine::Sqlite);
    sandbox.config(&format!(
        "mail: {{ url: \"{url}\", user: {}, password: {{ env: MAIL_PASSWORD }}, ca: \"{}\", from: \"steward@example.com\", to: [\"{to}\"] }}\n",
        setting("USER"),
        setting("CA")
    ));
    sandbox.sql("create table marks (id integer primary key, created_at text); insert into marks values (1, '2020-01-01 00:00:00'), (2, '2020-01-02 00:00:00');");
    sandbox.policy("marks", "lifecycle:\n  - { name: marks, dataset: core.marks, clock: created_at, delete: { after: 1 year }, guard: { max_percent: 100 } }\n");
    sandbox.job("delete-marks", job);
    sandbox
}

const JOB: &str = "action: delete\npolicies: [marks]\nmode: enforce\nreport: { when: always }\n";

fn run(sandbox: &Sandbox, password: &str) -> Ended {
    sandbox
        .command(["run-job", "delete-marks", "--json"])
        .env("MAIL_PASSWORD", password)
        .output()
        .expect("the binary starts")
        .into()
}

/// What the server received for an address: one JSON text per mail.
pub fn received(to: &str) -> Vec<serde_json::Value> {
    let folder = std::fs::read_dir(setting("MAIL")).expect("the server's folder");
    let files =
        folder.map(|entry| entry.expect("an entry").path()).filter(|path| path.extension().is_some_and(|end| end == "json"));
    let mails = files.map(|path| serde_json::from_str(&std::fs::read_to_string(path).expect("a mail")).expect("JSON"));
    mails.filter(|mail: &serde_json::Value| mail["rcpt_tos"].to_string().contains(to)).collect()
}

fn somebody(name: &str) -> String {
    format!("{name}-{}@example.com", std::process::id())
}

#[test]
fn a_report_is_mailed_over_starttls_and_over_tls_with_a_login() {
    for (scheme, port) in [("smtp", setting("STARTTLS_PORT")), ("smtps", setting("TLS_PORT"))] {
        let to = somebody(scheme);
        let sandbox = sandbox(&format!("{scheme}://127.0.0.1:{port}"), &to, JOB);
        let report = run(&sandbox, &setting("PASSWORD")).must_end(0).json();
        assert_eq!(report["report"]["mail"], "sent");
        let mails = received(&to);
        assert_eq!(mails.len(), 1, "{scheme}");
        assert_eq!((&mails[0]["tls"], &mails[0]["auth"]), (&true.into(), &setting("USER").into()));
        assert_eq!(mails[0]["subject"], "steward: delete-marks done, 2 removed");
        let head = report["ledger_head"].as_str().expect("a head");
        let told = |kind: &str| {
            mails[0]["parts"].as_array().expect("parts").iter().any(|part| {
                part["type"] == kind
                    && part["text"].as_str().is_some_and(|text| text.contains(head) && text.contains("2 removed"))
            })
        };
        assert!(told("text/plain") && told("text/html"), "{:#}", mails[0]);
        sandbox.steward(["audit", "verify", "--head", head]).must_end(0);
    }
}

#[test]
fn a_mail_that_cannot_go_waits_and_goes_with_the_next_run() {
    let to = somebody("waits");
    let sandbox = sandbox(&format!("smtps://127.0.0.1:{}", setting("TLS_PORT")), &to, JOB);
    let first = run(&sandbox, "wrong").must_end(5);
    assert!(!first.stderr.contains("wrong") && first.stderr.contains("undelivered (exit 5)"), "{first}");
    let report = first.json();
    assert_eq!((&report["report"]["mail"], &report["datasets"][0]["removed"]), (&"spooled".into(), &2.into()));
    assert!(received(&to).is_empty());
    run(&sandbox, &setting("PASSWORD")).must_end(0);
    let subjects: Vec<String> = received(&to).iter().map(|mail| mail["subject"].to_string()).collect();
    assert_eq!(subjects.len(), 2, "{subjects:?}");
    assert!(subjects.iter().any(|subject| subject.contains("2 removed")), "{subjects:?}");
}

#[test]
fn one_refused_receiver_keeps_the_report_from_nobody_else_and_is_named() {
    let good = [somebody("first"), somebody("third")];
    let bad = format!("{}+rcpt-550@example.com", somebody("second").replace("@example.com", ""));
    let to = format!("{}\", \"{bad}\", \"{}", good[0], good[1]);
    let sandbox = sandbox(&format!("smtps://127.0.0.1:{}", setting("TLS_PORT")), &to, JOB);
    let asked =
        sandbox.command(["doctor", "--mail"]).env("MAIL_PASSWORD", setting("PASSWORD")).output().expect("the binary starts");
    let asked = Ended::from(asked).must_end(3);
    assert!(asked.stdout.contains(&bad) && asked.stdout.contains("550") && !asked.stdout.contains(&good[0]), "{asked}");
    for runs in 1..=2 {
        let told = run(&sandbox, &setting("PASSWORD")).must_end(5);
        assert_eq!(told.json()["report"]["mail"], "spooled");
        let text = told.json().to_string();
        assert!(text.contains(&format!("refuses the mail to `{bad}`")) && text.contains("went to 2 other receivers"), "{told}");
        good.iter().for_each(|to| assert_eq!(received(to).len(), runs, "{to}"));
    }
    assert!(received(&bad).is_empty());
    let second = sandbox.steward(["doctor"]);
    assert!(
        second.stdout.contains("1 mail in `spool/`, 1 mail refused for good"),
        "the first was given up by the second run: {second}"
    );
}

#[test]
fn sixty_receivers_are_a_line_each_and_a_domain_in_other_letters_goes_in_its_ascii_form() {
    let many: Vec<String> = (0..60).map(|n| format!("\\\"Doe, Jane {n}\\\" <{}>", somebody(&format!("many{n}")))).collect();
    let idn = format!("dsb-{}@bücher.example", std::process::id());
    let sandbox =
        sandbox(&format!("smtp://127.0.0.1:{}", setting("STARTTLS_PORT")), &format!("{}\", \"{idn}", many.join("\", \"")), JOB);
    let report = run(&sandbox, &setting("PASSWORD")).must_end(0).json();
    assert_eq!(report["report"]["mail"], "sent");
    let mails = received(&somebody("many59"));
    assert_eq!(mails.len(), 1);
    let receivers = mails[0]["rcpt_tos"].as_array().expect("receivers");
    assert_eq!(receivers.len(), 61);
    assert!(receivers.contains(&format!("dsb-{}@xn--bcher-kva.example", std::process::id()).into()), "{receivers:?}");
    assert_eq!(mails[0]["to"].as_str().expect("To").matches("Doe, Jane").count(), 60, "{}", mails[0]["to"]);
    let wide = std::fs::read_dir(setting("MAIL")).expect("mails").map(|entry| entry.expect("an entry").path());
    let wide = wide.filter(|path| path.extension().is_some_and(|end| end == "eml"));
    let texts = wide.map(|path| std::fs::read_to_string(path).expect("a mail")).filter(|text| text.contains(&somebody("many59")));
    let longest = texts.flat_map(|text| text.lines().map(str::len).max()).max().expect("the mail");
    assert!(longest <= 998, "a line of {longest} bytes");
}

#[test]
fn what_the_mail_library_would_not_send_to_is_refused_where_it_is_declared() {
    for (address, why) in [("Doe, Jane <j@example.com>", "in quotes"), ("a.b.@example.com", "is not of the form")] {
        let sandbox = sandbox("smtp://127.0.0.1:1", "dpo@example.com", &JOB.replace("when", &format!("to: [{address:?}], when")));
        let told = sandbox.command(["validate"]).env("MAIL_PASSWORD", "x").output().expect("the binary starts");
        let told = Ended::from(told).must_end(78);
        assert!(told.stderr.contains(why) || told.stdout.contains(why), "{told}");
    }
}

#[test]
fn a_server_that_refuses_or_hangs_up_does_not_undo_the_work() {
    for fault in ["rcpt-550", "data-451", "drop"] {
        let to = format!("{}+{fault}@example.com", somebody("fault").replace("@example.com", ""));
        let sandbox = sandbox(&format!("smtps://127.0.0.1:{}", setting("TLS_PORT")), &to, JOB);
        let report = run(&sandbox, &setting("PASSWORD")).must_end(5).json();
        assert_eq!((&report["report"]["mail"], &report["datasets"][0]["removed"]), (&"spooled".into(), &2.into()), "{fault}");
        assert_eq!(sandbox.database.count("select count(*) from marks"), 0);
    }
}

/// A `serve` that goes with its test.
pub struct Serving(pub Child);

impl Drop for Serving {
    fn drop(&mut self) {
        // Over already where the test got to its end.
        if self.0.kill().is_ok() {
            drop(self.0.wait());
        }
    }
}

/// What a page answers.
pub fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// Waits until it is so.
pub fn until(what: &str, limit: Duration, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < limit, "{what}: not within {} s", limit.as_secs());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn serve_runs_a_job_at_its_minute_and_drains_on_sigterm() {
    let port = TcpListener::bind("127.0.0.1:0").expect("a spare port").local_addr().expect("an address").port();
    let sandbox = sandbox("file:mail/", &somebody("serve"), &(JOB.to_owned() + "schedule: \"* * * * *\"\n"));
    sandbox.config("mail: { url: \"file:mail/\", from: \"steward@example.com\", to: [\"dpo@example.com\"] }\n");
    let listen = format!("127.0.0.1:{port}");
    let serve = sandbox.command(["serve", "--listen", &listen]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut serve = Serving(serve.expect("the binary starts"));
    until("/readyz", Duration::from_secs(20), || get(port, "/readyz").is_some_and(|answer| answer.contains(" 200 ")));
    assert!(get(port, "/healthz").is_some_and(|answer| answer.contains(" 200 ")));
    // The rows go at the next full minute, and nobody asked by hand.
    until("the next full minute", Duration::from_secs(75), || sandbox.database.count("select count(*) from marks") == 0);
    until("the mail", Duration::from_secs(10), || {
        std::fs::read_dir(sandbox.path("mail")).is_ok_and(|mut mails| mails.next().is_some())
    });
    let told = Command::new("kill").args(["-TERM", &serve.0.id().to_string()]).status().expect("kill");
    assert!(told.success());
    until("the end", Duration::from_secs(20), || get(port, "/healthz").is_none());
    assert_eq!(serve.0.wait().expect("an end").code(), Some(0));
    sandbox.steward(["audit", "verify"]).must_end(0);
}

/// Scenario 42: the store is away at the tick and back before the retry, and nobody does anything by hand.
#[test]
fn a_store_that_was_away_at_the_tick_is_tried_again_after_the_pause() {
    let sandbox = Sandbox::new(Engine::Postgres);
    sandbox.config("mail: { url: \"file:mail/\", from: \"steward@example.com\", to: [\"dpo@example.com\"] }\n");
    sandbox.sql("create table marks (id integer primary key, created_at timestamp); insert into marks values (1, '2020-01-01')");
    sandbox.policy("marks", "lifecycle:\n  - { name: marks, dataset: core.marks, clock: created_at, delete: { after: 1 year }, guard: { max_percent: 100 } }\n");
    // The next minute that is far enough away; the one after it comes tomorrow.
    let minute = chrono::Utc::now() + chrono::Duration::seconds(70);
    let job = format!("{JOB}schedule: \"{}\"\n", minute.format("%-M %-H * * *"));
    sandbox.job("soon", &format!("{job}retry: {{ after: 8 s }}\n"));
    // One that says nothing of it waits five minutes: longer than this test.
    sandbox.job("usual", &job);
    let line = Line::to(&sandbox.database.url());
    line.become_(Mood::Cut);
    let port = TcpListener::bind("127.0.0.1:0").expect("a spare port").local_addr().expect("an address").port();
    let listen = format!("127.0.0.1:{port}");
    let mut serve = sandbox.command(["serve", "--listen", &listen]);
    let serve = serve.env(URL, line.url(&sandbox.database.url())).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let _serve = Serving(serve.expect("the binary starts"));
    until("/readyz", Duration::from_secs(20), || get(port, "/readyz").is_some_and(|answer| answer.contains(" 200 ")));
    let runs = |job: &str| sandbox.steward(["runs", "--job", job, "--json"]).must_end(0).json()["runs"].clone();
    let ended = |job: &str, at: usize| runs(job)[at]["ended"].as_str().map(|at| at.parse().expect("a time"));
    for job in ["soon", "usual"] {
        until("the tick", Duration::from_secs(100), || ended(job, 0).is_some_and(|_: chrono::DateTime<chrono::Utc>| true));
        assert_eq!((&runs(job)[0]["outcome"], &runs(job)[0]["exit"]), (&"temporary".into(), &75.into()), "{:#}", runs(job));
    }
    // What was not done is told once, when it was not done.
    let next = |job: &str| {
        page(port)["jobs"].as_array().expect("jobs").iter().find(|one| one["job"] == job).expect("the job")["now"].clone()
    };
    until("the pause", Duration::from_secs(10), || next("usual")["state"] == "retrying");
    let first: chrono::DateTime<chrono::Utc> = ended("usual", 0).expect("its end");
    let again: chrono::DateTime<chrono::Utc> = next("usual")["at"].as_str().expect("a time").parse().expect("a time");
    let pause = (again - first).num_milliseconds();
    assert!((299_000..=303_000).contains(&pause), "five minutes are the usual pause: {pause} ms");
    assert_eq!(sandbox.database.count("select count(*) from marks"), 1);

    line.become_(Mood::Open);
    until("the retry", Duration::from_secs(40), || runs("soon")[0]["outcome"] == "done");
    let both = runs("soon");
    let at = |run: usize, what: &str| -> chrono::DateTime<chrono::Utc> {
        both[run][what].as_str().expect("a time").parse().expect("a time")
    };
    let last_temporary =
        (1..both.as_array().expect("runs").len()).find(|run| both[*run]["outcome"] == "temporary").expect("the first");
    let pause = (at(0, "started") - at(last_temporary, "ended")).num_milliseconds();
    assert!((7_500..=15_000).contains(&pause), "{pause} ms: {both:#}");
    assert_eq!(sandbox.database.count("select count(*) from marks"), 0);
    assert_eq!(next("soon")["state"], "idle", "and that was all: {:#}", page(port));
    assert_eq!(runs("usual").as_array().map(Vec::len), Some(1), "the other one still waits");
    sandbox.steward(["audit", "verify"]).must_end(0);
}

/// The status page of `serve`.
fn page(port: u16) -> serde_json::Value {
    let answer = get(port, "/").expect("the page");
    serde_json::from_str(answer.split_once("\r\n\r\n").expect("a body").1).expect("JSON")
}
