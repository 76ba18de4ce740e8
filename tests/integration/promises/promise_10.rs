//! Evidence: each event carries the hash of the one before; the head is printed in every mailed report; `audit verify` finds
//! any edit or gap, and with a head from a mail a cut tail.

use super::orders_fixture;
use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};
use steward::ledger::fault::{Expected, Fault, Verification};

mod evidence_finds_any_edit_or_gap_and_a_cut_tail {
    use super::*;

    #[test]
    fn what_nobody_touched_is_whole_and_the_mailed_head_is_in_it() {
        let (sandbox, mailed) = mailed();
        sandbox.sql(&orders_fixture::insert("orders", &[501]));
        sandbox.steward(["run-job", "archive-orders"]).must_end(0);
        let verification = verified(&sandbox, Some(&mailed));
        assert!(verification.is_whole(), "{:?}", verification.faults);
        assert!(matches!(verification.expected, Some(Expected::Found { since, .. }) if since > 0), "{:?}", verification.expected);
    }

    /// Whatever column of whatever event: an edited word is found, and so is an event that is gone.
    #[test]
    fn every_edit_of_every_event_is_found() {
        let (sandbox, _) = mailed();
        let events = ledger_events(&sandbox);
        assert!(events >= 4);
        for seq in 1..=events {
            for edit in [
                format!("UPDATE event SET body = replace(body, substr(body, 3, 1), 'X') WHERE seq = {seq}"),
                format!("UPDATE event SET at = '2001-01-01T00:00:00.000000Z' WHERE seq = {seq}"),
                format!("UPDATE event SET kind = 'failed' WHERE seq = {seq}"),
                format!("UPDATE event SET run = 'another' WHERE seq = {seq}"),
                format!("UPDATE event SET hash = replace(hash, substr(hash, 1, 1), 'z') WHERE seq = {seq}"),
            ] {
                let found = after(&sandbox, &edit, None);
                assert!(!found.is_whole(), "{edit} was not found");
                assert!(
                    found.faults.iter().any(|fault| names(fault, seq)),
                    "event {seq} is not named after {edit}: {:?}",
                    found.faults
                );
            }
            let found = after(&sandbox, &format!("DELETE FROM event WHERE seq = {seq}"), None);
            // The newest one's absence shows in the tables that were written with it.
            assert!(!found.is_whole(), "event {seq} is gone and nobody sees it");
        }
    }

    /// Everything from an event on is taken out, tables too: by itself the rest is whole; the mailed head tells.
    #[test]
    fn a_cut_tail_is_found_with_the_head_from_the_mail() {
        let (sandbox, mailed) = mailed();
        let cut =
            "DELETE FROM run; DELETE FROM open_intent; DELETE FROM finding; DELETE FROM hold; DELETE FROM event WHERE seq > 0";
        let found = after(&sandbox, cut, Some(&mailed));
        assert!(!found.is_whole() || found.expected == Some(Expected::Missing), "{found:?}");
        assert_eq!(found.expected, Some(Expected::Missing));
        // The last run's last word alone.
        let found = after(&sandbox, "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)", Some(&mailed));
        assert!(!found.is_whole(), "{found:?}");
    }

    #[test]
    fn a_byte_of_the_file_flipped_is_found_or_the_file_is_refused() {
        let (sandbox, mailed) = mailed();
        checkpoint(&sandbox);
        let file = sandbox.path("state/steward.db");
        let whole = std::fs::read(&file).expect("the ledger");
        let at = find(&whole, b"\"removed\":500").expect("an event or a report tells the number");
        let mut bytes = whole.clone();
        bytes[at] ^= 0x01;
        std::fs::write(&file, &bytes).expect("written");
        let found = verified(&sandbox, Some(&mailed));
        assert!(!found.is_whole(), "a flipped byte at {at} was not found");
    }

