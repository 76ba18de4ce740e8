//! Parents with children that refuse their removal, and policies on them.

use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;

/// `{{words}}` in the engine's own.
pub fn words(engine: Engine, script: &str) -> String {
    ["datetime", "text", "table"]
        .iter()
        .fold(script.to_owned(), |text, word| text.replace(&format!("{{{{{word}}}}}"), engine.word(word).expect("a word")))
}

/// So many rows that are due, in a table `pa` with its empty archive `pa_archive`, and the empty child table `ch`.
pub fn parents(engine: Engine, rows: u64) -> Sandbox {
    let sandbox = Sandbox::new(engine);
    let columns = "id integer NOT NULL PRIMARY KEY, created_at {{datetime}}, note varchar(40)";
    sandbox.sql(&words(
        engine,
        &format!(
            "CREATE TABLE pa ({columns}) {{{{table}}}}; CREATE TABLE pa_archive ({columns}) {{{{table}}}}; \
             CREATE INDEX pa_created_at ON pa (created_at); \
             CREATE TABLE ch (id integer NOT NULL PRIMARY KEY, pa integer, created_at {{{{datetime}}}}, \
             CONSTRAINT ch_pa FOREIGN KEY (pa) REFERENCES pa (id)) {{{{table}}}}; CREATE INDEX ch_pa_index ON ch (pa);"
        ),
    ));
    let values: Vec<String> = (1..=rows).map(|id| format!("({id}, '{}', 'n')", day(id))).collect();
    for part in values.chunks(1_000) {
        sandbox.sql(&format!("INSERT INTO pa (id, created_at, note) VALUES {}", part.join(", ")));
    }
    sandbox
}

/// A day of 2020, later for a later row.
fn day(id: u64) -> String {
    format!("2020-01-{:02} {:02}:{:02}:00", 1 + id % 20_000 / 1_440, id / 60 % 24, id % 60)
}

/// A child for each of these parents.
pub fn children(sandbox: &Sandbox, of: impl IntoIterator<Item = u64>) {
    let values: Vec<String> = of.into_iter().map(|id| format!("({id}, {id}, '2020-01-01 00:00:00')")).collect();
    if !values.is_empty() {
        sandbox.sql(&format!("INSERT INTO ch (id, pa, created_at) VALUES {}", values.join(", ")));
    }
}

/// Rows removed after a year, or moved to `archive`; with more lines of the policy's own.
pub fn governs(sandbox: &Sandbox, archive: Option<&str>, more: &str) {
    let (action, step) = match archive {
        Some(to) => ("archive", format!("archive: {{ after: 1 year, to: {to} }}")),
        None => ("delete", "delete: { after: 1 year }".to_owned()),
    };
    sandbox.policy(
        "p",
        &format!(
            "lifecycle:\n  - name: p\n    dataset: core.pa\n    clock: created_at\n    {step}\n    guard: {{ max_percent: 100 }}\n{more}"
        ),
    );
    sandbox.job("j", &format!("action: {action}\npolicies: [p]\nmode: enforce\n"));
}

/// Has the engine refuse that rows of `pa` go for which this holds, by a trigger: what nobody can know beforehand.
pub fn refuses(sandbox: &Sandbox, old: &str) {
    sandbox.sql(&match sandbox.database.engine {
        Engine::Sqlite => format!("CREATE TRIGGER no BEFORE DELETE ON pa WHEN {old} BEGIN SELECT RAISE(ABORT, 'li@x.com'); END"),
        Engine::Postgres => format!(
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {old} THEN RAISE EXCEPTION 'li@x.com'; END IF; \
             RETURN OLD; END $$; CREATE TRIGGER no BEFORE DELETE ON pa FOR EACH ROW EXECUTE FUNCTION no()"
        ),
        _ => format!(
            "CREATE TRIGGER no BEFORE DELETE ON pa FOR EACH ROW BEGIN IF {old} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'li@x.com'; \
             END IF; END"
        ),
    });
}
