//! Tables with rows of 2020 that are due and one of 2099 that is not; a policy and a job on one of them.

use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox};

/// A sandbox whose tables a script makes; `{{words}}` as in the cases.
pub fn sandbox(engine: Engine, script: &str) -> Sandbox {
    let sandbox = Sandbox::new(engine);
    sandbox.sql(&words(engine, script));
    sandbox
}

/// The script with its `{{words}}` in the engine's own.
pub fn words(engine: Engine, script: &str) -> String {
    ["datetime", "text", "table"]
        .iter()
        .fold(script.to_owned(), |text, word| text.replace(&format!("{{{{{word}}}}}"), engine.word(word).expect("a word")))
}

/// Rows removed after a year, or moved to `archive`; with more lines of the policy's own.
pub fn governs(sandbox: &Sandbox, dataset: &str, archive: Option<&str>, more: &str) {
    let (action, step) = match archive {
        Some(to) => ("archive", format!("archive: {{ after: 1 year, to: {to} }}")),
        None => ("delete", "delete: { after: 1 year }".to_owned()),
    };
    sandbox.policy(
        "p",
        &format!(
            "lifecycle:\n  - name: p\n    dataset: {dataset}\n    clock: created_at\n    {step}\n    guard: {{ max_percent: 100 }}\n{more}"
        ),
    );
    sandbox.job("j", &format!("action: {action}\npolicies: [p]\nmode: enforce\n"));
}

/// Validated, which plans, and run: each refuses with these words, and these tables are as they were.
#[track_caller]
pub fn is_refused(sandbox: &Sandbox, tables: &[&str], words: &[&str]) -> Ended {
    let before: Vec<String> = tables.iter().map(|table| sandbox.database.dump(table)).collect();
    let says = |ended: &Ended| {
        let said = format!("{}{}", ended.stdout, ended.stderr);
        for word in words {
            assert!(said.contains(word), "`{word}` is not said:\n{ended}");
        }
    };
    says(&sandbox.steward(["validate", "--connect"]).must_end(78));
    let ended = sandbox.steward(["run-job", "j", "--json"]).must_end(4);
    says(&ended);
    let after: Vec<String> = tables.iter().map(|table| sandbox.database.dump(table)).collect();
    assert_eq!(after, before, "{ended}");
    ended
}

/// A table with a key, a date and a note, one row of it due and one not.
pub fn table(name: &str) -> String {
    format!(
        "CREATE TABLE {name} (id integer NOT NULL PRIMARY KEY, created_at {{{{datetime}}}}, note varchar(40)) {{{{table}}}}; {}",
        rows(name)
    )
}

/// The same without rows.
pub fn empty(name: &str) -> String {
    table(name).split(';').next().unwrap_or_default().to_owned() + ";"
}

/// Its rows.
pub fn rows(name: &str) -> String {
    format!(
        "INSERT INTO {name} (id, created_at, note) VALUES (1, '2020-01-01 00:00:00', 'due'), (2, '2099-01-01 00:00:00', 'young');"
    )
}