    /// What the tool trusts when it runs is checked when it runs: a hold that is set aside for one run and put back is found by that run.
    #[test]
    fn a_hold_that_is_released_by_an_edit_refuses_the_run_and_is_found() {
        let sandbox = orders_fixture::open_with(Engine::Sqlite, 20);
        sandbox.steward(["hold", "add", "case-114", "--dataset", "core.orders", "--because", "litigation"]).must_end(0);
        // What comes after the hold: a cut tail shows against a head kept elsewhere alone.
        sandbox.steward(["run-job", "archive-orders", "--dry-run"]).must_end(0);
        for (edit, place) in [
            (
                "UPDATE hold SET released = since, released_by = 'x', released_why = 'y'",
                "its `released` is not what its events say",
            ),
            ("UPDATE hold SET condition = 'id < 0'", "its `condition` is not what its events say"),
            ("DELETE FROM hold", "is gone from its table"),
            (
                &format!(
                    "DROP TRIGGER event_is_never_edited; DROP TRIGGER event_is_never_removed; DELETE FROM event WHERE kind = 'hold_added'; DELETE FROM hold; {GUARDS}"
                ),
                "event 1 is missing",
            ),
        ] {
            checkpoint(&sandbox);
            let file = sandbox.path("state/steward.db");
            let whole = std::fs::read(&file).expect("the ledger");
            in_file(&sandbox, &format!("PRAGMA foreign_keys = OFF; {edit}"));
            let ended = sandbox.steward(["run-job", "archive-orders"]).must_end(3);
            assert!(format!("{}{}", ended.stdout, ended.stderr).contains(place), "{edit}: {ended}");
            assert_eq!(orders_fixture::orders(&sandbox), 25, "{edit}");
            checkpoint(&sandbox);
            std::fs::write(&file, whole).expect("put back");
        }
        let report = sandbox.steward(["run-job", "archive-orders", "--json"]).must_end(0).json();
        assert_eq!(report["datasets"][0]["left"]["held"], 20, "{report:#}");
    }

    /// A page and its JSON are what the chain has the hashes of.
    #[test]
    fn a_report_on_disk_that_was_edited_or_is_gone_is_found() {
        let (sandbox, _) = mailed();
        sandbox.steward(["audit", "verify"]).must_end(0);
        for entry in std::fs::read_dir(sandbox.path("state/reports")).expect("a folder") {
            let path = entry.expect("an entry").path();
            let whole = std::fs::read(&path).expect("a report");
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            std::fs::write(&path, String::from_utf8_lossy(&whole).replace("500", "499")).expect("edited");
            let ended = sandbox.steward(["audit", "verify"]).must_end(1);
            assert!(ended.stdout.contains(&format!("report `{name}` was edited")), "{ended}");
            std::fs::remove_file(&path).expect("removed");
            let ended = sandbox.steward(["audit", "verify"]).must_end(1);
            assert!(ended.stdout.contains(&format!("report `{name}` is gone")), "{ended}");
            std::fs::write(&path, whole).expect("put back");
        }
        sandbox.steward(["audit", "verify"]).must_end(0);
    }

    /// A trigger could write what nobody recorded.
    #[test]
    fn what_was_added_to_the_ledgers_schema_is_found_and_nothing_is_recorded() {
        let (sandbox, _) = mailed();
        for (add, drop, name) in [
            (
                "CREATE TRIGGER quiet AFTER INSERT ON hold BEGIN UPDATE hold SET released = since; END",
                "DROP TRIGGER quiet",
                "trigger `quiet`",
            ),
            ("CREATE VIEW seen AS SELECT 1", "DROP VIEW seen", "view `seen`"),
            ("CREATE INDEX more ON event (kind)", "DROP INDEX more", "index `more`"),
        ] {
            in_file(&sandbox, add);
            let ended = sandbox.steward(["audit", "verify"]).must_end(1);
            assert!(ended.stdout.contains(name), "{ended}");
            let before = ledger_events(&sandbox);
            let ended = sandbox.steward(["run-job", "archive-orders"]).must_end(3);
            assert!(ended.stderr.contains(name), "{ended}");
            assert_eq!(ledger_events(&sandbox), before);
            in_file(&sandbox, drop);
        }
        sandbox.steward(["run-job", "archive-orders"]).must_end(0);
    }

