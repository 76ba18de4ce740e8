//! What keeps a job from running is written down, mailed once, shown everywhere, and told once more when it is over.

use super::serving::Worker;
use crate::service::{get, until};
use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox};
use chrono::{TimeDelta, Utc};
use serde_json::Value;
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use std::time::Duration;

const JOB: &str = "action: delete\npolicies: [marks]\nmode: enforce\nschedule: \"* * * * *\"\n";
const POLICY: &str = "lifecycle:\n  - { name: marks, dataset: core.marks, clock: created_at, delete: { after: 1 year }, guard: { max_percent: 100 } }\n";
const MAIL: &str = "mail: { url: \"file:mail/\", from: \"steward@example.com\", to: [\"dpo@example.com\"] }\n";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new(Engine::Sqlite);
    sandbox.config(MAIL);
    sandbox.sql("create table marks (id integer primary key, created_at text);");
    sandbox.policy("marks", POLICY);
    sandbox.job("delete-marks", JOB);
    sandbox
}

/// The subjects of the mails, oldest first.
fn subjects(sandbox: &Sandbox) -> Vec<String> {
    mails(sandbox).iter().map(|mail| subject(mail)).collect()
}

fn mails(sandbox: &Sandbox) -> Vec<String> {
    let mut paths: Vec<_> =
        std::fs::read_dir(sandbox.path("mail")).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "eml"));
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).expect("a mail")).collect()
}

/// Unfolded, since it may go over several lines.
fn subject(mail: &str) -> String {
    let head = mail.replace("\r\n ", " ");
    head.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap_or_default().to_owned()
}

/// A process for one tick, as cron and Kubernetes start it: nobody watches.
fn unattended(sandbox: &Sandbox) -> Ended {
    let mut command = sandbox.command(["run-job", "delete-marks"]);
    command.env("INVOCATION_ID", "a-unit").env_remove("KUBERNETES_SERVICE_HOST").output().expect("it starts").into()
}

fn stopped(sandbox: &Sandbox) -> Value {
    sandbox.steward(["runs", "--json"]).must_end(0).json()["stopped"].clone()
}

fn events(sandbox: &Sandbox, kind: &str) -> usize {
    let export = sandbox.steward(["audit", "export"]).must_end(0).stdout;
    export.lines().filter(|line| line.contains(&format!("\"{kind}\""))).count()
}

#[test]
fn a_broken_policy_under_serve_is_mailed_once_shown_everywhere_and_its_end_is_mailed_once() {
    let sandbox = sandbox();
    let mut worker = Worker::start(&sandbox);
    sandbox.policy("marks", &POLICY.replace("clock", "klock"));
    // Two ticks, and one mail.
    let failed = || events(&sandbox, "tick_failed");
    until("two ticks", Duration::from_secs(150), || failed() >= 2);
    assert_eq!(subjects(&sandbox).len(), 1, "{:?}", subjects(&sandbox));
    assert!(
        subjects(&sandbox)[0].starts_with("steward: delete-marks INVALID: the declarations are not valid"),
        "{:?}",
        subjects(&sandbox)
    );
    assert_eq!((stopped(&sandbox)[0]["job"].as_str(), events(&sandbox, "job_stopped")), (Some("delete-marks"), 1));
    let ready = get(worker.port, "/readyz").expect("an answer");
    assert!(
        ready.starts_with("HTTP/1.0 503") && ready.contains("delete-marks does not run") && ready.contains("klock"),
        "{ready}"
    );
    assert!(get(worker.port, "/healthz").expect("an answer").contains(" 200 "), "nothing is gained by a restart");
    let job = worker.page()["jobs"][0].clone();
    assert!(job["stopped"]["reason"].as_str().is_some_and(|why| why.contains("klock")), "{job:#}");
    let listed = sandbox.steward(["runs"]).must_end(0);
    assert!(listed.stdout.contains("`delete-marks` does not run since"), "{listed}");

    // It is over as soon as it is put right, and not only with the next tick.
    sandbox.policy("marks", POLICY);
    until("ready", Duration::from_secs(45), || get(worker.port, "/readyz").is_some_and(|answer| answer.contains(" 200 ")));
    assert_eq!((stopped(&sandbox).as_array().map(Vec::len), events(&sandbox, "job_resumed")), (Some(0), 1));
    let told = subjects(&sandbox);
    assert!(told.len() == 2 && told[1].starts_with("steward: delete-marks done, the job can run again; since"), "{told:?}");
    assert_eq!(worker.stop(), Some(0));
    sandbox.steward(["audit", "verify"]).must_end(0);
}

