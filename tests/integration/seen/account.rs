//! What the account may not see: keys, triggers, columns, rows.

use super::setup::{empty, governs, sandbox, table, words};
use crate::support::account::Account;
use crate::support::engine::Engine;
use crate::support::sandbox::{Ended, Sandbox, URL};

/// Runs the binary as this account.
fn run_as(account: &Account, sandbox: &Sandbox, words: &[&str]) -> Ended {
    sandbox.command(words.iter().copied()).env(URL, account.url()).output().expect("the binary starts").into()
}

#[test]
fn keys_triggers_and_columns_that_the_account_may_not_see_are_refused_with_the_grant() {
    for engine in [Engine::Mysql, Engine::Mariadb] {
        let sandbox = sandbox(engine, &(table("pa") + &empty("arch")));
        let (db, other) = (sandbox.database.name.clone(), format!("{}_far", sandbox.database.name));
        sandbox.sql(&words(
            engine,
            &format!(
                "CREATE DATABASE {other}; CREATE TABLE {other}.`ch-1 é` (id integer NOT NULL PRIMARY KEY, pa integer, \
                 CONSTRAINT `fk ü` FOREIGN KEY (pa) REFERENCES {db}.pa (id) ON DELETE CASCADE) {{{{table}}}}; \
                 INSERT INTO {other}.`ch-1 é` VALUES (5, 1);"
            ),
        ));
        sandbox.sql("CREATE TRIGGER fires AFTER DELETE ON pa FOR EACH ROW SET @x = 1");
        let account = Account::new(&sandbox.database);
        let refused = |words: &[&str]| {
            let said = run_as(&account, &sandbox, &["run-job", "j", "--json"]).must_end(4);
            for word in words {
                assert!(said.stdout.contains(word), "`{word}`: {said}");
            }
            assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM pa"), 2, "{said}");
            run_as(&account, &sandbox, &["validate", "--connect"]).must_end(78);
            said.stdout
        };
        governs(&sandbox, "core.pa", Some("core.arch"), "");
        // What was printed before: rows can be moved, and nothing else is seen.
        let user = format!("'{}'@'%'", account.name);
        sandbox.sql(&format!(
            "GRANT SELECT, DELETE ON {db}.pa TO {user}; GRANT SELECT, INSERT ON {db}.arch TO {user}; \
             GRANT CREATE TEMPORARY TABLES ON {db}.* TO {user}"
        ));
        refused(&["SW4041", "PROCESS", "TRIGGER on `core", "GRANT PROCESS ON *.* TO"]);
        let doctor = run_as(&account, &sandbox, &["doctor"]);
        assert!(doctor.stdout.contains("PROCESS"), "{doctor}");
        sandbox.sql(&format!("GRANT PROCESS ON *.* TO {user}; GRANT TRIGGER ON {db}.pa TO {user}"));
        refused(&["SW4041", "TRIGGER on `core", ".arch`"]);
        sandbox.sql(&format!("GRANT TRIGGER ON {db}.arch TO {user}"));
        // The key is known now; how many rows go along is not.
        let said = refused(&["SW4041", "SELECT on", "ch-1 é", "`fk ü`"]);
        sandbox.sql(&format!("GRANT SELECT ON {other}.`ch-1 é` TO {user}"));
        assert!(said.contains("GRANT SELECT ON `") && said.contains("_far`.`ch-1 é` TO"), "{said}");
        let said = run_as(&account, &sandbox, &["run-job", "j", "--json"]).must_end(4);
        assert!(said.stdout.contains("1 row of `ch-1 é` would be removed along"), "{said}");
        governs(&sandbox, "core.pa", Some("core.arch"), "    cascade: allow\n");
        let plan = run_as(&account, &sandbox, &["plan", "j"]).must_end(0);
        assert!(plan.stdout.contains("trigger `fires` fires"), "{plan}");
        run_as(&account, &sandbox, &["run-job", "j"]).must_end(0);
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM arch"), 1);
        assert_eq!(sandbox.database.count(&format!("SELECT COUNT(*) FROM {other}.`ch-1 é`")), 0);
    }
}

