//! Two sides in two databases: what was planted is found, and nothing else.

use super::stores::{BOTH, Two, fill, sorted};
use crate::support::engine::Engine;
use std::collections::BTreeSet;
use steward::reference::compare::Asked;

/// Numbers that look like chance and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn some(&mut self, below: u64, many: usize) -> BTreeSet<u64> {
        (0..many).map(|_| self.roll(below)).collect()
    }
}

fn texts(ids: &BTreeSet<u64>) -> Vec<String> {
    ids.iter().map(u64::to_string).collect()
}

fn minus(one: &BTreeSet<u64>, other: &BTreeSet<u64>) -> Vec<String> {
    let mut texts = texts(&one.difference(other).copied().collect());
    texts.sort();
    texts
}

/// Five seeds over two columns of these types; ids on the first side may stand several times.
fn planted(core: (Engine, &str), other: (Engine, &str)) {
    let two = Two::new(core.0, other.0);
    for seed in 1..=5 {
        let mut dice = Dice(seed);
        let shared = dice.some(1_000_000, 3_000);
        let (mut from, mut to) = (dice.some(1_000_000, 7), dice.some(1_000_000, 5));
        from.extend(&shared);
        to.extend(&shared);
        two.core.sql(&format!("CREATE TABLE a{seed} (user_id {})", core.1));
        two.other.sql(&format!("CREATE TABLE b{seed} (id {} NOT NULL PRIMARY KEY)", other.1));
        fill(&two.core, &format!("a{seed}"), "user_id", texts(&from));
        fill(&two.core, &format!("a{seed}"), "user_id", texts(&from).iter().step_by(3));
        two.core.sql(&format!("INSERT INTO a{seed} VALUES (NULL)"));
        fill(&two.other, &format!("b{seed}"), "id", texts(&to));
        if seed % 2 == 0 {
            two.core.sql(&format!("CREATE INDEX a{seed}_user ON a{seed} (user_id)"));
        }
        let compared = two.compare(&format!("core.a{seed}.user_id"), &format!("other.b{seed}.id"), BOTH);
        assert_eq!(sorted(&compared.from), minus(&from, &to), "seed {seed}");
        assert_eq!(sorted(&compared.to), minus(&to, &from), "seed {seed}");
        assert_eq!((compared.from.seen, compared.to.seen), (from.len() as u64, to.len() as u64), "seed {seed}");
    }
}

#[test]
fn planted_from_mysql_to_postgres() {
    planted((Engine::Mysql, "bigint unsigned"), (Engine::Postgres, "bigint"));
}

#[test]
fn planted_from_embeddings_in_postgres_to_mysql() {
    planted((Engine::Postgres, "text"), (Engine::Mysql, "bigint unsigned"));
}

#[test]
fn planted_from_sqlite_to_sqlite() {
    planted((Engine::Sqlite, "integer"), (Engine::Sqlite, "integer"));
    planted((Engine::Sqlite, "text"), (Engine::Sqlite, ""));
}

#[test]
fn planted_from_mariadb_text_to_sqlite() {
    planted((Engine::Mariadb, "varchar(20)"), (Engine::Sqlite, "integer"));
}

#[test]
fn one_way_counts_one_way() {
    let two = Two::new(Engine::Sqlite, Engine::Postgres);
    two.core.sql("CREATE TABLE a (id integer PRIMARY KEY); INSERT INTO a VALUES (1), (2), (3)");
    two.other.sql("CREATE TABLE b (id bigint PRIMARY KEY); INSERT INTO b VALUES (3), (4), (5), (6)");
    let compared = two.compare("core.a.id", "other.b.id", Asked { both_ways: false, ..BOTH });
    assert_eq!((sorted(&compared.from), compared.to.missing), (vec!["1".to_owned(), "2".to_owned()], 0));
    let few = two.compare("core.a.id", "other.b.id", Asked { samples: 1, ..BOTH });
    assert_eq!((few.from.missing, few.from.samples.len(), few.to.missing, few.to.samples.len()), (2, 1, 3, 1));
    two.core.sql("DELETE FROM a");
    two.other.sql("DELETE FROM b");
    let none = two.compare("core.a.id", "other.b.id", BOTH);
    assert_eq!((none.from.seen, none.to.seen), (0, 0));
}

