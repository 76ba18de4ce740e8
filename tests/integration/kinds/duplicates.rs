//! Duplicates: planted ones are counted exactly, and stores and worker agree on what is the same.

use super::sight::Sight;
use crate::support::engine::Engine;
use crate::support::sandbox::{Sandbox, URL};
use std::collections::HashSet;
use steward::policy::checks::normal::Normal;

fn check(more: &str) -> String {
    format!("checks:\n  - {{ name: c, dataset: core.people, duplicate: [email], {more}, warn: \"> 0\" }}\n")
}

/// A small generator: the same numbers from the same seed, everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// A text as this engine writes one.
fn literal(engine: Engine, text: &str) -> String {
    let text = text.replace('\'', "''");
    format!("'{}'", if engine.is_mysql() { text.replace('\\', "\\\\") } else { text })
}

/// A table of these addresses, each in its group.
fn table(engine: Engine, kind: &str, rows: &[(u64, String)]) -> Sight {
    let sight =
        Sight::new(engine, &format!("create table people (id integer primary key, grp integer, email {kind}) {{{{table}}}}"));
    for (at, chunk) in rows.chunks(400).enumerate() {
        let row =
            |(n, (group, email)): (usize, &(u64, String))| format!("({}, {group}, {})", at * 400 + n, literal(engine, email));
        let values: Vec<String> = chunk.iter().enumerate().map(row).collect();
        // Not `sight.sql`: the addresses hold what looks like words.
        sight.sandbox.sql(&format!("insert into people values {}", values.join(", ")));
    }
    sight
}

/// Another spelling of the same address.
fn variant(dice: &mut Dice, local: &str, (domain, spelt): (&str, &str)) -> String {
    match dice.roll(7) {
        0 => format!("{}@{domain}", local.to_uppercase()),
        1 => format!("  {local}@{domain} "),
        2 => format!("\t{local}@{}\n", domain.to_uppercase()),
        3 => format!("{local}@{spelt}"),
        4 => format!("{}@{}", local.to_uppercase(), spelt.to_uppercase()),
        5 => format!("\u{a0}{local}@{spelt}\u{3000}"),
        _ => format!("{local}@{domain}"),
    }
}

const DOMAINS: &[(&str, &str)] = &[
    ("example.com", "ｅxample.com"),
    ("xn--bcher-kva.example", "bücher.example"),
    ("xn--bcher-kva.example", "bu\u{308}cher.example"),
    ("xn--r8jz45g.jp", "例え。jp"),
    ("sub.example.org", "Sub.Example.ORG"),
];

#[test]
fn planted_duplicates_are_counted_exactly() {
    for engine in Engine::all() {
        for seed in 1..=5 {
            let mut dice = Dice(seed);
            let (mut rows, mut planted) = (vec![], 0);
            for person in 0..300 {
                let local = if dice.roll(10) == 0 { format!("j\u{f6}rg{person}") } else { format!("u{person}") };
                let domain = DOMAINS[usize::try_from(dice.roll(DOMAINS.len() as u64)).unwrap()];
                rows.push((0, variant(&mut dice, &local, domain)));
                for _ in 0..dice.roll(4).saturating_sub(1) {
                    rows.push((0, variant(&mut dice, &local, domain)));
                    planted += 1;
                }
            }
            // Somebody else by a tag, the same person when tags are left out.
            rows.push((0, "tagged@example.com".into()));
            rows.push((0, "Tagged+news@example.com".into()));
            rows.push((0, "tagged+größe@example.com".into()));
            let sight = table(engine, "varchar(200)", &rows);
            let all = rows.len() as u64;
            assert_eq!(sight.counts(&check("normalize: email")), (planted, Some(all)), "{} seed {seed}", engine.name());
            let without = check("normalize: email, plus_tags: ignore");
            assert_eq!(sight.counts(&without), (planted + 2, Some(all)), "{} seed {seed}", engine.name());
        }
    }
}

