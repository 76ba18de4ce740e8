//! A server's own words may quote a value, and a trigger may say anything: none of it leaves memory.

use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox};
use std::path::Path;

/// What nothing may show.
const CANARY: &str = "canary.7f3a@example.com";

const POLICY: &str = "owner: dpo@example.com
classification:
  - { dataset: core.users, fields: { email: { type: PII, sensitivity: critical }, id: { sensitivity: low } } }
";

fn lifecycle(condition: &str, step: &str) -> String {
    format!(
        "{POLICY}lifecycle:\n  - {{ name: users, dataset: core.users, clock: created_at, where: {}, {step}, guard: {{ max_percent: 100 }} }}\n",
        serde_json::Value::from(condition)
    )
}

fn open(engine: Engine) -> Sandbox {
    let sandbox = Sandbox::new(engine);
    sandbox.config("mail: { url: \"file:mails/\", from: \"steward@example.com\", to: [\"dpo@example.com\"] }\n");
    let datetime = engine.word("datetime").expect("a type");
    sandbox.sql(&format!(
        "create table users (id int not null primary key, email varchar(80) not null, created_at {datetime});\
         insert into users values (1, '{CANARY}', '2020-01-01 00:00:00');\
         create table archived (id int not null primary key, email varchar(80) not null unique, created_at {datetime});\
         insert into archived values (7, '{CANARY}', '2020-01-01 00:00:00');"
    ));
    sandbox
}

/// Looks through all that was said and everything that was left on disk, the store itself aside.
fn silent(sandbox: &Sandbox, ended: &Ended, what: &str) {
    for said in [&ended.stdout, &ended.stderr] {
        assert!(!said.contains("canary"), "{what}: {ended}");
    }
    for folder in ["state", "mails"] {
        search(&sandbox.path(folder), what);
    }
}

fn search(folder: &Path, what: &str) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            search(&path, what);
        } else {
            let bytes = std::fs::read(&path).unwrap_or_default();
            let found = bytes.windows(6).any(|window| window.eq_ignore_ascii_case(b"canary"));
            assert!(!found, "{what}: {}", path.display());
        }
    }
}

/// A trigger that says the row's own value when the row is removed.
fn trigger(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "create trigger t before delete on users begin select raise(abort, 'no canary.7f3a@example.com'); end;",
        Engine::Postgres => {
            "create function t() returns trigger language plpgsql as $$ begin raise warning 'about %', old.email; \
             raise exception 'cannot delete %', old.email using constraint = old.email, table = old.email, detail = old.email; end $$;\
             create trigger t before delete on users for each row execute function t();"
        }
        Engine::Mysql | Engine::Mariadb => {
            "create trigger t before delete on users for each row begin declare m varchar(128); set m = concat('cannot delete ', old.email); \
             signal sqlstate '45000' set message_text = m; end;"
        }
    }
}

/// Triggers that say it under a code of another fault.
fn disguised(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "",
        Engine::Postgres => {
            "create or replace function t() returns trigger language plpgsql as $$ begin \
             raise exception 'column \"%\" does not exist', old.email using errcode = '42703', column = old.email; end $$;"
        }
        Engine::Mysql | Engine::Mariadb => {
            "drop trigger t; create trigger t before delete on users for each row begin declare m varchar(128); \
             set m = concat('Unknown column ', old.email); signal sqlstate '42S22' set message_text = m, mysql_errno = 1054; end;"
        }
    }
}

/// Conditions that fail on the value itself.
fn failing(engine: Engine) -> Vec<&'static str> {
    match engine {
        Engine::Sqlite => vec!["json_extract('{}', email) IS NULL", "json_extract(email, '$.a') IS NULL"],
        Engine::Postgres => {
            vec!["email::int > 0", "email::regclass IS NOT NULL", "email::date < now()", "email::regnamespace IS NULL"]
        }
        Engine::Mysql => vec!["says(email) > 0", "JSON_EXTRACT(email, '$.a') = 1", "JSON_EXTRACT('{}', email) = 1"],
        // JSON that cannot be read is NULL there.
        Engine::Mariadb => vec!["says(email) > 0"],
    }
}

#[test]
fn no_word_of_a_server_carries_a_value() {
    for engine in Engine::all() {
        let sandbox = open(engine);
        let job = |action: &str| format!("action: {action}\npolicies: [\"*\"]\nmode: enforce\nreport: {{ when: always }}\n");
        if engine.is_mysql() {
            sandbox.sql(
                "create function says(e varchar(80)) returns int deterministic reads sql data begin declare m varchar(128); \
                 set m = concat('cannot read ', e); signal sqlstate '45000' set message_text = m; return 1; end;",
            );
        }
        let run = |job: &str, what: &str| {
            for words in [vec!["plan", job], vec!["run-job", job], vec!["run-job", job, "--json"], vec!["runs"]] {
                let mut command = sandbox.command(words.iter().copied());
                command.env("STEWARD_LOG", "trace");
                let ended = Ended::from(command.output().expect("the binary"));
                silent(&sandbox, &ended, &format!("{engine:?} {what} {words:?}"));
                let left = sandbox.database.count("select count(*) from users");
                assert_eq!(left, 1, "{engine:?} {what} {words:?}: the row went: {ended}");
            }
        };
        sandbox.job("job", &job("archive"));
        sandbox.policy("users", &lifecycle("id > 0", "archive: { after: 1 year, to: core.archived }"));
        run("job", "a unique violation");
        sandbox.job("job", &job("delete"));
        let failing_policies: String = failing(engine)
            .iter()
            .enumerate()
            .map(|(at, condition)| {
                let whole = lifecycle(condition, "delete: { after: 1 year }");
                whole.lines().last().unwrap_or_default().replace("name: users", &format!("name: u{at}")) + "\n"
            })
            .collect();
        sandbox.policy("users", &format!("{POLICY}lifecycle:\n{failing_policies}"));
        run("job", "failing conditions");
        sandbox.sql(trigger(engine));
        sandbox.policy("users", &lifecycle("id > 0", "delete: { after: 1 year }"));
        run("job", "a trigger");
        assert_eq!(sandbox.database.count("select count(*) from users"), 1, "{engine:?}: the trigger let it go");
        if engine != Engine::Sqlite {
            sandbox.sql(disguised(engine));
            run("job", "a disguised trigger");
        }
        let checks: String = failing(engine)
            .iter()
            .enumerate()
            .map(|(at, condition)| {
                format!(
                    "  - {{ name: c{at}, dataset: core.users, row_count: true, where: {}, fail: \"> 0\" }}\n  - {{ name: q{at}, dataset: core, sql: {}, fail: \"> 0\" }}\n",
                    serde_json::Value::from(*condition),
                    serde_json::Value::from(format!("SELECT COUNT(*) AS n FROM users WHERE {condition}"))
                )
            })
            .collect();
        sandbox.policy("users", &format!("{POLICY}checks:\n{checks}"));
        sandbox.job("job", &job("check-quality"));
        run("job", "checks");
        sandbox.steward(["audit", "verify"]).must_end(0);
    }
}