/// Ids in which stores differ: collations, quotes, spaces, letters beyond ASCII, numbers that are not written as numbers.
const HOSTILE: &[&str] = &[
    "Li",
    "li",
    "LI",
    "Li ",
    " Li",
    "é",
    "e\u{301}",
    "e",
    "ß",
    "ss",
    "O'Brien",
    "a\"b",
    "back\\slash",
    "雪",
    "\u{1f600}",
    "\u{ffff}",
    "042",
    "42",
    "-1",
    "-0",
    "",
    " ",
    "tab\t",
    "tab",
    "10",
    "9",
    "Z",
    "_",
    "null",
    "NULL",
    "%",
    "$1",
    "a\u{200d}",
    "a",
];

#[test]
fn ids_that_collations_mix_up_are_told_apart() {
    for (core, other) in [
        ((Engine::Mysql, "varchar(250) COLLATE utf8mb4_0900_ai_ci"), (Engine::Postgres, "text")),
        ((Engine::Mariadb, "varchar(250)"), (Engine::Sqlite, "text COLLATE NOCASE")),
        ((Engine::Mysql, "varchar(250) COLLATE utf8mb4_bin"), (Engine::Mariadb, "varchar(250) COLLATE utf8mb4_general_ci")),
    ] {
        let two = Two::new(core.0, other.0);
        // A key of its own, or none at all, an index on the ids or none: each is another way of reading.
        two.core.sql(&format!("CREATE TABLE a (id {})", core.1));
        two.other.sql(&format!("CREATE TABLE b (n integer NOT NULL PRIMARY KEY, id {}); CREATE INDEX b_id ON b (id)", other.1));
        let long = "x".repeat(200);
        let (mut from, mut to) = (vec![long.as_str()], vec![]);
        for (at, id) in HOSTILE.iter().enumerate() {
            if at % 3 != 0 {
                from.push(id);
            }
            if at % 3 != 1 {
                to.push(*id);
            }
        }
        fill(&two.core, "a", "id", &from);
        for (at, id) in to.iter().enumerate() {
            let id = super::stores::literal(two.other.engine, id);
            two.other.sql(&format!("INSERT INTO b (n, id) VALUES ({at}, {id})"));
        }
        let lacking = |one: &[&str], other: &[&str]| {
            let mut ids: Vec<String> = one.iter().filter(|id| !other.contains(id)).map(|id| (*id).to_owned()).collect();
            ids.sort();
            ids
        };
        let compared = two.compare("core.a.id", "other.b.id", BOTH);
        assert_eq!(sorted(&compared.from), lacking(&from, &to), "{core:?} → {other:?}");
        assert_eq!(sorted(&compared.to), lacking(&to, &from), "{core:?} → {other:?}");
        assert_eq!((compared.from.seen, compared.to.seen), (from.len() as u64, to.len() as u64));
    }
}

#[test]
fn a_uuid_is_the_same_in_letters_of_either_case() {
    let two = Two::new(Engine::Mysql, Engine::Postgres);
    let id = |n: u32| format!("a0eebc99-9c0b-4ef8-bb6d-6bb9bd38{n:04x}");
    two.core.sql("CREATE TABLE a (id char(36) NOT NULL PRIMARY KEY)");
    two.other.sql("CREATE TABLE b (id uuid NOT NULL PRIMARY KEY)");
    let mixed = id(0xabcd).replace("a0eebc99", "A0eEbC99");
    fill(&two.core, "a", "id", [id(0xaa), id(0xbb).to_uppercase(), mixed, id(0xcc).to_uppercase(), "none".into()]);
    fill(&two.other, "b", "id", [id(0xaa), id(0xbb), id(0xabcd), id(0xdd)]);
    let compared = two.compare("core.a.id", "other.b.id", BOTH);
    assert_eq!(sorted(&compared.from), [id(0xcc), "none".to_owned()]);
    assert_eq!(sorted(&compared.to), [id(0xdd)]);
}