/// Addresses that stores, collations and programs read differently.
const HOSTILE: &[&str] = &[
    "",
    " ",
    "\t",
    "@",
    "a@",
    "@b",
    "a@b",
    "A@B",
    "a@b ",
    " a@b",
    "a@b\t",
    "\ta@b",
    " \ta@b\n ",
    "a@b\u{b}",
    "a@b\u{1c}",
    "a b@c",
    "a  b@c",
    "a@b.",
    "a.b@c",
    "ab@c",
    "a'b@c",
    "a''b@c",
    "a\"b@c",
    "a\\b@c",
    "a\\'b@c",
    "a%b@c",
    "a_b@c",
    "a;b@c",
    "a@b@c",
    "A@B@C",
    "\"a@b\"@c",
    "a+t@b",
    "a+@b",
    "+t@b",
    "+@b",
    "a+t+u@b",
    "A+T@B",
    "a@b+c",
    "a+t@b+c",
    "a+t",
    "+",
    "a+t@b@c",
    " +t@b",
    "\t+t@b",
    "a +t@b",
    "e@b",
    "é@b",
    "e\u{301}@b",
    "É@b",
    "E@b",
    "ê@b",
    "ı@b",
    "I@b",
    "i@b",
    "İ@b",
    "i\u{307}@b",
    "ß@b",
    "ss@b",
    "ẞ@b",
    "\u{212a}@b",
    "k@b",
    "K@b",
    "ａ@b",
    "ﬁ@b",
    "fi@b",
    "a\u{200b}@b",
    "a\u{ad}@b",
    "\u{feff}a@b",
    "\u{a0}a@b",
    "a@bücher",
    "a@BÜCHER",
    "a@xn--bcher-kva",
    "a@XN--BCHER-KVA",
    "a@bu\u{308}cher",
    "a@ｂ",
    "a@b。c",
    "a@b.c",
    "a@xn--",
    "a@XN--A",
    "a@xn--a",
    "a@faß.de",
    "a@fass.de",
    "a@xn--fa-hia.de",
    "😀@b",
    "Σ@b",
    "σ@b",
    "ς@b",
    "я@б",
    "Я@Б",
    "null",
    "NULL",
    "0",
    "00",
    "1",
    "1.0",
    "{\"a\":1}",
    "['x']",
    "日本@例え.jp",
    "日本@xn--r8jz45g.jp",
    "a\u{301}b@c",
    "áb@c",
    "-- x",
    "/* x */@b",
];

/// The rows of `HOSTILE` in many groups of their own, so that two errors do not cancel out.
fn hostile_groups() -> Vec<(u64, String)> {
    let mut dice = Dice(17);
    let all = HOSTILE.iter().map(|text| (0, (*text).to_owned()));
    let some = (1..=15).flat_map(|group| (0..9).map(move |_| group)).map(|group| {
        let at = usize::try_from(dice.roll(HOSTILE.len() as u64)).unwrap();
        (group, HOSTILE[at].to_owned())
    });
    let some: Vec<_> = some.collect();
    // Neighbours are alike: each with the two behind it.
    let near =
        (0..HOSTILE.len() - 5).step_by(4).flat_map(|at| (0..6).map(move |n| (100 + at as u64, HOSTILE[at + n].to_owned())));
    all.chain(some).chain(near).collect()
}

fn agree(engine: Engine, kind: &str, bytes_stay: bool) {
    let rows = hostile_groups();
    let sight = table(engine, kind, &rows);
    let groups: HashSet<u64> = rows.iter().map(|(group, _)| *group).collect();
    for (words, normal) in [
        ("normalize: none", Normal::None),
        ("normalize: trim", Normal::Trim),
        ("normalize: lower", Normal::Lower),
        ("normalize: email", Normal::Email { without_tag: false }),
        ("normalize: email, plus_tags: ignore", Normal::Email { without_tag: true }),
    ] {
        if normal == Normal::None && !bytes_stay {
            continue;
        }
        for group in &groups {
            let members: Vec<&str> = rows.iter().filter(|(other, _)| other == group).map(|(_, email)| email.as_str()).collect();
            let forms: HashSet<String> = members.iter().map(|email| normal.of(email)).collect();
            let wanted = (members.len() - forms.len()) as u64;
            let said = sight.sees(&check(&format!("{words}, where: \"grp = {group}\", samples: 0")));
            assert_eq!(said.value, wanted, "{} {kind} {words} {members:?}: {said:?}", engine.name());
        }
    }
}

#[test]
fn store_and_worker_agree_on_hostile_addresses_sqlite() {
    agree(Engine::Sqlite, "text collate nocase", true);
}

#[test]
fn store_and_worker_agree_on_hostile_addresses_postgres() {
    agree(Engine::Postgres, "varchar(100)", true);
}

#[test]
fn store_and_worker_agree_on_hostile_addresses_mysql() {
    agree(Engine::Mysql, "varchar(100) character set utf8mb4 collate utf8mb4_0900_ai_ci", true);
    agree(Engine::Mysql, "varchar(100) character set utf8mb4 collate utf8mb4_turkish_ci", true);
}

