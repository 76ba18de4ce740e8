//! Settings of the account, the session and the server that change what a statement does.

use super::setup::{empty, governs, is_refused, sandbox, table};
use crate::support::engine::Engine;
use crate::support::pair::Own;

const ALSO: &str = "CREATE TABLE ch (id integer NOT NULL PRIMARY KEY, pa integer, FOREIGN KEY (pa) REFERENCES pa (id) ON DELETE CASCADE) {{table}};";

#[test]
fn settings_of_the_account_that_change_statements_are_ours_on_postgres() {
    let sandbox = sandbox(Engine::Postgres, &(table("pa") + &empty("arch")));
    let name = &sandbox.database.name;
    for setting in [
        "synchronous_commit = off",
        "default_transaction_isolation = 'serializable'",
        "standard_conforming_strings = off",
        "transform_null_equals = on",
        "row_security = on",
        "gin_fuzzy_search_limit = 1",
        "quote_all_identifiers = on",
        "DateStyle = 'German, DMY'",
        "IntervalStyle = sql_standard",
        "bytea_output = escape",
        "extra_float_digits = -15",
        "TimeZone = 'Asia/Shanghai'",
        "enable_indexscan = off",
    ] {
        sandbox.sql(&format!("ALTER DATABASE {name} SET {setting}"));
    }
    // With `transform_null_equals` this would mean IS NULL; without standard strings the backslash would go.
    governs(&sandbox, "core.pa", Some("core.arch"), "    where: \"note = NULL OR note <> 'a\\\\b'\"\n");
    sandbox.steward(["run-job", "j"]).must_end(0);
    assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM arch"), 1);
    let sandbox = super::setup::sandbox(Engine::Postgres, &table("pa"));
    sandbox.sql(&format!("ALTER DATABASE {} SET session_replication_role = replica", sandbox.database.name));
    governs(&sandbox, "core.pa", None, "");
    is_refused(&sandbox, &["pa"], &["SW4044", "`session_replication_role` is `replica`"]);
}

#[test]
fn settings_of_the_server_that_change_statements_are_ours_on_mysql_and_mariadb() {
    for engine in [Engine::Mysql, Engine::Mariadb] {
        let server = Own::alone(engine);
        let sandbox = crate::support::sandbox::Sandbox::on(engine, &server.url());
        sandbox.sql(&super::setup::words(engine, &(table("pa") + &empty("arch") + ALSO + "INSERT INTO ch VALUES (5, 1);")));
        let own: &[&str] = if engine == Engine::Mysql {
            &["sql_require_primary_key = 1", "show_gipk_in_create_table_and_information_schema = 0"]
        } else {
            &["check_constraint_checks = 0", "system_versioning_asof = '2000-01-01 00:00:00'"]
        };
        for setting in [
            "sql_safe_updates = 1",
            "sql_select_limit = 1",
            "completion_type = 1",
            "foreign_key_checks = 0",
            "sql_big_selects = 0",
            "max_join_size = 1",
        ]
        .iter()
        .chain(own)
        {
            sandbox.sql(&format!("SET GLOBAL {setting}"));
        }
        governs(&sandbox, "core.pa", Some("core.arch"), "");
        let said = sandbox.steward(["run-job", "j", "--json"]).must_end(4);
        assert!(said.stdout.contains("1 row of `ch` would be removed along"), "{said}");
        governs(&sandbox, "core.pa", Some("core.arch"), "    cascade: allow\n");
        sandbox.steward(["run-job", "j"]).must_end(0);
        sandbox.sql("SET GLOBAL max_join_size = DEFAULT; SET GLOBAL sql_big_selects = 1");
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM arch"), 1);
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM ch"), 0, "the foreign key was not heeded");
    }
}

#[test]
fn a_binary_log_by_statement_is_refused_by_doctor_and_by_every_run() {
    for engine in [Engine::Mysql, Engine::Mariadb] {
        let server = Own::alone(engine);
        let sandbox = crate::support::sandbox::Sandbox::on(engine, &server.url());
        sandbox.sql(&super::setup::words(engine, &table("pa")));
        governs(&sandbox, "core.pa", None, "");
        sandbox.sql("SET GLOBAL binlog_format = 'STATEMENT'");
        is_refused(&sandbox, &["pa"], &["SW4044", "`binlog_format` is `STATEMENT`", "SET GLOBAL binlog_format = 'ROW'"]);
        let said = sandbox.steward(["doctor"]).must_end(3);
        assert!(said.stdout.contains("`binlog_format` is `STATEMENT`"), "{said}");
        sandbox.sql("SET GLOBAL binlog_format = 'ROW'");
        sandbox.steward(["run-job", "j"]).must_end(0);
    }
}

#[test]
fn modes_of_the_server_and_what_a_connection_begins_with_change_no_run_on_mysql_and_mariadb() {
    const CHARS: &str = "(id char(8) NOT NULL PRIMARY KEY, created_at datetime, note varchar(40)) ENGINE = InnoDB;";
    for engine in [Engine::Mysql, Engine::Mariadb] {
        let server = Own::alone(engine);
        let sandbox = crate::support::sandbox::Sandbox::on(engine, &server.url());
        sandbox.sql(&format!("CREATE TABLE pa {CHARS} CREATE TABLE arch {CHARS} INSERT INTO pa VALUES ('a', '2020-01-01', 'it''s\\\\'), ('b', '2099-01-01', 'young');"));
        governs(&sandbox, "core.pa", Some("core.arch"), "    where: \"note <> 'none'\"\n");
        sandbox.least_privileged();
        let own = if engine == Engine::Mysql { "max_execution_time = 1" } else { "max_statement_time = 0.001" };
        let pads = if engine == Engine::Mysql { "" } else { ",PAD_CHAR_TO_FULL_LENGTH" };
        sandbox.sql(&format!(
            "SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,IGNORE_SPACE,HIGH_NOT_PRECEDENCE,NO_UNSIGNED_SUBTRACTION{pads}'; \
             SET GLOBAL init_connect = \"SET autocommit = 0, foreign_key_checks = 0, sql_safe_updates = 1, sql_mode = 'TRADITIONAL', {own}\""
        ));
        sandbox.steward(["validate", "--connect"]).must_end(0);
        sandbox.steward(["run-job", "j"]).must_end(0);
        assert_eq!(
            sandbox.database.rows("SELECT RTRIM(id), note FROM arch"),
            [[Some("a".to_owned()), Some("it's\\".to_owned())]]
        );
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM pa"), 1);
    }
}
