//! What stands on stderr: with `--log json` one JSON object a line and nothing else, with levels that the journal takes.

use super::serving::Worker;
use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox};
use serde_json::Value;
use std::process::Stdio;

/// A sandbox with a policy, two jobs, and a check that cannot be answered.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new(Engine::Sqlite);
    sandbox.sql(
        "create table marks (id integer primary key, created_at text); insert into marks values (1, '2020-01-01 00:00:00');",
    );
    sandbox.policy(
        "marks",
        "lifecycle:\n  - { name: marks, dataset: core.marks, clock: created_at, delete: { after: 1 year }, guard: { max_percent: 100 } }\nchecks:\n  - { name: nowhere, dataset: core.nowhere, row_count: true, fail: \"< 1\" }\n",
    );
    sandbox.job("delete-marks", "action: delete\npolicies: [marks]\nmode: enforce\n");
    sandbox.job("look", "action: check-quality\npolicies: [nowhere]\n");
    sandbox
}

/// Every line of stderr, which must all be objects with a time, a level and a priority that fits.
#[track_caller]
fn lines(ended: &Ended) -> Vec<Value> {
    let read = |line: &str| -> Value { serde_json::from_str(line).unwrap_or_else(|error| panic!("`{line}`: {error}\n{ended}")) };
    let lines: Vec<Value> = ended.stderr.lines().map(read).collect();
    for line in &lines {
        let priority = match line["level"].as_str() {
            Some("ERROR") => 3,
            Some("WARN") => 4,
            Some("INFO") => 6,
            other => panic!("{other:?}: {line}"),
        };
        assert_eq!(line["priority"], priority, "{line}");
        assert!(line["timestamp"].as_str().is_some_and(|at| at.ends_with('Z')) && line["message"].is_string(), "{line}");
    }
    lines
}

#[test]
fn with_log_json_every_command_writes_one_object_a_line_and_nothing_else() {
    let sandbox = sandbox();
    let commands: &[(&[&str], i32)] = &[
        (&["validate"], 0),
        (&["validate", "--connect"], 78),
        (&["plan"], 3),
        (&["plan", "delete-marks", "--out", "plan.json"], 0),
        (&["run-job", "delete-marks"], 0),
        (&["run-job", "look"], 3),
        (&["run-job", "nobody"], 2),
        (&["runs"], 0),
        (&["runs", "nothing"], 2),
        (&["jobs"], 0),
        (&["policies"], 0),
        (&["doctor"], 0),
        (&["hold", "add", "h", "--dataset", "core.nowhere", "--because", "x"], 4),
        (&["hold", "release", "h", "--why", "x"], 2),
        (&["audit", "verify"], 0),
        (&["explain", "SW5001"], 0),
        (&["explain", "SW0000"], 2),
        (&["serve", "--listen", "192.0.2.1:1"], 78),
        (&["serve", "--listen", "nowhere"], 2),
        (&["no-such-command"], 2),
    ];
    for (words, code) in commands {
        let mut command = sandbox.command(["--log", "json"].iter().chain(words.iter()).copied());
        let ended: Ended = command.env("STEWARD_LOG", "info").output().expect("the binary starts").into();
        let lines = lines(&ended);
        assert_eq!(ended.code, Some(*code), "{words:?} {ended}");
        // How it ended, in numbers, as the last line; a listing says nothing.
        let exit = lines.last().and_then(|line| line["exit"].as_i64());
        assert_eq!(exit.unwrap_or(0), i64::from(*code), "{words:?} {ended}");
    }
}

#[test]
fn the_reason_of_a_check_without_an_answer_is_in_the_log() {
    let sandbox = sandbox();
    let ended = sandbox.steward(["--log", "json", "run-job", "look"]);
    let ended: Ended =
        sandbox.command(["--log", "json", "run-job", "look"]).env("STEWARD_LOG", "info").output().map_or(ended, Into::into);
    let told = lines(&ended);
    let check = told.iter().find(|line| line["check"] == "nowhere").unwrap_or_else(|| panic!("{ended}"));
    assert!(check["outcome"] == "error" && check["reason"].as_str().is_some_and(|why| why.contains("nowhere")), "{check}");
}