#[test]
fn store_and_worker_agree_on_hostile_addresses_mariadb() {
    agree(Engine::Mariadb, "varchar(100) character set utf8mb4 collate utf8mb4_turkish_ci", true);
}

#[test]
fn several_columns_together_and_nulls_are_shared_with_nobody() {
    for engine in Engine::all() {
        let sight = Sight::new(
            engine,
            "create table seats (id integer primary key, tenant integer, email varchar(50), day date) {{table}};
             insert into seats values (1, 1, 'a@x.com', '2026-01-01'), (2, 1, 'A@x.com', '2026-01-01'), (3, 2, 'a@x.com', '2026-01-01'),
               (4, null, 'a@x.com', '2026-01-01'), (5, null, 'a@x.com', '2026-01-01'), (6, 3, 'é@x.com', '2026-01-01'), (7, 3, 'É@x.com', '2026-01-01'),
               (8, 4, 'k@x.com', '2026-01-02'), (9, 4, '\u{212a}@x.com', '2026-01-02'), (10, 5, '\u{212a}@x.com', '2026-01-02'), (11, 4, null, '2026-01-02')",
        );
        let on = |more: &str| format!("checks:\n  - {{ name: c, dataset: core.seats, {more}, warn: \"> 0\" }}\n");
        assert_eq!(sight.counts(&on("duplicate: [tenant, email]")), (0, Some(8)), "{}", engine.name());
        assert_eq!(sight.counts(&on("duplicate: [tenant, email], normalize: email")), (3, Some(8)), "{}", engine.name());
        assert_eq!(sight.counts(&on("duplicate: [tenant, email, day], normalize: lower")), (3, Some(8)), "{}", engine.name());
        assert_eq!(sight.counts(&on("duplicate: tenant")), (4, Some(9)), "{}", engine.name());
        assert_eq!(sight.counts(&on("duplicate: [day]")), (9, Some(11)), "{}", engine.name());
        assert!(sight.sees(&on("duplicate: email, where: \"id > 99\"")).nothing_seen);
        assert!(sight.refuses(&on("duplicate: [tenant, mail]")).contains("no column `mail`"));
        assert!(sight.refuses(&on("duplicate: email, plus_tags: ignore")).contains("without `normalize: email`"));
    }
}

#[test]
fn samples_of_duplicates_are_masked() {
    for engine in Engine::all() {
        let rows: Vec<(u64, String)> =
            ["lisa@example.com", "LISA@example.com", "jörg@example.com", "Jörg@example.com", "one@example.com"]
                .iter()
                .map(|email| (0, (*email).to_owned()))
                .collect();
        let sight = table(engine, "varchar(100)", &rows);
        let tags = "classification:\n  - dataset: core.people\n    fields: { email: { type: email, sensitivity: high } }\n";
        let measured = sight.sees(&format!("{tags}{}", check("normalize: email")));
        assert_eq!(measured.samples, ["email=li***.com", "email=jö***.com"], "{}", engine.name());
        assert_eq!(sight.sees(&check("normalize: email")).samples, ["email=***", "email=***"]);
        assert_eq!(sight.sees(&check("normalize: email, samples: 1")).samples.len(), 1);
        assert!(
            measured.query.is_none() && measured.notes[0].contains("2 rows are not plain ASCII, or spell a domain"),
            "{measured:?}"
        );
    }
}

#[test]
fn a_table_without_a_key_is_counted_too() {
    for engine in Engine::all() {
        let sight = Sight::new(
            engine,
            "create table people (email varchar(50)) {{table}}; insert into people values ('a@x.com'), ('A@x.com')",
        );
        assert_eq!(sight.counts(&check("normalize: email")), (1, Some(2)), "{}", engine.name());
        sight.sql("insert into people values ('é@x.com'), ('É@x.com'), ('\u{212a}@x.com')");
        assert_eq!(sight.counts(&check("normalize: email")), (2, Some(5)), "{}", engine.name());
        sight.sql("insert into people values ('K@x.com')");
        assert_eq!(sight.counts(&check("normalize: email")), (3, Some(6)), "{}", engine.name());
    }
}