#[test]
fn a_column_that_the_account_may_not_see_is_never_lost_on_the_way() {
    for engine in [Engine::Mysql, Engine::Mariadb] {
        let sandbox = sandbox(
            engine,
            &(table("pa") + "CREATE TABLE arch (id integer NOT NULL PRIMARY KEY, created_at {{datetime}}) {{table}};"),
        );
        let account = Account::new(&sandbox.database);
        let (db, user) = (sandbox.database.name.clone(), format!("'{}'@'%'", account.name));
        sandbox.sql(&format!(
            "GRANT SELECT (id, created_at), DELETE, TRIGGER ON {db}.pa TO {user}; GRANT SELECT, INSERT, TRIGGER ON {db}.arch TO {user}; \
             GRANT CREATE TEMPORARY TABLES ON {db}.* TO {user}; GRANT PROCESS ON *.* TO {user}"
        ));
        governs(&sandbox, "core.pa", Some("core.arch"), "");
        let said = run_as(&account, &sandbox, &["run-job", "j", "--json"]).must_end(4);
        assert!(said.stdout.contains("SW4041") && said.stdout.contains("SELECT on `core"), "{said}");
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM pa"), 2);
    }
}

#[test]
fn the_printed_grants_are_enough_on_every_server() {
    for engine in [Engine::Postgres, Engine::Mysql, Engine::Mariadb] {
        let sandbox = sandbox(
            engine,
            &(table("pa")
                + &empty("arch")
                + "CREATE TABLE ch (id integer NOT NULL PRIMARY KEY, pa integer, FOREIGN KEY (pa) REFERENCES pa (id) ON DELETE CASCADE) {{table}}; \
                   INSERT INTO ch VALUES (5, 1);"),
        );
        governs(&sandbox, "core.pa", Some("core.arch"), "    cascade: allow\n");
        sandbox.least_privileged();
        sandbox.steward(["run-job", "j"]).must_end(0);
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM arch"), 1);
    }
}

#[test]
fn a_generated_primary_key_that_is_invisible_is_a_key() {
    let sandbox = Sandbox::new(Engine::Mysql);
    sandbox.sql(
        "SET SESSION sql_generate_invisible_primary_key = 1; CREATE TABLE pa (created_at datetime, note varchar(40)); \
         INSERT INTO pa VALUES ('2020-01-01', 'due')",
    );
    governs(&sandbox, "core.pa", None, "");
    sandbox.steward(["run-job", "j"]).must_end(0);
    assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM pa"), 0);
}