#[test]
fn a_process_for_each_tick_tells_it_once_again_after_a_week_and_once_when_it_is_over() {
    let sandbox = sandbox();
    unattended(&sandbox).must_end(0);
    sandbox.policy("marks", &POLICY.replace("1 year", "1 yeer"));
    for _ in 0..3 {
        unattended(&sandbox).must_end(78);
    }
    assert_eq!((subjects(&sandbox).len(), events(&sandbox, "job_stopped")), (1, 1), "{:?}", subjects(&sandbox));
    assert_eq!(stopped(&sandbox)[0]["times"], 3);

    // As it would be in a week, and in the week after.
    let path = sandbox.path("state/stopped/delete-marks.json");
    let mut kept: Value = serde_json::from_str(&std::fs::read_to_string(&path).expect("it is kept")).expect("JSON");
    let earlier = |days: i64| Value::from((Utc::now() - TimeDelta::days(days)).to_rfc3339());
    (kept["since"], kept["told"]) = (earlier(9), earlier(7));
    std::fs::write(&path, kept.to_string()).expect("it is written");
    unattended(&sandbox).must_end(78);
    unattended(&sandbox).must_end(78);
    let told = mails(&sandbox);
    assert_eq!(told.len(), 2, "{:?}", subjects(&sandbox));
    assert!(told[1].contains("for 9 days 0 h"), "{}", told[1]);

    // A run by hand is no proof that the unattended ones work.
    sandbox.policy("marks", POLICY);
    sandbox.steward(["run-job", "delete-marks"]).must_end(0);
    assert_eq!(stopped(&sandbox).as_array().map(Vec::len), Some(1));
    unattended(&sandbox).must_end(0);
    unattended(&sandbox).must_end(0);
    let told = subjects(&sandbox);
    assert!(told.len() == 3 && told[2].contains("can run again") && told[2].contains("for 9 days 0 h"), "{told:?}");
    assert_eq!((stopped(&sandbox).as_array().map(Vec::len), events(&sandbox, "job_resumed")), (Some(0), 1));
}

#[test]
fn whoever_watches_a_run_gets_no_mail_of_what_stands_on_the_terminal() {
    let sandbox = sandbox();
    sandbox.policy("marks", &POLICY.replace("1 year", "1 yeer"));
    sandbox.steward(["run-job", "delete-marks"]).must_end(78);
    assert!(mails(&sandbox).is_empty() && !sandbox.path("state/stopped").exists());
}