#[test]
fn one_address_of_ten_thousand_rows_and_its_other_spellings() {
    for engine in Engine::all() {
        let same = (0..10_000).map(|n| (0, (if n % 2 == 0 { "One@Example.com" } else { " one@example.COM" }).to_owned()));
        let odd =
            ["one@ｅxample.com", "one@xn--bcher-kva.example", "ONE@bücher.example", "one@BÜCHER.example", "two@bücher.example"];
        let rows: Vec<(u64, String)> = same.chain(odd.map(|email| (1, email.to_owned()))).collect();
        let sight = table(engine, "varchar(100)", &rows);
        assert_eq!(sight.counts(&check("normalize: email")), (9_999 + 1 + 2, Some(10_005)), "{}", engine.name());
        let plain = check("normalize: email, where: \"grp = 0\"");
        assert_eq!(sight.counts(&plain), (9_999, Some(10_000)), "{}", engine.name());
        assert_eq!(sight.sees(&plain).samples.len(), 1, "{}", engine.name());
    }
}

#[test]
fn long_values_are_compared_to_their_end() {
    for engine in Engine::all() {
        for kind in ["varchar(1020)", "varchar(1500)", if engine.is_mysql() { "mediumtext" } else { "text" }] {
            // Behind this many bytes MySQL's sort would stop comparing: `a b a b …` would be as many groups as rows.
            let rows: Vec<(u64, String)> = (0..60).map(|n| (n, format!("{}{}", "x".repeat(1019), n % 2))).collect();
            let more = (0..60).map(|n| (n, format!("{}{}", "ü".repeat(1019), n % 2)));
            let rows: Vec<(u64, String)> = rows.into_iter().chain(more).collect();
            let sight = table(engine, kind, &rows);
            for words in ["normalize: none", "normalize: lower", "normalize: email"] {
                assert_eq!(sight.counts(&check(words)), (116, Some(120)), "{} {kind} {words}", engine.name());
            }
        }
    }
}

#[test]
fn patterns_mean_the_same_on_every_store() {
    for engine in Engine::all() {
        let rows: Vec<(u64, String)> =
            (0..12_000).map(|n| (n, if n % 100 == 7 { format!("bad {n}") } else { format!("é{n}@x.com") })).collect();
        let sight = table(engine, "varchar(100)", &rows);
        let on = |more: &str| format!("checks:\n  - {{ name: c, dataset: core.people, {more}, warn: \"> 0\" }}\n");
        let pattern = on("regex: '^\\pL\\d+@[a-z.]+$', column: email, samples: 2");
        let measured = sight.sees(&pattern);
        assert_eq!((measured.value, measured.of), (120, Some(12_000)), "{}", engine.name());
        assert_eq!(measured.samples, ["id=7 email=***", "id=107 email=***"]);
        assert_eq!(sight.sees(&on("regex: bad, column: email, match: forbidden, where: \"grp < 1000\"")).value, 10);
        assert_eq!(sight.sees(&on("regex: '^\\d+$', column: grp")).value, 0, "{}", engine.name());
        assert!(sight.refuses(&on("regex: '(a', column: email")).contains("cannot be used"));
        assert!(sight.refuses(&on("regex: '(?=a)', column: email")).contains("look-around"));
        assert!(sight.refuses(&on("regex: a, column: mail")).contains("no column"));
    }
}

/// A SQLite file is read by two sessions at once where two are to be had; one says the same.
#[test]
fn one_connection_finds_what_two_do() {
    let sandbox = Sandbox::new(Engine::Sqlite);
    sandbox.sql(
        "create table people (id integer primary key, email text); \
         insert into people (email) values ('a@b'), ('A@B'), (' a@b'), ('c@d'), ('c@bücher.example'), ('C@xn--bcher-kva.example'), (''), (null)",
    );
    sandbox.policy("p", &check("normalize: email"));
    sandbox.job("look", "action: check-quality\npolicies: [\"*\"]\n");
    let told = || {
        let found = sandbox.steward(["run-job", "look", "--json"]).must_end(0).json()["findings"][0].clone();
        (found["value"].clone(), found["of"].clone(), found["samples"].clone())
    };
    let two = told();
    assert_eq!((&two.0, &two.1), (&3.into(), &7.into()), "{two:?}");
    let config = std::fs::read_to_string(sandbox.path("steward.yaml")).expect("the configuration");
    sandbox.write("steward.yaml", &config.replace(&format!("env: {URL} }} }}"), &format!("env: {URL} }}, connections: 1 }}")));
    assert!(std::fs::read_to_string(sandbox.path("steward.yaml")).expect("the configuration").contains("connections: 1"));
    assert_eq!(told(), two);
}
