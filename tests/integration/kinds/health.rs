//! What servers say of their own health, and what they do not know is told as such.

use super::sight::Sight;
use crate::support::engine::Engine;

fn on(check: &str, bound: &str) -> String {
    format!("checks:\n  - {{ name: c, dataset: core, {check}, warn: \"{bound}\" }}\n")
}

#[test]
fn shares_of_connections_and_cache_are_told() {
    for engine in Engine::all() {
        let sight = Sight::new(engine, "create table t (id integer primary key) {{table}}; insert into t values (1)");
        let (connections, cache) = (on("connections: true", "> 80 %"), on("cache_hit: true", "< 80 %"));
        if engine == Engine::Sqlite {
            assert!(sight.refuses(&connections).contains("is a SQLite file"));
            assert!(sight.refuses(&cache).contains("is a SQLite file"));
            continue;
        }
        let measured = sight.sees(&connections);
        assert!((1..=100).contains(&measured.value), "{} {measured:?}", engine.name());
        let all: u64 = match engine {
            Engine::Postgres => sight.sandbox.database.count("show max_connections"),
            _ => sight.sandbox.database.count("select @@global.max_connections"),
        };
        assert!(measured.notes[0].contains(&format!("of {all} connections")), "{measured:?}");
        let measured = sight.sees(&cache);
        assert!(measured.nothing_seen || (1..=100).contains(&measured.value), "{} {measured:?}", engine.name());
    }
}

#[test]
fn a_lag_that_is_not_known_is_no_pass() {
    for engine in Engine::all() {
        let sight = Sight::new(engine, "");
        let said = sight.refuses(&on("replication_lag: true", "> 10 s"));
        let wanted = if engine == Engine::Sqlite { "is a SQLite file" } else { "is not known" };
        assert!(said.contains(wanted), "{} {said}", engine.name());
    }
}

#[test]
fn slow_statements_are_counted_and_shown_without_values_or_the_way_to_switch_them_on_is_told() {
    for engine in Engine::all() {
        let sight = Sight::new(
            engine,
            "create table t (id integer primary key, note varchar(20)) {{table}}; insert into t values (1, 'canary-1')",
        );
        if engine == Engine::Postgres {
            // Works where the server was started for it; the way to do so is told where not.
            drop(sight.sandbox.database.try_sql("create extension pg_stat_statements; select pg_stat_statements_reset()"));
        }
        let slow = |over: &str| on(&format!("slow_statements: true, over: {over}"), "> 0");
        assert!(sight.refuses(&slow("soon")).contains("`soon`"));
        match sight.measure(&slow("50 ms")) {
            Err(failure) => {
                let said = failure.to_string();
                let wanted = match engine {
                    Engine::Sqlite => "is a SQLite file",
                    Engine::Postgres => "pg_stat_statements",
                    _ => "performance_schema",
                };
                assert!(said.contains(wanted), "{} {said}", engine.name());
                let kept = match engine {
                    Engine::Sqlite => false,
                    Engine::Postgres => sight.sandbox.database.try_rows("select 1 from pg_stat_statements").is_ok(),
                    _ => sight.sandbox.database.count("select @@performance_schema") == 1,
                };
                assert!(!kept, "{} keeps them: {said}", engine.name());
            }
            Ok(before) => {
                assert!(engine.is_mysql() || engine == Engine::Postgres);
                let sleep = if engine.is_mysql() { "sleep(0.2)" } else { "pg_sleep(0.2)" };
                sight.sandbox.sql(&format!("select count(*), {sleep} from t where note = 'canary-1'"));
                let after = sight.sees(&slow("50 ms"));
                assert_eq!(after.value, before.value + 1, "{} {after:?}", engine.name());
                assert!(after.samples.iter().any(|sample| sample.to_lowercase().contains("sleep")), "{after:?}");
                assert!(after.samples.iter().all(|sample| !sample.contains("canary")), "{after:?}");
                assert_eq!(sight.sees(&slow("100 s")).value, 0);
            }
        }
    }
}

#[test]
fn the_largest_table_is_told_with_its_size() {
    for engine in Engine::all() {
        let sight = Sight::new(engine, "");
        let size = on("table_size: true", "> 1 GB");
        assert!(sight.sees(&size).nothing_seen, "{}", engine.name());
        sight.sql("create table small (id integer primary key) {{table}}; create table large (id integer primary key, note {{text}}) {{table}}");
        let rows: Vec<String> = (0..300).map(|id| format!("({id}, '{}')", "x".repeat(1_000))).collect();
        sight.sql(&format!("insert into large values {}", rows.join(", ")));
        sight.sql(if engine.is_mysql() { "analyze table large" } else { "analyze" });
        let measured = sight.sees(&size);
        assert!(measured.value >= 300_000, "{} {measured:?}", engine.name());
        assert!(measured.samples[0].starts_with("large: "), "{} {measured:?}", engine.name());
    }
}

#[test]
fn indexes_that_nobody_reads_are_named_and_unique_ones_are_not() {
    for engine in Engine::all() {
        let sight = Sight::new(
            engine,
            "create table t (id integer primary key, a integer, b integer, c integer) {{table}};
             create index read_me on t (a); create index idle on t (b); create unique index one_each on t (c);
             insert into t values (1, 1, 1, 1), (2, 2, 2, 2)",
        );
        let check = on("unused_indexes: true", "> 0");
        match engine {
            Engine::Sqlite => assert!(sight.refuses(&check).contains("is a SQLite file")),
            Engine::Mysql | Engine::Mariadb if sight.measure(&check).is_err() => {
                // A server that keeps no such statistics; one that does takes the branch below.
                assert_eq!(sight.sandbox.database.count("select @@performance_schema"), 0);
                assert!(sight.refuses(&check).contains("`performance_schema` is off"));
            }
            _ => {
                sight.sandbox.sql(
                    "set enable_seqscan = off; select a from t where a = 1".trim_start_matches(if engine.is_mysql() {
                        "set enable_seqscan = off; "
                    } else {
                        ""
                    }),
                );
                let deadline = std::time::Instant::now() + std::time::Duration::from_secs(15);
                let mut measured = sight.sees(&check);
                while measured.value != 1 && std::time::Instant::now() < deadline {
                    std::thread::sleep(std::time::Duration::from_millis(300));
                    measured = sight.sees(&check);
                }
                assert_eq!((measured.value, measured.of), (1, Some(2)), "{} {measured:?}", engine.name());
                assert_eq!(measured.samples, ["t.idle"]);
                assert!(measured.notes[0].contains("not read since"));
            }
        }
    }
}
