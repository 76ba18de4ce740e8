//! Stores that take no writes: known before the night, and never overruled.

use super::setup::{governs, is_refused, sandbox, table, words};
use crate::support::engine::Engine;
use crate::support::pair::{Own, Pair};
use crate::support::sandbox::{Ended, Sandbox, URL};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// Refused by every command, with these words; doctor says so as well.
#[track_caller]
fn is_read_only(sandbox: &Sandbox, words: &[&str]) {
    let words: Vec<&str> = ["SW4086", "is read-only"].iter().chain(words).copied().collect();
    is_refused(sandbox, &["pa"], &words);
    let said = sandbox.steward(["plan", "j"]);
    assert!(said.to_string().contains("SW4086"), "{said}");
    let said = sandbox.steward(["doctor"]).must_end(3);
    assert!(said.to_string().contains(words[2]), "{said}");
}

#[test]
fn a_read_only_account_database_or_standby_of_postgres_is_refused_and_never_overruled() {
    let sandbox = sandbox(Engine::Postgres, &table("pa"));
    let name = &sandbox.database.name;
    for archive in [None, Some("core.arch")] {
        governs(&sandbox, "core.pa", archive, "");
        sandbox.sql(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
        if archive.is_none() {
            is_read_only(&sandbox, &["`default_transaction_read_only` is on for its database", "ALTER DATABASE "]);
        } else {
            sandbox.steward(["run-job", "j"]).must_end(4);
        }
        sandbox.database.admin(&format!("ALTER DATABASE {name} RESET default_transaction_read_only"));
    }
    governs(&sandbox, "core.pa", None, "");
    sandbox.least_privileged();
    sandbox.steward(["run-job", "j", "--dry-run"]).must_end(0);
    sandbox.database.admin(&format!("ALTER ROLE {name}_u SET default_transaction_read_only = on"));
    is_read_only(&sandbox, &["`default_transaction_read_only` is on for this account", &format!("ALTER ROLE {name}_u RESET")]);
    sandbox.database.admin(&format!("ALTER ROLE {name}_u RESET default_transaction_read_only"));
    sandbox.steward(["run-job", "j"]).must_end(0);

    let pair = Pair::new(Engine::Postgres);
    let sandbox = Sandbox::on(Engine::Postgres, &pair.primary.url());
    sandbox.sql(&words(Engine::Postgres, &table("pa")));
    governs(&sandbox, "core.pa", None, "");
    pair.write();
    pair.catches_up();
    let url = format!("{}/{}", pair.replica.url().trim_end_matches("/postgres"), sandbox.database.name);
    let standby = |words: &[&str]| -> Ended {
        sandbox.command(words.iter().copied()).env(URL, &url).output().expect("the binary starts").into()
    };
    for (words, code) in [(["run-job", "j"].as_slice(), 4), (&["validate", "--connect"], 78), (&["doctor"], 3)] {
        let said = standby(words).must_end(code);
        assert!(said.to_string().contains("it is a standby, which replays what its primary writes"), "{said}");
    }
}

#[test]
fn a_read_only_server_or_database_of_mysql_and_mariadb_is_refused_for_an_administrator_as_well() {
    for engine in [Engine::Mysql, Engine::Mariadb] {
        let server = Own::alone(engine);
        let sandbox = Sandbox::on(engine, &server.url());
        sandbox.sql(&words(engine, &table("pa")));
        governs(&sandbox, "core.pa", None, "");
        let access = if engine == Engine::Mysql { "transaction_read_only" } else { "tx_read_only" };
        let own: &[&str] = if engine == Engine::Mysql { &["super_read_only", "read_only"] } else { &["read_only"] };
        for setting in own.iter().chain([&access]) {
            sandbox.sql(&format!("SET GLOBAL {setting} = 1"));
            is_read_only(&sandbox, &["is on for its server"]);
            sandbox.database.admin(&format!("SET GLOBAL {setting} = 0; SET GLOBAL read_only = 0"));
        }
        if engine == Engine::Mysql {
            let name = &sandbox.database.name;
            sandbox.sql(&format!("ALTER DATABASE {name} READ ONLY = 1"));
            is_read_only(&sandbox, &[&format!("database `{name}` is READ ONLY"), "READ ONLY = 0;"]);
            sandbox.sql(&format!("ALTER DATABASE {name} READ ONLY = 0"));
        }
        sandbox.steward(["run-job", "j"]).must_end(0);
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM pa"), 1);
    }
}

#[test]
fn a_sqlite_file_that_cannot_be_written_is_refused_before_a_run_finds_out() {
    let sandbox = sandbox(Engine::Sqlite, &(table("pa") + "PRAGMA journal_mode = DELETE;"));
    governs(&sandbox, "core.pa", None, "");
    sandbox.steward(["run-job", "j", "--dry-run"]).must_end(0);
    std::fs::set_permissions(sandbox.path("store.db"), std::fs::Permissions::from_mode(0o444)).expect("its own file");
    let steward = |words: &[&str]| -> Ended {
        let plain = sandbox.command(words.iter().copied());
        // Root without the right to pass over permissions is as anybody is.
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set", "-dac_override", "--inh-caps", "-dac_override"]).arg(plain.get_program());
        command.args(plain.get_args()).current_dir(sandbox.path("."));
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.output().expect("setpriv is there").into()
    };
    for (words, code) in [(["run-job", "j"].as_slice(), 4), (&["validate", "--connect"], 78), (&["doctor"], 3)] {
        let said = steward(words).must_end(code);
        assert!(said.to_string().contains("the file cannot be written: Permission denied"), "{said}");
    }
    assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM pa"), 2);
}