#[test]
fn bytes_are_their_hexadecimal_digits() {
    let two = Two::new(Engine::Mysql, Engine::Sqlite);
    two.core.sql("CREATE TABLE a (id binary(2) NOT NULL PRIMARY KEY); INSERT INTO a VALUES (x'0AFF'), (x'0B00'), (x'0000')");
    two.other.sql("CREATE TABLE b (id text); INSERT INTO b VALUES ('0aff'), ('0B00'), ('zz')");
    let compared = two.compare("core.a.id", "other.b.id", BOTH);
    assert_eq!((sorted(&compared.from), sorted(&compared.to)), (vec!["0000".to_owned()], vec!["zz".to_owned()]));
}

#[test]
fn numbers_beyond_every_integer_type_are_compared_too() {
    let two = Two::new(Engine::Mysql, Engine::Sqlite);
    two.core.sql("CREATE TABLE a (id bigint unsigned PRIMARY KEY); INSERT INTO a VALUES (18446744073709551615), (9223372036854775808), (7)");
    two.other.sql("CREATE TABLE b (id text); INSERT INTO b VALUES ('18446744073709551615'), ('18446744073709551616'), ('7'), ('-7'), ('07')");
    let compared = two.compare("core.a.id", "other.b.id", BOTH);
    assert_eq!(sorted(&compared.from), ["9223372036854775808"]);
    assert_eq!(sorted(&compared.to), ["-7", "07", "18446744073709551616"]);
}

#[test]
fn the_least_and_the_largest_of_every_integer_type_are_what_they_are() {
    let (low, high) = (i64::MIN.to_string(), i64::MAX.to_string());
    let mysql = [
        ("tinyint", ["-128", "127"]),
        ("smallint unsigned", ["0", "65535"]),
        ("mediumint", ["-8388608", "8388607"]),
        ("int unsigned", ["0", "4294967295"]),
        ("bigint", [low.as_str(), high.as_str()]),
        ("bigint unsigned", ["0", "18446744073709551615"]),
        ("year", ["1901", "2155"]),
    ];
    let postgres = [
        ("smallint", ["-32768", "32767"]),
        ("integer", ["-2147483648", "2147483647"]),
        ("bigint", [low.as_str(), high.as_str()]),
    ];
    for (engine, types) in [(Engine::Mysql, &mysql[..]), (Engine::Mariadb, &mysql), (Engine::Postgres, &postgres)] {
        let two = Two::new(engine, Engine::Sqlite);
        for (at, (class, ids)) in types.iter().enumerate() {
            two.core.sql(&format!("CREATE TABLE a{at} (id {class} NOT NULL PRIMARY KEY)"));
            two.other.sql(&format!("CREATE TABLE b{at} (id text)"));
            fill(&two.core, &format!("a{at}"), "id", ids);
            fill(&two.other, &format!("b{at}"), "id", [ids[1], "-1"]);
            let compared = two.compare(&format!("core.a{at}.id"), &format!("other.b{at}.id"), BOTH);
            assert_eq!(
                (sorted(&compared.from), sorted(&compared.to)),
                (vec![ids[0].to_owned()], vec!["-1".to_owned()]),
                "{class}"
            );
        }
    }
}

#[test]
fn pages_go_on_behind_numbers_that_no_signed_type_holds() {
    let two = Two::new(Engine::Mysql, Engine::Mariadb);
    let ids: Vec<String> = (0..3_000).map(|n| (u64::MAX - 7 * n).to_string()).collect();
    two.core.sql("CREATE TABLE a (id bigint unsigned NOT NULL PRIMARY KEY)");
    two.other.sql("CREATE TABLE b (n int NOT NULL PRIMARY KEY AUTO_INCREMENT, id bigint unsigned, KEY (id))");
    fill(&two.core, "a", "id", &ids[1..]);
    fill(&two.other, "b", "id", ids.iter().take(2_999).chain(&ids[..2]));
    let compared = two.compare("core.a.id", "other.b.id", BOTH);
    assert_eq!((sorted(&compared.from), sorted(&compared.to)), (vec![ids[2_999].clone()], vec![ids[0].clone()]));
    assert_eq!((compared.from.seen, compared.to.seen), (2_999, 2_999));
}

