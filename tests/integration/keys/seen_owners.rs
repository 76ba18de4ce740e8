//! Owners who may be there after all: what cannot be seen is never taken for gone.

use super::setup::{keys, run};
use crate::references::stores::core;
use crate::support::database::Database;
use crate::support::engine::Engine;
use crate::support::keyspace::KeyServer;
use std::collections::HashMap;
use steward::store::error::StoreFailure;
use steward::store::sql::query::owner_table::OwnerTable;

fn known(
    database: &Database,
    field: (&str, &str),
    condition: Option<&str>,
    ids: &[&str],
) -> Result<HashMap<String, Option<bool>>, StoreFailure> {
    super::setup::wait(async {
        let stores = core(database);
        let table = format!("core.{}", field.0).parse().unwrap();
        let owners = OwnerTable::at(stores.get("core").unwrap(), "test", &table, field.1, condition).await?;
        owners.known(&ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()).await
    })
}

#[track_caller]
fn must_be(found: &HashMap<String, Option<bool>>, expected: &[(&str, Option<bool>)], about: &str) {
    for (id, wanted) in expected {
        assert_eq!(found.get(*id), Some(wanted), "{about}: {id}");
    }
}

const THERE: Option<bool> = Some(true);
const GONE: Option<bool> = Some(false);
const UNKNOWN: Option<bool> = None;

#[test]
fn an_owner_who_is_written_otherwise_is_not_gone() {
    for engine in Engine::all() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::new(engine, folder.path());
        let name = engine.name();
        database.sql(
            "create table people (id bigint, name varchar(90), code char(12), status varchar(9)); \
             create index people_name on people (name); create index people_id on people (id); \
             insert into people values (42, 'Li@Example.com', '0042', 'on'), (7, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', ' mei ', null), \
             (8, 'off', 'x', 'off')",
        );
        let ids = ["42", "43", "042", "+42", "42x", "9223372036854775808", "-0", " 42"];
        let unreadable = if engine == Engine::Sqlite { GONE } else { UNKNOWN };
        let found = known(&database, ("people", "id"), None, &ids).unwrap();
        must_be(&found, &[("42", THERE), ("43", GONE), ("42x", unreadable), ("9223372036854775808", unreadable)], name);
        must_be(&found, &[("042", UNKNOWN)], name);
        let ids = ["Li@Example.com", "li@example.com", "LI@EXAMPLE.COM", "li", "A0EEBC999C0B4EF8BB6D6BB9BD380A11", "mei"];
        let found = known(&database, ("people", "name"), None, &ids).unwrap();
        must_be(&found, &[("Li@Example.com", THERE), ("li@example.com", UNKNOWN), ("LI@EXAMPLE.COM", UNKNOWN)], name);
        must_be(&found, &[("li", GONE), ("A0EEBC999C0B4EF8BB6D6BB9BD380A11", UNKNOWN), ("mei", GONE)], name);
        let found = known(&database, ("people", "code"), None, &["42", "mei", "MEI", "li"]).unwrap();
        must_be(&found, &[("42", UNKNOWN), ("mei", UNKNOWN), ("MEI", UNKNOWN), ("li", GONE)], name);
        // Nobody knows whether the row counts whose condition is NULL.
        let found = known(&database, ("people", "id"), Some("status = 'on'"), &["42", "7", "8", "9"]).unwrap();
        must_be(&found, &[("42", THERE), ("7", UNKNOWN), ("8", GONE), ("9", GONE)], name);
    }
}

#[test]
fn bytes_and_uuids_that_a_key_writes_as_text_are_not_gone() {
    for engine in Engine::all().into_iter().filter(|engine| *engine != Engine::Sqlite) {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::new(engine, folder.path());
        let (bytes, value, text) = match engine {
            Engine::Postgres => ("bytea", "decode('a0eebc999c0b4ef8bb6d6bb9bd380a11', 'hex')", "convert_to('abcd', 'UTF8')"),
            _ => ("varbinary(16)", "unhex('a0eebc999c0b4ef8bb6d6bb9bd380a11')", "'abcd'"),
        };
        database.sql(&format!("create table tokens (id {bytes}); insert into tokens values ({value}), ({text})"));
        let ids = ["a0eebc999c0b4ef8bb6d6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "abcd", "ffff"];
        let found = known(&database, ("tokens", "id"), None, &ids).unwrap();
        must_be(&found, &[(ids[0], THERE), (ids[1], UNKNOWN), ("abcd", UNKNOWN), ("ffff", GONE)], engine.name());
    }
}

#[test]
fn owners_that_are_not_all_seen_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::new(Engine::Postgres, folder.path());
    database.sql(
        "create table users (id bigint, at timestamptz, weight float8, status jsonb) partition by range (id); \
         create table users_1 partition of users for values from (0) to (100); insert into users values (1, now(), 1, '1'); \
         create table tenants (id bigint); create table tenants_1 () inherits (tenants); insert into tenants_1 values (5); \
         create view few as select * from users where id < 5; create materialized view old as select * from users",
    );
    let refused = |table: &str, column: &str| known(&database, (table, column), None, &["1"]).unwrap_err().to_string();
    assert!(refused("users_1", "id").contains("is a part of"), "{}", refused("users_1", "id"));
    assert!(refused("tenants_1", "id").contains("is a part of"));
    for (table, column) in [("few", "id"), ("old", "id"), ("users", "at"), ("users", "weight"), ("users", "status")] {
        assert!(!refused(table, column).is_empty());
    }
    // Rows of its parts are seen through the whole.
    must_be(&known(&database, ("tenants", "id"), None, &["5", "6"]).unwrap(), &[("5", THERE), ("6", GONE)], "inherited");
    must_be(&known(&database, ("users", "id"), None, &["1", "6"]).unwrap(), &[("1", THERE), ("6", GONE)], "partitioned");
}

