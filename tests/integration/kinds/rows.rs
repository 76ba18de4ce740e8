//! Kinds that look at the rows of one table.

use super::sight::Sight;
use crate::support::engine::Engine;

/// A check on `core.people`.
fn on(table: &str, check: &str) -> String {
    format!("checks:\n  - {{ name: c, dataset: {table}, {check}, warn: \"> 0\" }}\n")
}

const PEOPLE: &str = "create table people (id integer primary key, email varchar(100), note varchar(100), score {{decimal}}, born date) {{table}};
insert into people values (1, 'a@x.com', 'x', 1, '2026-01-01'), (2, null, 'x', 5, null), (3, '', 'x', 6, null), (4, '   ', 'x', -1, null), (5, 'beatrice@x.com', '', null, null), (6, 'c@x.com', null, 5.5, null);";

fn people(engine: Engine) -> Sight {
    let decimal = if engine == Engine::Sqlite { "numeric" } else { "decimal(10, 2)" };
    Sight::new(engine, &PEOPLE.replace("{{decimal}}", decimal))
}

#[test]
fn rows_that_lack_something_are_counted() {
    for engine in Engine::all() {
        let sight = people(engine);
        assert_eq!(sight.counts(&on("core.people", "missing: email")), (3, Some(6)));
        assert_eq!(sight.counts(&on("core.people", "missing: [email, note]")), (5, Some(6)));
        assert_eq!(sight.counts(&on("core.people", "missing: [email, note], where: \"id > 2\"")), (4, Some(4)));
        assert_eq!(sight.counts(&on("core.people", "missing: born")), (5, Some(6)));
        assert_eq!(sight.counts(&on("core.people", "missing: id")), (0, Some(6)));
        assert!(sight.sees(&on("core.people", "missing: id, where: \"id > 99\"")).nothing_seen);
        assert!(sight.refuses(&on("core.people", "missing: emial")).contains("no column `emial`"));
        assert!(sight.refuses(&on("core.peeple", "missing: email")).contains("no table"));
        assert!(
            sight
                .refuses(&on("core.people", "missing: email, where: \"1=1; drop table people\""))
                .contains("more than one statement")
        );
    }
}

#[test]
fn a_zero_width_space_is_not_nothing() {
    for engine in Engine::all() {
        let sight = Sight::new(
            engine,
            "create table t (id integer primary key, v varchar(20)) {{table}}; insert into t values (1, '\u{200b}'), (2, '\u{3000}'), (3, ' ')",
        );
        assert_eq!(sight.counts(&on("core.t", "missing: v")), (1, Some(3)), "{}", engine.name());
    }
}

#[test]
fn samples_name_rows_by_their_keys_and_mask_values_by_tag() {
    for engine in Engine::all() {
        let sight = people(engine);
        let tag = "classification:\n  - dataset: core.people\n    fields: { note: { type: PII, sensitivity: critical }, email: { type: email, sensitivity: high } }\n";
        let policy = on("core.people", "range: score, min: 0, max: 5, samples: 2");
        let measured = sight.sees(&policy);
        assert_eq!(measured.samples, ["id=3 score=***", "id=4 score=***"], "{}", engine.name());
        let policy = format!("{tag}{}", on("core.people", "missing: [email, note], where: \"id = 5\""));
        assert_eq!(sight.sees(&policy).samples, ["id=5 email=be***.com note=***"], "{}", engine.name());
        assert!(sight.sees(&on("core.people", "missing: email, samples: 0")).samples.is_empty());
    }
}

#[test]
fn numbers_out_of_their_range_are_counted() {
    for engine in Engine::all() {
        let sight = people(engine);
        assert_eq!(sight.counts(&on("core.people", "range: score, min: 0, max: 5")), (3, Some(5)));
        assert_eq!(sight.counts(&on("core.people", "range: score, max: 5.5")), (1, Some(5)));
        assert_eq!(sight.counts(&on("core.people", "range: score, min: -1")), (0, Some(5)));
        assert_eq!(sight.counts(&on("core.people", "range: id, min: 3, where: \"score is not null\"")), (2, Some(5)));
        assert!(sight.refuses(&on("core.people", "range: score")).contains("neither `min` nor `max`"));
        if engine != Engine::Sqlite {
            assert!(sight.refuses(&on("core.people", "range: email, min: 1")).contains("holds no numbers"));
        }
    }
}

