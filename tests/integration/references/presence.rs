//! Which of these ids are there, on every engine.

use super::stores::{core, literal, table};
use crate::support::database::Database;
use crate::support::engine::Engine;
use std::collections::BTreeSet;
use steward::store::registry::Stores;
use steward::store::sql::query::id_lookup::{Presence, any, present};

async fn found(stores: &Stores, name: &str, column: &str, condition: Option<&str>, ids: &[&str]) -> BTreeSet<String> {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    let store = stores.get("core").unwrap();
    let found = present(store, "test", &table(name), column, condition, &ids).await;
    found.unwrap_or_else(|failure| panic!("{name}.{column}: {failure}")).into_iter().collect()
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn on_every_engine(check: impl AsyncFn(Engine, &Database, &Stores)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for engine in Engine::all() {
        eprintln!("on {}", engine.name());
        let folder = tempfile::tempdir().unwrap();
        let database = Database::new(engine, folder.path());
        runtime.block_on(async {
            let stores = core(&database);
            check(engine, &database, &stores).await;
        });
    }
}

const HOSTILE: &[&str] = &[
    "Li",
    "li ",
    " li",
    "O'Brien",
    "a\"b",
    "a`b",
    "back\\slash",
    "semi;--",
    "雪",
    "\u{1f600}",
    "é",
    "e\u{301}",
    "042",
    "tab\t",
    "line\n",
    "",
    "$1",
    "?",
    "%",
    "null",
];
const ABSENT: &[&str] =
    &["li", "LI", "Li ", "o'brien", "É", "e", "42", "snow", "semi;-- ", "tab", "line", " ", "NULL", "not there", "\u{0}"];

#[test]
fn text_is_compared_byte_for_byte_with_an_index_and_without() {
    on_every_engine(async |engine, database, stores| {
        let long = "x".repeat(200);
        let values: Vec<&str> = HOSTILE.iter().copied().chain([long.as_str()]).collect();
        let rows: Vec<String> = values.iter().map(|value| format!("({0}, {0})", literal(engine, value))).collect();
        database.sql(&format!(
            "CREATE TABLE people (name varchar(255), plain varchar(255)); CREATE INDEX people_name ON people (name); \
             INSERT INTO people (name, plain) VALUES {}, (NULL, NULL)",
            rows.join(", ")
        ));
        let asked: Vec<&str> = values.iter().copied().chain(ABSENT.iter().copied()).collect();
        for column in ["name", "plain"] {
            assert_eq!(found(stores, "people", column, None, &asked).await, set(&values), "{column}");
            assert_eq!(found(stores, "people", column, None, ABSENT).await, set(&[]), "{column}");
        }
    });
}

#[test]
fn a_variant_that_a_collation_takes_for_the_same_hides_nothing() {
    on_every_engine(async |_, database, stores| {
        database.sql(
            "CREATE TABLE people (name varchar(50), kind varchar(9)); CREATE INDEX people_name ON people (name); \
             INSERT INTO people VALUES ('LI', 'a'), ('lI', 'a'), ('Li', 'a'), ('li', 'b')",
        );
        assert_eq!(found(stores, "people", "name", None, &["li", "Li", "LI", "lI", "l"]).await, set(&["li", "Li", "LI", "lI"]));
        assert_eq!(found(stores, "people", "name", Some("kind = 'b'"), &["li", "Li"]).await, set(&["li"]));
    });
}

#[test]
fn numbers_are_their_digits_and_what_is_no_number_is_not_there() {
    on_every_engine(async |engine, database, stores| {
        let big = if engine.is_mysql() { "bigint unsigned" } else { "bigint" };
        database.sql(&format!(
            "CREATE TABLE users (id {big} PRIMARY KEY, boss {big}, small smallint); \
             INSERT INTO users VALUES (1, 2, -3), (42, 7, 42), (9223372036854775807, NULL, NULL)"
        ));
        let asked = ["1", "2", "42", "042", "+42", "42 ", "4.2e1", "abc", "", "-3", "9223372036854775807", "9223372036854775808"];
        assert_eq!(found(stores, "users", "id", None, &asked).await, set(&["1", "42", "9223372036854775807"]));
        assert_eq!(found(stores, "users", "boss", None, &["2", "7", "8", "99999999999999999999999"]).await, set(&["2", "7"]));
        assert_eq!(found(stores, "users", "small", None, &["-3", "42", "70000"]).await, set(&["-3", "42"]));
        assert_eq!(found(stores, "users", "id", Some("boss = 7 OR boss = 8"), &["1", "42"]).await, set(&["42"]));
        if engine.is_mysql() {
            database.sql("INSERT INTO users VALUES (18446744073709551615, NULL, NULL)");
            assert_eq!(found(stores, "users", "id", None, &["18446744073709551615"]).await, set(&["18446744073709551615"]));
        }
    });
}

#[test]
fn uuids_and_bytes_are_found_in_letters_of_either_case() {
    const ID: &str = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
    on_every_engine(async |engine, database, stores| {
        let upper = ID.to_uppercase();
        let (uuid, bytes, value) = match engine {
            Engine::Sqlite => ("text", "blob", "x'0AFF'"),
            Engine::Postgres => ("uuid", "bytea", "'\\x0AFF'"),
            Engine::Mysql => ("char(36)", "varbinary(16)", "x'0AFF'"),
            Engine::Mariadb => ("uuid", "varbinary(16)", "x'0AFF'"),
        };
        database.sql(&format!(
            "CREATE TABLE things (id {uuid} PRIMARY KEY, raw {bytes}, plain {uuid}); INSERT INTO things VALUES ('{ID}', {value}, '{ID}')"
        ));
        let by_type = uuid == "uuid";
        for column in ["id", "plain"] {
            assert_eq!(found(stores, "things", column, None, &[ID, "abc", ""]).await, set(&[ID]), "{column}");
            let other = found(stores, "things", column, None, &[&upper]).await;
            assert_eq!(other, if by_type { set(&[&upper]) } else { set(&[]) }, "{column}");
        }
        assert!(found(stores, "things", "raw", None, &["0aff", "0a", "zz"]).await.contains("0aff"));
    });
}

#[test]
fn more_ids_than_one_statement_takes_are_all_asked() {
    on_every_engine(async |engine, database, stores| {
        let numbers = match engine {
            Engine::Postgres => "SELECT i FROM generate_series(2, 5000, 2) i",
            Engine::Mariadb => "SELECT seq FROM seq_2_to_5000_step_2",
            Engine::Mysql => {
                "SELECT i FROM JSON_TABLE(CONCAT('[', REPEAT('0,', 2499), '0]'), '$[*]' COLUMNS (o FOR ORDINALITY)) t, LATERAL (SELECT 2 * o AS i) n"
            }
            Engine::Sqlite => "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 2 FROM n WHERE i < 5000) SELECT i FROM n",
        };
        database.sql(&format!("CREATE TABLE users (id integer PRIMARY KEY); INSERT INTO users {numbers}"));
        let ids: Vec<String> = (1..=5000).map(|id: u32| id.to_string()).collect();
        let store = stores.get("core").unwrap();
        let presence = Presence::at(store, "test", &table("users"), "id", None).await.unwrap();
        let found = presence.present(&ids).await.unwrap();
        assert_eq!(found.len(), 2500);
        assert!(ids.iter().all(|id| found.contains(id) == (id.parse::<u32>().unwrap() % 2 == 0)));
        assert!(presence.present(&[]).await.unwrap().is_empty());
    });
}

#[test]
fn an_empty_table_says_so() {
    on_every_engine(async |_, database, stores| {
        let store = stores.get("core").unwrap();
        database.sql("CREATE TABLE users (id integer, gone integer)");
        assert!(!any(store, "test", &table("users"), "id", None).await.unwrap());
        database.sql("INSERT INTO users VALUES (NULL, 1)");
        assert!(!any(store, "test", &table("users"), "id", None).await.unwrap(), "a row without an id names nobody");
        database.sql("INSERT INTO users VALUES (1, 1)");
        assert!(any(store, "test", &table("users"), "id", None).await.unwrap());
        assert!(!any(store, "test", &table("users"), "id", Some("gone = 0")).await.unwrap());
        assert!(any(store, "test", &table("nobody"), "id", None).await.is_err());
        assert!(any(store, "test", &table("users"), "nothing", None).await.is_err());
    });
}