    /// The tables beside the chain say what the chain says.
    #[test]
    fn an_edited_report_or_table_is_found() {
        let (sandbox, _) = mailed();
        for edit in [
            "UPDATE run SET report = replace(report, '\"removed\":500', '\"removed\":499')",
            "UPDATE run SET outcome = 'partial', exit = 3",
            "UPDATE run SET started = '2001-01-01T00:00:00.000000Z'",
            "DELETE FROM run",
            "UPDATE lease SET token = token + 1",
            "UPDATE lease SET run = 'another'",
            "INSERT INTO pass VALUES ('archive-orders', 'core.orders', 'orders', 'f', '2001-01-01T00:00:00.000000000Z', NULL)",
            "INSERT INTO hold (id, seq, name, dataset, because, origin, since) VALUES ('x', 1, 'n', 'core.orders', 'b', 'command', '2001-01-01T00:00:00.000000Z')",
        ] {
            let found = after(&sandbox, edit, None);
            assert!(!found.is_whole(), "{edit} was not found");
        }
    }
}

/// A sandbox whose run was mailed into a folder, and the ledger's head that the mail tells.
fn mailed() -> (Sandbox, String) {
    let sandbox = orders_fixture::open_with(Engine::Sqlite, 500);
    std::fs::create_dir(sandbox.path("mail")).expect("a folder");
    sandbox.config("mail: { url: \"file:mail\", from: \"steward@example.com\", to: [\"dpo@example.com\"] }\n");
    sandbox.steward(["run-job", "archive-orders"]).must_end(0);
    let mail = std::fs::read_dir(sandbox.path("mail")).expect("a folder").next().expect("a mail").expect("an entry").path();
    let mail = std::fs::read_to_string(mail).expect("a mail").replace("=\r\n", "").replace("=\n", "");
    let is_hash = |word: &&str| word.len() == 64 && word.chars().all(|c| c.is_ascii_hexdigit());
    let head =
        mail.split(|c: char| !c.is_ascii_alphanumeric()).find(is_hash).unwrap_or_else(|| panic!("no head in the mail: {mail}"));
    (sandbox, head.to_owned())
}

fn verified(sandbox: &Sandbox, head: Option<&str>) -> Verification {
    orders_fixture::ask(sandbox, async |ledger| ledger.verify(head).await.expect("a verification"))
}

/// The guards of the ledger, as its migration makes them: an attacker puts them up again.
const GUARDS: &str = "CREATE TRIGGER event_is_never_edited BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'events are never edited'); END;
CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'events are never removed'); END;";

/// Does what an attacker with the file would, verifies, and puts the file back.
fn after(sandbox: &Sandbox, edit: &str, head: Option<&str>) -> Verification {
    checkpoint(sandbox);
    let file = sandbox.path("state/steward.db");
    let whole = std::fs::read(&file).expect("the ledger");
    in_file(
        sandbox,
        &format!(
            "PRAGMA foreign_keys = OFF; DROP TRIGGER event_is_never_edited; DROP TRIGGER event_is_never_removed; {edit}; {GUARDS}"
        ),
    );
    let verification = verified(sandbox, head);
    checkpoint(sandbox);
    std::fs::write(&file, whole).expect("put back");
    verification
}

fn ledger_events(sandbox: &Sandbox) -> i64 {
    i64::try_from(orders_fixture::events(sandbox).len()).expect("few")
}

fn names(fault: &Fault, seq: i64) -> bool {
    match fault {
        Fault::Edited { seq: at } | Fault::Unlinked { seq: at } => *at == seq || *at == seq + 1,
        Fault::Gap { after, next } => (*after..=*next).contains(&seq),
        _ => true,
    }
}

/// Folds the write-ahead log into the file.
fn checkpoint(sandbox: &Sandbox) {
    in_file(sandbox, "PRAGMA wal_checkpoint(TRUNCATE)");
}

fn in_file(sandbox: &Sandbox, sql: &str) {
    let file = sandbox.path("state/steward.db");
    orders_fixture::wait(async {
        let options = SqliteConnectOptions::new().filename(file).foreign_keys(false);
        let mut link = SqliteConnection::connect_with(&options).await.expect("a connection");
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut link).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
        link.close().await.expect("closed");
    });
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).rposition(|window| window == what)
}