/// Each is something else in the way; the way out is applied at the end.
#[test]
fn a_lock_a_ledger_and_a_credential_that_are_not_to_be_had_are_told_too() {
    type Act = fn(&Sandbox);
    let obstacles: [(&str, i32, &str, Act, Act); 3] = [
        (
            "a lock",
            3,
            "delete-marks.lock",
            |sandbox| {
                let lock = sandbox.path("state/steward.db.locks/delete-marks.lock");
                std::fs::remove_file(&lock).expect("the lock");
                std::fs::create_dir(lock).expect("something else in its place");
            },
            |sandbox| std::fs::remove_dir(sandbox.path("state/steward.db.locks/delete-marks.lock")).expect("it goes"),
        ),
        (
            "a ledger",
            3,
            "is not a ledger",
            |sandbox| {
                std::fs::rename(sandbox.path("state/steward.db"), sandbox.path("aside.db")).expect("the ledger");
                std::fs::write(sandbox.path("state/steward.db"), "something else".repeat(500)).expect("a file");
            },
            |sandbox| std::fs::rename(sandbox.path("aside.db"), sandbox.path("state/steward.db")).expect("it comes back"),
        ),
        (
            "a table of policies",
            78,
            "policy tables were not read",
            |sandbox| sandbox.config(&format!("{MAIL}policy_tables: {{ lifecycle: core.nowhere }}\n")),
            |sandbox| sandbox.config(MAIL),
        ),
    ];
    for (what, code, said, breaks, mends) in obstacles {
        let sandbox = sandbox();
        unattended(&sandbox).must_end(0);
        breaks(&sandbox);
        let ended = unattended(&sandbox).must_end(code);
        unattended(&sandbox).must_end(code);
        let told = mails(&sandbox);
        assert_eq!(told.len(), 1, "{what}: {ended}");
        assert!(told[0].replace("=\r\n", "").replace("\r\n", " ").contains(said), "{what}: {}", told[0]);
        mends(&sandbox);
        unattended(&sandbox).must_end(0);
        let told = subjects(&sandbox);
        assert!(told.len() == 2 && told[1].contains("can run again"), "{what}: {told:?}");
        assert_eq!(stopped(&sandbox).as_array().map(Vec::len), Some(0), "{what}");
    }
}

#[test]
fn a_serve_that_does_not_start_is_told_once_and_so_is_its_start() {
    let sandbox = sandbox();
    sandbox.policy("marks", &POLICY.replace("clock", "klock"));
    for _ in 0..2 {
        let mut worker = Worker::begin(&sandbox, &[]);
        assert_eq!(worker.serving.0.wait().expect("its end").code(), Some(78));
    }
    let told = subjects(&sandbox);
    assert!(told.len() == 1 && told[0].starts_with("steward: serve INVALID: "), "{told:?}");
    sandbox.policy("marks", POLICY);
    let mut worker = Worker::start(&sandbox);
    assert!(subjects(&sandbox).len() == 2 && subjects(&sandbox)[1].contains("can run again"), "{:?}", subjects(&sandbox));
    assert_eq!(worker.stop(), Some(0));
}

#[test]
fn runs_that_go_on_failing_are_reminded_of_each_week_and_say_at_last_for_how_long() {
    let sandbox = sandbox();
    sandbox.sql("insert into marks values (1, '2020-01-01 00:00:00'), (2, '2020-01-01 00:00:00')");
    sandbox.policy("marks", &POLICY.replace("max_percent: 100", "max_rows: 1"));
    let run = || sandbox.steward(["run-job", "delete-marks", "--json"]);
    let mailed = |ended: &Ended| ended.json()["report"]["mail"].clone();
    let first = run().must_end(4);
    assert_eq!(mailed(&first), "sent");
    assert_eq!(mailed(&run().must_end(4)), "not_due");
    // As if both had been ten days ago; the chain is not asked here.
    let began = |days: i64| (Utc::now() - TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
    in_ledger(&sandbox, &format!("UPDATE run SET started = '{}', ended = '{0}'", began(10)));
    let reminded = run().must_end(4);
    assert_eq!(mailed(&reminded), "sent", "{reminded}");
    assert!(
        reminded.stdout.contains("the 2 runs before, since") && reminded.stdout.contains("told again each week"),
        "{reminded}"
    );
    assert_eq!(mailed(&run().must_end(4)), "not_due");

    sandbox.policy("marks", POLICY);
    let well = run().must_end(0);
    assert!(
        mailed(&well) == "sent"
            && well.stdout.contains("the 4 runs before, since")
            && well.stdout.contains("that went on for 10 days 0 h"),
        "{well}"
    );
    let quiet = run().must_end(0);
    assert!(mailed(&quiet) == "not_due" && !quiet.stdout.contains("runs before"), "{quiet}");
}

/// Edits the ledger from outside.
fn in_ledger(sandbox: &Sandbox, sql: &str) {
    crate::support::wait::wait(async {
        let options = SqliteConnectOptions::new().filename(sandbox.path("state/steward.db"));
        let mut link = SqliteConnection::connect_with(&options).await.expect("the ledger");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut link).await.expect("it is edited");
        link.close().await.expect("it is closed");
    });
}