#[test]
fn declarations_that_are_not_valid_are_told_one_object_each_with_code_and_place() {
    let sandbox = sandbox();
    sandbox.job("look", "action: check-quality\npolicies: [misspelt]\nbudgit: 1 h\n");
    let ended = sandbox.steward(["--log", "json", "validate"]).must_end(78);
    let told = lines(&ended);
    let placed = |line: &&Value| line["code"].as_str().is_some_and(|code| code.starts_with("SW")) && line["place"].is_string();
    assert!(told.iter().filter(placed).count() >= 2, "{ended}");
    assert_eq!(
        (&told.last().expect("a line")["outcome"], &told.last().expect("a line")["exit"]),
        (&"invalid".into(), &78.into())
    );
}

#[test]
fn serve_writes_nothing_but_objects_either() {
    let sandbox = sandbox();
    let mut worker = Worker::begin(&sandbox, &["--log", "json"]);
    crate::service::until("the page", std::time::Duration::from_secs(20), || !worker.page().is_null());
    sandbox.job("look", "action: nothing\n");
    worker.signal("HUP");
    let log = || std::fs::read_to_string(sandbox.path("serve.log")).expect("the log");
    crate::service::until("the refusal", std::time::Duration::from_secs(20), || log().contains("not reloaded"));
    assert_eq!(worker.stop(), Some(0));
    let ended = Ended { code: Some(0), stdout: String::new(), stderr: log() };
    assert_eq!(lines(&ended).last().expect("a line")["outcome"], "done", "{ended}");
}

#[test]
fn the_journal_gets_a_priority_before_each_line() {
    use std::os::unix::fs::MetadataExt;
    let sandbox = sandbox();
    let run = |words: &[&str], stream: &dyn Fn(&std::fs::Metadata) -> String| {
        let log = std::fs::File::create(sandbox.path("journal")).expect("a file");
        let stream = stream(&log.metadata().expect("its inode"));
        let ended =
            sandbox.command(words.iter().copied()).env("JOURNAL_STREAM", stream).stderr(log).stdout(Stdio::null()).status();
        assert_eq!(ended.expect("its end").code(), Some(3));
        std::fs::read_to_string(sandbox.path("journal")).expect("what it wrote")
    };
    let ours = |file: &std::fs::Metadata| format!("{}:{}", file.dev(), file.ino());
    for words in [["--log", "text", "run-job", "look"], ["--log", "json", "run-job", "look"]] {
        let text = run(&words, &ours);
        assert!(text.lines().all(|line| line.starts_with('<') && &line[2..3] == ">"), "{text}");
        assert!(text.lines().last().is_some_and(|line| line.starts_with("<3>") && line.contains("partial (exit 3)")), "{text}");
    }
    // Handed down from a unit to something whose stderr is elsewhere.
    let text = run(&["run-job", "look"], &|file| format!("{}:{}", file.dev(), file.ino() + 1));
    assert!(!text.contains('<') && text.contains("partial (exit 3)"), "{text}");
}

#[test]
fn a_stderr_and_a_stdout_that_take_nothing_stop_no_run() {
    for words in [["--log", "text"], ["--log", "json"]] {
        let sandbox = sandbox();
        let words = words.iter().chain(&["run-job", "delete-marks"]).copied();
        let mut run = sandbox
            .command(words)
            .env("STEWARD_LOG", "debug")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop((run.stdout.take(), run.stderr.take()));
        assert_eq!(run.wait().expect("its end").code(), Some(0));
        assert_eq!(sandbox.database.count("select count(*) from marks"), 0);
        assert_eq!(sandbox.steward(["runs", "--json"]).must_end(0).json()["runs"][0]["outcome"], "done");
    }
}
