//! What is younger than the delay between stores is no finding.

use super::stores::{BOTH, Two, end, sorted};
use crate::support::engine::Engine;
use chrono::{TimeZone, Utc};
use std::time::{Duration, Instant};
use steward::policy::lifecycle::{Clock, ClockUnit};
use steward::reference::compare::Asked;

const SETTLED: Asked = Asked { settle: Some(Duration::from_secs(1)), ..BOTH };

#[test]
fn a_young_row_is_left_out_and_an_old_one_counts() {
    for engine in Engine::all() {
        let two = Two::new(engine, Engine::Sqlite);
        let (time, now) = (engine.word("datetime").unwrap(), Utc.with_ymd_and_hms(2026, 1, 1, 12, 0, 0).unwrap());
        two.core.sql(&format!(
            "CREATE TABLE users (id integer NOT NULL PRIMARY KEY, created_at {time}, seen integer); \
             INSERT INTO users VALUES (1, '2026-01-01 11:00:00', 0), (2, '2026-01-01 11:54:59', 0), (3, '2026-01-01 11:55:01', 0), \
             (4, NULL, 0), (5, '2026-01-01 11:00:00', 0)"
        ));
        two.other.sql("CREATE TABLE nodes (id integer PRIMARY KEY); INSERT INTO nodes VALUES (1), (9)");
        let before = Some(now - chrono::Duration::minutes(5));
        let began = Instant::now();
        let compared = two
            .try_compare(&end("core.users.id"), &end("other.nodes.id"), Asked { both_ways: false, ..SETTLED }, before)
            .unwrap();
        assert_eq!(sorted(&compared.from), ["2", "4", "5"], "{}: what nothing dates is not young", engine.name());
        assert_eq!(compared.waited_for, 0);
        assert!(began.elapsed() < Duration::from_secs(20));
        // A clock by name, in seconds since 1970: row 3 is old by it, and row 5 young.
        two.core.sql("UPDATE users SET seen = 2147483647 WHERE id = 5");
        let mut named = end("core.users.id");
        named.clock = Some(Clock { column: "seen".into(), zone: None, unit: Some(ClockUnit::Seconds) });
        let compared = two.try_compare(&named, &end("other.nodes.id"), Asked { both_ways: false, ..SETTLED }, before).unwrap();
        assert_eq!(sorted(&compared.from), ["2", "3", "4"], "{}", engine.name());
    }
}

#[test]
fn without_a_clock_the_suspects_are_looked_at_again() {
    let two = Two::new(Engine::Mysql, Engine::Postgres);
    two.core.sql("CREATE TABLE users (id bigint PRIMARY KEY); INSERT INTO users VALUES (1), (2), (3), (4)");
    two.other.sql("CREATE TABLE nodes (id bigint PRIMARY KEY); INSERT INTO nodes VALUES (1), (8), (9)");
    let began = Instant::now();
    let compared = std::thread::scope(|scope| {
        let comparing = scope.spawn(|| {
            let asked = Asked { settle: Some(Duration::from_secs(4)), ..BOTH };
            two.try_compare(&end("core.users.id"), &end("other.nodes.id"), asked, Some(Utc::now())).unwrap()
        });
        // While it waits: one arrives, one leaves on either side.
        std::thread::sleep(Duration::from_secs(2));
        two.other.sql("INSERT INTO nodes VALUES (2); DELETE FROM nodes WHERE id = 8");
        two.core.sql("DELETE FROM users WHERE id = 3");
        comparing.join().unwrap()
    });
    assert!(began.elapsed() >= Duration::from_secs(4));
    assert_eq!(compared.waited_for, 5, "2, 3, 4 on the one side, 8, 9 on the other");
    assert_eq!((sorted(&compared.from), sorted(&compared.to)), (vec!["4".to_owned()], vec!["9".to_owned()]));
}

#[test]
fn without_suspects_nobody_waits() {
    let two = Two::new(Engine::Sqlite, Engine::Sqlite);
    two.core.sql("CREATE TABLE users (id integer PRIMARY KEY); INSERT INTO users VALUES (1), (2)");
    two.other.sql("CREATE TABLE nodes (id integer PRIMARY KEY); INSERT INTO nodes VALUES (1), (2)");
    let began = Instant::now();
    let asked = Asked { settle: Some(Duration::from_secs(60)), ..BOTH };
    let compared = two.try_compare(&end("core.users.id"), &end("other.nodes.id"), asked, Some(Utc::now())).unwrap();
    assert_eq!((compared.from.missing, compared.to.missing, compared.waited_for), (0, 0, 0));
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_clock_that_is_named_and_dates_nothing_is_refused() {
    let two = Two::new(Engine::Postgres, Engine::Sqlite);
    two.core.sql("CREATE TABLE users (id bigint PRIMARY KEY, name text, created_at text)");
    two.other.sql("CREATE TABLE nodes (id integer PRIMARY KEY)");
    let mut named = end("core.users.id");
    named.clock = Some(Clock { column: "name".into(), zone: None, unit: None });
    assert!(two.try_compare(&named, &end("other.nodes.id"), SETTLED, Some(Utc::now())).is_err());
    // `created_at` is only a guess: where it dates nothing, suspects wait.
    assert!(two.try_compare(&end("core.users.id"), &end("other.nodes.id"), SETTLED, Some(Utc::now())).is_ok());
}