#[test]
fn rows_that_row_level_security_hides_are_refused_and_never_counted_as_none() {
    let sandbox = sandbox(
        Engine::Postgres,
        &(table("pa")
            + &empty("arch")
            + "CREATE TABLE ch (id int PRIMARY KEY, pa int REFERENCES pa (id) ON DELETE CASCADE); INSERT INTO ch VALUES (5, 1); \
               CREATE TABLE open_rows (id int PRIMARY KEY, created_at timestamp, note varchar(40));"),
    );
    let account = Account::new(&sandbox.database);
    sandbox.sql(&format!(
        "GRANT USAGE ON SCHEMA public TO {0}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {0}",
        account.name
    ));
    let secure = |table: &str| {
        sandbox.sql(&format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; CREATE POLICY one_tenant ON {table} USING (false)"))
    };
    let open =
        |table: &str| sandbox.sql(&format!("DROP POLICY one_tenant ON {table}; ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"));
    let refused = |code: i32| {
        let said = run_as(&account, &sandbox, &["run-job", "j", "--json"]).must_end(code);
        assert!(said.stdout.contains("SW4045") && said.stdout.contains("one_tenant"), "{said}");
        assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM pa"), 2, "{said}");
    };
    for hidden in ["pa", "arch", "ch"] {
        secure(hidden);
        governs(&sandbox, "core.pa", Some("core.arch"), "    cascade: allow\n");
        refused(4);
        open(hidden);
    }
    secure("pa");
    sandbox.policy("p", "sessions:\n  - { name: p, dataset: core.pa, expires: created_at, set: { note: over } }\n");
    sandbox.job("j", "action: expire-sessions\npolicies: [p]\nmode: enforce\n");
    refused(4);
    sandbox.job("j", "action: check-quality\npolicies: [p]\n");
    for check in [
        "dataset: core.pa, row_count: true, fail: \"> 100\"",
        "dataset: core.ch, dangling: pa, to: core.pa.id, fail: \"> 100\"",
        "dataset: core.pa, missing: [note], fail: \"> 100\"",
        "dataset: core.pa, expired: created_at, fail: \"> 100\"",
    ] {
        sandbox.policy("p", &format!("checks:\n  - {{ name: p, {check} }}\n"));
        refused(3);
    }
    // A query of one's own names no dataset; the server itself refuses to leave rows out.
    sandbox.policy("p", "checks:\n  - { name: p, dataset: core, sql: \"SELECT COUNT(*) FROM pa\", fail: \"> 100\" }\n");
    let said = run_as(&account, &sandbox, &["run-job", "j", "--json"]).must_end(3);
    assert!(said.stdout.contains("SW4045"), "{said}");
    // So does a condition that looks there.
    sandbox.sql("INSERT INTO open_rows VALUES (1, '2020-01-01', 'x')");
    governs(&sandbox, "core.open_rows", None, "    where: \"NOT EXISTS (SELECT 1 FROM pa WHERE pa.id = 1)\"\n");
    let said = run_as(&account, &sandbox, &["run-job", "j", "--json"]);
    assert!(said.code != Some(0) && said.stdout.contains("row-level security"), "{said}");
    assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM open_rows"), 1);
    // Whoever sees every row goes on.
    sandbox.sql(&format!("ALTER ROLE {} BYPASSRLS", account.name));
    governs(&sandbox, "core.pa", Some("core.arch"), "    cascade: allow\n");
    run_as(&account, &sandbox, &["run-job", "j"]).must_end(0);
    assert_eq!(sandbox.database.count("SELECT COUNT(*) FROM arch"), 1);
}

#[test]
fn owners_that_row_level_security_hides_end_no_key() {
    use crate::support::keyspace::KeyServer;
    let mut sandbox =
        sandbox(Engine::Postgres, "CREATE TABLE users (id int PRIMARY KEY, tenant int); INSERT INTO users VALUES (1, 1), (2, 2)");
    sandbox.add_cache(KeyServer::Redis);
    sandbox.sql("ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY one_tenant ON users USING (tenant = 1)");
    for id in ["1", "2"] {
        sandbox.cache.as_ref().expect("a cache").seed(&format!("SET s:{id} x EX 1800\n"));
    }
    sandbox.policy("p", "cache:\n  - { name: p, store: cache, keys: \"s:{id}\", ttl: 1 hour, belongs_to: core.users.id, guard: { max_percent: 100 } }\n");
    sandbox.job("j", "action: sweep-cache\npolicies: [p]\nmode: enforce\n");
    let account = Account::new(&sandbox.database);
    sandbox.sql(&format!("GRANT USAGE ON SCHEMA public TO {0}; GRANT SELECT ON users TO {0}", account.name));
    let said = run_as(&account, &sandbox, &["run-job", "j", "--json"]).must_end(4);
    assert!(said.stdout.contains("one_tenant"), "{said}");
}

#[test]
fn row_level_security_that_hides_nothing_refuses_nothing() {
    // The superuser of the tests bypasses policies: nothing is refused where every row is seen.
    let sandbox = sandbox(Engine::Postgres, &(table("pa") + &empty("arch")));
    sandbox.sql("ALTER TABLE pa ENABLE ROW LEVEL SECURITY; ALTER TABLE pa FORCE ROW LEVEL SECURITY; CREATE POLICY none ON pa USING (false)");
    governs(&sandbox, "core.pa", Some("core.arch"), "");
    sandbox.steward(["run-job", "j"]).must_end(0);
}

#[test]
fn who_may_not_leave_a_mark_is_told_by_plan_and_doctor_before_the_run() {
    for engine in [Engine::Postgres, Engine::Mysql, Engine::Mariadb] {
        let sandbox = sandbox(engine, &table("pa"));
        governs(&sandbox, "core.pa", None, "");
        sandbox.least_privileged();
        let doctor = sandbox.steward(["doctor"]).must_end(0);
        assert!(doctor.stdout.contains("batches leave one in `steward_batches`"), "{doctor}");
        assert!(!sandbox.steward(["plan", "j"]).must_end(0).stdout.contains("leave no mark"));
        let account = match engine {
            Engine::Postgres => format!("\"{}_u\"", sandbox.database.name),
            _ => format!("'{}_u'@'%'", sandbox.database.name),
        };
        sandbox.sql(&format!("REVOKE UPDATE ON steward_batches FROM {account}"));
        let doctor = sandbox.steward(["doctor"]).must_end(0);
        assert!(doctor.stdout.contains("missing: UPDATE on `core."), "{doctor}");
        assert!(sandbox.steward(["plan", "j"]).must_end(0).stdout.contains("batches leave no mark in `core."));
        let run = sandbox.steward(["run-job", "j"]).must_end(0);
        assert_eq!(run.stdout.matches("leave no mark").count(), 1, "{run}");
    }
}