#[test]
fn a_bound_is_what_a_column_of_single_precision_can_hold_and_no_number_is_out_of_range() {
    for engine in Engine::all() {
        let float = if engine == Engine::Postgres { "real" } else { "float" };
        let sight = Sight::new(
            engine,
            &format!("create table t (id integer primary key, v {float}) {{{{table}}}}; insert into t values (1, 0.1), (2, 0.2)"),
        );
        assert_eq!(sight.counts(&on("core.t", "range: v, min: 0.1, max: 0.1")), (1, Some(2)), "{}", engine.name());
        match engine {
            Engine::Postgres => sight.sql("insert into t values (3, 'NaN')"),
            Engine::Sqlite => sight.sql("insert into t values (3, 'many')"),
            _ => continue,
        }
        assert_eq!(sight.counts(&on("core.t", "range: v, max: 100")), (1, Some(3)), "{}", engine.name());
    }
}

#[test]
fn the_age_of_the_newest_row_is_told_and_the_future_does_not_make_it_younger() {
    for engine in Engine::all() {
        let sight = Sight::new(engine, "create table t (id integer primary key, at {{datetime6}}, n bigint) {{table}}");
        assert!(sight.sees(&on("core.t", "freshness: at").replace("> 0", "> 1 h")).nothing_seen);
        sight.sql(
            "insert into t values (1, '2026-11-20 12:00:00.000000', 1763726400), (2, '2026-11-21 11:59:58.500000', 1795262398), (3, '2099-01-01 00:00:00.000000', 4070908800), (4, null, null)",
        );
        let fresh = |check: &str| sight.sees(&on("core.t", check).replace("> 0", "> 1 h"));
        let measured = fresh("freshness: at");
        assert_eq!(measured.value, 1_500, "{} {measured:?}", engine.name());
        assert!(measured.notes.iter().any(|note| note.contains("1 rows are dated in the future")), "{measured:?}");
        assert_eq!(fresh("freshness: n, unit: s").value, 2_000, "{}", engine.name());
        assert_eq!(fresh("freshness: at, zone: Asia/Shanghai").value, 8 * 3_600_000 + 1_500, "{}", engine.name());
        assert!(sight.refuses(&on("core.t", "freshness: at, zone: Mars").replace("> 0", "> 1 h")).contains("`Mars`"));
        assert!(sight.refuses(&on("core.t", "freshness: n").replace("> 0", "> 1 h")).contains("nothing says what they count"));
    }
}

#[test]
fn a_day_that_has_begun_is_fresh() {
    for engine in Engine::all() {
        let sight = Sight::new(
            engine,
            "create table t (id integer primary key, d date) {{table}}; insert into t values (1, '2026-11-19')",
        );
        let age = || sight.sees(&on("core.t", "freshness: d").replace("> 0", "> 1 h")).value;
        assert_eq!(age(), 36 * 3_600_000, "{}", engine.name());
        sight.sql("insert into t values (2, '2026-11-21')");
        assert_eq!(age(), 0, "{}", engine.name());
    }
}

#[test]
fn rows_past_their_own_end_are_counted() {
    for engine in Engine::all() {
        let sight = Sight::new(
            engine,
            "create table s (id integer primary key, ends {{instant}}) {{table}};
             insert into s values (1, '2026-11-21 11:59:59'), (2, '2026-11-21 12:00:00'), (3, '2026-11-20 12:00:00'), (4, null), (5, '2027-01-01 00:00:00')",
        );
        let zone = if engine == Engine::Postgres { ", samples: 1" } else { "" };
        assert_eq!(sight.counts(&on("core.s", &format!("expired: ends{zone}"))), (2, Some(5)), "{}", engine.name());
        assert_eq!(sight.counts(&on("core.s", "expired: ends, after: 2 hours")), (1, Some(5)));
        sight.sql("delete from s");
        let measured = sight.sees(&on("core.s", "expired: ends"));
        assert_eq!((measured.value, measured.of, measured.nothing_seen), (0, Some(0), false));
    }
}

#[test]
fn references_that_lead_nowhere_are_counted() {
    for engine in Engine::all() {
        let sight = Sight::new(
            engine,
            "create table users (id integer primary key, handle varchar(20), gone integer, boss integer) {{table}};
             create table files (id integer primary key, user_id integer, handle varchar(20)) {{table}};
             insert into users values (1, 'li', 0, null), (2, 'wang', 1, 1), (3, null, 0, 99);
             insert into files values (1, 1, 'li'), (2, 2, 'zhao'), (3, 7, null), (4, null, 'wang')",
        );
        assert_eq!(sight.counts(&on("core.files", "dangling: user_id, to: core.users.id")), (1, Some(3)));
        assert_eq!(sight.counts(&on("core.files", "dangling: handle, to: core.users.handle")), (1, Some(3)));
        assert_eq!(
            sight.counts(&on("core.files", "dangling: user_id, to: { field: core.users.id, where: \"gone = 0\" }")),
            (2, Some(3))
        );
        assert_eq!(sight.counts(&on("core.users", "dangling: boss, to: core.users.id")), (1, Some(2)));
        assert_eq!(sight.sees(&on("core.files", "dangling: user_id, to: core.users.id")).samples, ["id=3 user_id=***"]);
        assert!(sight.refuses(&on("core.files", "dangling: user_id, to: core.users.nr")).contains("no column `nr`"));
        if engine != Engine::Sqlite {
            assert!(sight.refuses(&on("core.files", "dangling: user_id, to: core.users.handle")).contains("do not compare"));
        }
        if engine.is_mysql() {
            sight.sql("alter table files modify handle varchar(20) character set latin1");
            assert_eq!(
                sight.counts(&on("core.files", "dangling: handle, to: core.users.handle")),
                (1, Some(3)),
                "{}",
                engine.name()
            );
        }
    }
}