#[test]
fn many_pages_in_every_way_of_reading_lose_nothing() {
    let two = Two::new(Engine::Mysql, Engine::Postgres);
    // By the index, by a composite key with a text in it, and by no key at all.
    two.core.sql(
        "CREATE TABLE a (id bigint unsigned NOT NULL PRIMARY KEY); \
         CREATE TABLE c (part varchar(9) NOT NULL, n int NOT NULL, user_id varchar(20), PRIMARY KEY (part, n))",
    );
    two.other.sql(
        "CREATE TABLE b (id bigint NOT NULL PRIMARY KEY); INSERT INTO b SELECT i FROM generate_series(1, 100000) i WHERE i <> 777; \
         CREATE TABLE d (user_id text); INSERT INTO d SELECT i::text FROM generate_series(1, 100000) i WHERE i <> 777; \
         INSERT INTO d SELECT i::text FROM generate_series(1, 50000) i WHERE i <> 777",
    );
    let numbers = "SELECT o AS i FROM JSON_TABLE(CONCAT('[', REPEAT('0,', 99999), '0]'), '$[*]' COLUMNS (o FOR ORDINALITY)) t";
    two.core.sql(&format!(
        "INSERT INTO a SELECT i FROM ({numbers}) n WHERE i <> 99000; \
         INSERT INTO c SELECT IF(i % 7, 'Ä', 'a'), i, i FROM ({numbers}) n WHERE i <> 99000"
    ));
    for (from, to) in [("core.a.id", "other.b.id"), ("core.c.user_id", "other.b.id"), ("core.a.id", "other.d.user_id")] {
        let compared = two.compare(from, to, BOTH);
        assert_eq!(
            (sorted(&compared.from), sorted(&compared.to)),
            (vec!["777".to_owned()], vec!["99000".to_owned()]),
            "{from} → {to}"
        );
        assert_eq!((compared.from.seen, compared.to.seen), (99_999, 99_999), "{from} → {to}");
    }
}

#[test]
fn a_condition_decides_which_rows_count() {
    let two = Two::new(Engine::Sqlite, Engine::Mariadb);
    two.core.sql("CREATE TABLE a (user_id integer, kind text); INSERT INTO a VALUES (1, 'x'), (2, 'x'), (3, 'y'), (4, 'x')");
    two.other.sql("CREATE TABLE b (id bigint PRIMARY KEY, gone integer); INSERT INTO b VALUES (1, 0), (2, 1), (3, 0)");
    let with = |text: &str, condition: &str| {
        let mut end = super::stores::end(text);
        end.r#where = Some(condition.to_owned());
        end
    };
    let compared =
        two.try_compare(&with("core.a.user_id", "kind = 'x'"), &with("other.b.id", "gone = 0 OR gone = 2"), BOTH, None).unwrap();
    assert_eq!((sorted(&compared.from), sorted(&compared.to)), (vec!["2".to_owned(), "4".to_owned()], vec!["3".to_owned()]));
}

#[test]
fn a_side_that_is_away_is_named_and_no_number_comes() {
    let two = Two::new(Engine::Sqlite, Engine::Sqlite);
    two.core.sql("CREATE TABLE a (id integer PRIMARY KEY); INSERT INTO a VALUES (1)");
    std::fs::remove_file(two.other.file().unwrap()).unwrap();
    let failure = two.try_compare(&super::stores::end("core.a.id"), &super::stores::end("other.b.id"), BOTH, None).unwrap_err();
    assert!(failure.to_string().contains("other"), "{failure}");
}
