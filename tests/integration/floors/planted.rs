//! The guards see what they are there for: a small tree with one of every fault, and nothing found but those.

use super::source::Source;
use super::{circles, mixed_engines, strangers, type_names, upward};

fn tree(files: &[(&str, &str)]) -> Vec<Source> {
    files.iter().map(|(path, text)| Source::new(path, text)).collect()
}

/// Whatever is in there, none of it is a fault.
const SOUND: &[(&str, &str)] = &[
    ("lib.rs", "pub mod cli; pub mod store;"),
    ("cli/mod.rs", "mod jobs;\nuse crate::store::Stores;\nfn run() { jobs::list() }"),
    ("cli/jobs.rs", "use crate::store::{Stores, redis::{self, Client as Other}};\nuse clap::Parser;"),
    ("store/mod.rs", "//! Not `crate::cli`.\npub mod redis;\npub mod sql;\npub struct Stores;"),
    (
        "store/redis/mod.rs",
        "pub struct Client(redis::Client); // crate::runner::look\nconst A: &str = \"crate::cli::run sqlx::\";",
    ),
    ("store/sql/mod.rs", "pub mod sqlite;\npub mod rows;"),
    ("store/sql/rows.rs", "use sqlx::Row;\n#[cfg(test)]\nuse crate::cli::x;\nfn one<'a>(c: &'a str) -> char { '{' }"),
    ("store/sql/sqlite.rs", "use super::rows::one;\n#[cfg(test)]\nmod tests { use crate::runner::x; fn a() {} }\nfn b() {}"),
    ("runner/mod.rs", "pub fn look() {}"),
];

/// With these files beside it, or in place of its own, the guard finds what these files hold, once each.
fn finds(guard: fn(&[Source]) -> Vec<String>, planted: &[(&str, &str)], wanted: &[&str]) {
    let sound = SOUND.iter().filter(|(path, _)| !planted.iter().any(|(other, _)| other == path));
    let files: Vec<(&str, &str)> = sound.chain(planted).copied().collect();
    assert_eq!(guard(&tree(SOUND)), [""; 0], "a sound tree");
    assert_eq!(guard(&tree(&files)), wanted);
}

#[test]
fn an_import_of_a_higher_floor_is_found_in_every_spelling() {
    let up = ["store::up (floor 1) imports runner (floor 3)"];
    finds(upward, &[("store/up.rs", "use crate::runner::look;")], &up);
    finds(upward, &[("store/up.rs", "use crate::{store::sql, runner::{self, look}};")], &up);
    finds(upward, &[("store/up.rs", "fn a() { crate::runner::look() }")], &up);
    finds(upward, &[("store/up.rs", "use super::super::runner::look;")], &up);
    finds(upward, &[("store/up.rs", "#[cfg(test)]\nuse crate::cli::x;\nuse crate::runner::look;")], &up);
    finds(upward, &[("store/mod.rs", "use super::runner::look;\npub mod sql;")], &["store (floor 1) imports runner (floor 3)"]);
}

#[test]
fn a_circle_is_found_by_way_of_a_folder_as_well() {
    let two = [("store/a.rs", "use super::b::B;"), ("store/b.rs", "use super::{a::A};")];
    finds(circles, &two, &["store::a → store::b", "store::b → store::a"]);
    let folder = [("store/sql/mod.rs", "pub mod rows; use super::c;"), ("store/c.rs", "use crate::store::sql::Rows;")];
    finds(circles, &folder, &["store::c → store::sql", "store::sql → store::c"]);
}

#[test]
fn a_crate_that_reaches_outside_is_found_wherever_it_is_named() {
    let runner = |name: &str| vec![format!("runner names `{name}`")];
    for (text, name) in [
        ("use sqlx::{Row, Column};", "sqlx"),
        ("fn a() -> redis::Value { todo() }", "redis"),
        ("use neo4rs as graph;\n", "neo4rs"),
        ("use lettre::Message;", "lettre"),
    ] {
        let wanted = runner(name);
        finds(strangers, &[("runner/mod.rs", text)], &wanted.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn engines_that_know_each_other_are_found_and_shared_code_that_knows_one() {
    finds(
        mixed_engines,
        &[("store/redis/mod.rs", "use crate::store::sql::{rows, sqlite::b};")],
        &["store::redis imports store::sql::sqlite"],
    );
    finds(mixed_engines, &[("store/sql/rows.rs", "use super::sqlite::b;")], &["store::sql::rows imports store::sql::sqlite"]);
}

#[test]
fn a_name_is_counted_wherever_it_is_defined_and_not_in_tests() {
    let files = [
        ("a.rs", "pub(crate) struct Page<T>(T);\n#[cfg(test)]\nmod tests {\nstruct Page;\n}\n"),
        ("b.rs", "// struct Page;\nenum Page { A }\ntrait Other { type Page; }"),
    ];
    assert_eq!(type_names(&tree(&files))["Page"], ["a", "b"]);
}