#[test]
fn plaintext_where_a_tag_says_sealed_is_counted() {
    for engine in Engine::all() {
        let sight = Sight::new(
            engine,
            "create table users (id integer primary key, email varchar(99), email_encrypted {{blob}}, phone varchar(20), hash varchar(20)) {{table}};
             insert into users values (1, 'a@x.com', null, null, 'h'), (2, null, null, '138', 'h'), (3, '', null, null, 'h'), (4, 'b@x.com', null, '139', 'h')",
        );
        let tags = "classification:\n  - dataset: core.users\n    fields: { email: { type: PII, sensitivity: high, protect: aes256, sealed_in: email_encrypted, encrypt: true }, phone: { type: PII, sensitivity: high, protect: aes256, encrypt: true }, hash: { type: auth, sensitivity: critical, protect: already hashed } }\n";
        let policy = |check: &str| format!("{tags}{}", on("core.users", check));
        assert_eq!(sight.counts(&policy("unsealed: true")), (3, Some(4)), "{}", engine.name());
        assert_eq!(sight.counts(&policy("unsealed: true, columns: email")), (2, Some(4)));
        let measured = sight.sees(&policy("unsealed: true"));
        assert!(measured.notes.contains(&"2 rows hold plaintext in `phone`".to_owned()), "{measured:?}");
        assert!(measured.notes.iter().any(|note| note.contains("`phone` names no `sealed_in`")), "{measured:?}");
        assert!(measured.samples.iter().all(|sample| !sample.contains("b@x")), "{measured:?}");
        assert!(sight.sees(&policy("unsealed: true, columns: hash")).nothing_seen);
        assert!(sight.sees(&on("core.users", "unsealed: true")).nothing_seen);
    }
}

/// Names that end a quote, begin a comment, or are words of SQL.
const HOSTILE: &[&str] = &["a\"b", "a`b", "a'b", "select", "x; drop table y --", "列", "MiXed", "a]b", "two words"];

#[test]
fn hostile_names_are_names() {
    for engine in Engine::all() {
        for name in HOSTILE {
            let quoted = engine.quote(name);
            let sight = Sight::new(
                engine,
                &format!(
                    "create table {quoted} ({quoted} varchar(20), {} integer primary key, {} {{{{datetime}}}}) {{{{table}}}};
                     insert into {quoted} values ('x', 1, '2026-11-21 11:00:00'), ('x', 2, '2026-11-21 11:00:00'), (null, 3, null)",
                    engine.quote(&format!("k{name}")),
                    engine.quote(&format!("c{name}"))
                ),
            );
            let yaml = |text: &str| text.replace('\'', "''");
            let table = yaml(&format!("core.\"{}\"", name.replace('"', "\"\"")));
            let check = |check: &str| format!("checks:\n  - {{ name: c, dataset: '{table}', {check}, warn: \"> 0\" }}\n");
            let column = |prefix: &str| format!("'{prefix}{}'", yaml(name));
            let to = format!("'{}.\"k{}\"'", table, yaml(&name.replace('"', "\"\"")));
            assert_eq!(sight.counts(&check(&format!("missing: {}", column("")))), (1, Some(3)), "{name}");
            assert_eq!(sight.counts(&check(&format!("range: {}, max: 2", column("k")))), (1, Some(3)), "{name}");
            assert_eq!(sight.counts(&check(&format!("expired: {}", column("c")))), (2, Some(3)), "{name}");
            assert_eq!(sight.counts(&check(&format!("dangling: {}, to: {to}", column("k")))), (0, Some(3)), "{name}");
            assert_eq!(sight.counts(&check(&format!("duplicate: [{}], normalize: lower", column("")))), (1, Some(2)), "{name}");
            let pattern = sight.sees(&check(&format!("regex: '^y$', column: {}", column(""))));
            assert_eq!((pattern.value, pattern.of), (2, Some(2)), "{name}");
            let age = sight.sees(&check(&format!("freshness: {}", column("c"))).replace("> 0", "> 1 h"));
            assert_eq!(age.value, 3_600_000, "{name}");
        }
    }
}