#[test]
fn an_owner_on_a_store_that_only_reads_may_not_have_arrived() {
    for engine in [Engine::Mysql, Engine::Postgres] {
        let pair = crate::support::pair::Pair::new(engine);
        let found = super::setup::wait(async {
            let stores =
                steward::store::registry::Stores::new([crate::references::stores::address("core", &pair.replica.url())]).unwrap();
            OwnerTable::at(stores.get("core").unwrap(), "test", &"core.t".parse().unwrap(), "id", None).await.map(drop)
        });
        let told = found.unwrap_err().to_string();
        assert!(told.contains("replica or read-only"), "{told}");
    }
}

#[test]
fn a_key_of_a_number_that_is_none_is_left_alone_and_counted() {
    let policy = "cache: [{ store: cache, keys: \"u:{id}\", belongs_to: core.users.id, guard: { max_percent: 100 } }, \
                  { store: cache, keys: \"t:*\", belongs_to: { field: core.users.id, id: value }, guard: { max_percent: 100 } }]\n";
    let mut sandbox = crate::support::sandbox::Sandbox::new(Engine::Postgres);
    sandbox.add_cache(KeyServer::Redis);
    sandbox.config("");
    sandbox.policy("keys", policy);
    sandbox.job("sweep", "action: sweep-cache\npolicies: [\"*\"]\nmode: enforce\n");
    sandbox.sql("create table users (id bigint primary key); insert into users values (1)");
    keys(&sandbox)
        .seed("SET u:1 x\nSET u:01 x\nSET u:li x\nSET u:9 x\nSET t:a 1\nSET t:b '{\"user\":1}'\nSET t:c 01\nSET t:d 9\n");
    let told = run(&sandbox, "sweep", 0);
    assert_eq!((told["due"].as_u64(), told["swept"].as_u64()), (Some(1), Some(1)), "{told}");
    assert!(told["reasons"].to_string().contains("2 keys without a readable owner"), "{told}");
    let dump = keys(&sandbox).dump();
    assert!(!dump.contains("u:9") && !dump.contains("t:d") && dump.lines().count() == 6, "{dump}");
}

#[test]
fn an_account_that_sees_some_tenants_alone_takes_nobody_for_gone_and_compares_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::new(Engine::Postgres, folder.path());
    let account = crate::support::account::Account::new(&database);
    database.sql(&format!(
        "create table users (id bigint primary key, tenant int); insert into users values (1, 1), (2, 2), (3, 3); \
         alter table users enable row level security; create policy one on users using (tenant = 1); \
         grant usage on schema public to \"{0}\"; grant select on users to \"{0}\"",
        account.name
    ));
    let address = |name| crate::references::stores::address(name, account.url());
    let found = super::setup::wait(async {
        let stores = steward::store::registry::Stores::new([address("core")]).unwrap();
        let owners = OwnerTable::at(stores.get("core").unwrap(), "test", &"core.users".parse().unwrap(), "id", None).await?;
        owners.known(&["1".to_owned(), "2".to_owned()]).await.map(drop)
    });
    assert!(found.unwrap_err().to_string().contains("row"), "its policies hide rows");
    let (from, to) = (crate::references::stores::end("core.users.id"), crate::references::stores::end("other.users.id"));
    let compared = crate::references::stores::compared(
        vec![address("core"), address("other")],
        (&from, &to),
        crate::references::stores::BOTH,
        None,
    );
    assert!(compared.unwrap_err().to_string().contains("row"), "nothing is said about what is hidden");
}
