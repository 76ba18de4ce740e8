use super::*;
use crate::ledger::LedgerError;
use std::path::Path;

async fn refusal(path: &Path) -> LedgerError {
    Ledger::open(path).await.unwrap_err()
}

#[tokio::test]
async fn asking_for_a_ledger_that_is_not_there_makes_none() {
    let (dir, path) = place();
    assert!(Ledger::open_existing(&path).await.unwrap().is_none());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_ledger_that_a_first_start_left_empty_is_none_yet() {
    let (dir, path) = place();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, b"").unwrap();
    assert!(Ledger::open_existing(&path).await.unwrap().is_none());
    Ledger::open(&path).await.unwrap().append(None, &outcome("b"), at(1)).await.unwrap();
    drop(dir);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_first_starts_at_once_make_one_ledger() {
    for _ in 0..5 {
        let (_dir, path) = place();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let path = path.clone();
            tasks.spawn(async move { Ledger::open(&path).await.unwrap().append(None, &outcome("b"), at(1)).await.unwrap() });
        }
        let mut seen: Vec<i64> = tasks.join_all().await.into_iter().map(|head| head.seq).collect();
        seen.sort_unstable();
        assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7, 8]);
    }
}

#[tokio::test]
async fn what_was_written_is_there_for_the_next_and_readable_while_it_is_written() {
    let (_dir, path) = place();
    let writer = told(&path).await;
    let reader = Ledger::open_existing(&path).await.unwrap().unwrap();
    assert_eq!(reader.head().await.unwrap(), writer.head().await.unwrap());
    writer.append(None, &outcome("b"), at(1)).await.unwrap();
    assert_eq!(reader.head().await.unwrap().unwrap().seq, 10);
    writer.close().await;
    drop(reader);
    assert_eq!(Ledger::open(&path).await.unwrap().head().await.unwrap().unwrap().seq, 10);
}

#[tokio::test]
async fn a_ledger_open_for_reading_takes_nothing() {
    let (_dir, path) = place();
    told(&path).await.close().await;
    let before = std::fs::read(&path).unwrap();
    let ledger = Ledger::open_existing(&path).await.unwrap().unwrap();
    let error = ledger.append(None, &outcome("b"), at(1)).await.unwrap_err();
    assert!(error.is_unwritable() && matches!(error, LedgerError::ReadOnly { .. }), "{error}");
    ledger.lease("orders", "r1", at(1)).await.unwrap_err();
    ledger.verify(None).await.unwrap();
    ledger.close().await;
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_ledger_of_a_newer_steward_is_refused() {
    let (_dir, path) = place();
    told(&path).await.close().await;
    tamper(&path, "INSERT INTO _sqlx_migrations SELECT 2, 'later', installed_on, success, X'00', 0 FROM _sqlx_migrations").await;
    for error in [refusal(&path).await, Ledger::open_existing(&path).await.unwrap_err()] {
        assert!(error.is_unwritable(), "{error:?}");
        let expected = format!(
            "ledger `{}` was written by a newer steward: this one does not know its change 2; nothing was recorded",
            path.display()
        );
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn a_ledger_of_an_older_steward_is_not_read_without_its_migration() {
    let (_dir, path) = place();
    told(&path).await.close().await;
    tamper(&path, "DELETE FROM _sqlx_migrations").await;
    let error = Ledger::open_existing(&path).await.unwrap_err();
    assert!(matches!(error, LedgerError::Older { version: 1, .. }), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let (_dir, path) = place();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let text = "this is a diary, and it goes on for a while\n".repeat(200);
    std::fs::write(&path, &text).unwrap();
    for error in [refusal(&path).await, Ledger::open_existing(&path).await.unwrap_err()] {
        assert!(matches!(error, LedgerError::NotADatabase { .. }) && error.is_unwritable(), "{error:?}");
        assert!(error.to_string().contains(&path.display().to_string()) && error.help().contains("restore"));
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn somebody_elses_database_is_refused_and_left_as_it_is() {
    let (_dir, path) = place();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut theirs = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::raw_sql("CREATE TABLE _sqlx_migrations (a); CREATE TABLE users (a)").execute(&mut theirs).await.unwrap();
    sqlx::Connection::close(theirs).await.unwrap();
    let before = std::fs::read(&path).unwrap();
    for error in [refusal(&path).await, Ledger::open_existing(&path).await.unwrap_err()] {
        assert!(matches!(error, LedgerError::NotALedger { .. }), "{error:?}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    for path in [dir.path().join("file/steward.db"), dir.path().to_owned()] {
        let error = refusal(&path).await;
        assert!(error.is_unwritable() && matches!(error, LedgerError::Unwritable { .. }), "{error:?}");
        assert_eq!(error.path(), path);
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_read_only_folder_is_refused_in_words() {
    // Root writes into any folder of its own, but into none of the kernel's.
    let error = refusal(Path::new("/proc/self/steward.db")).await;
    assert!(matches!(error, LedgerError::Unwritable { .. }), "{error:?}");
    assert!(error.to_string().starts_with("ledger `/proc/self/steward.db` cannot be written: "), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_ledger_that_was_moved_or_replaced_takes_nothing_more() {
    let (_dir, path) = place();
    let ledger = told(&path).await;
    let moved = path.with_extension("moved");
    std::fs::rename(&path, &moved).unwrap();
    let error = ledger.append(None, &outcome("b"), at(1)).await.unwrap_err();
    assert!(matches!(error, LedgerError::Gone { .. }) && error.is_unwritable(), "{error:?}");
    std::fs::copy(&moved, &path).unwrap();
    assert!(ledger.append(None, &outcome("b"), at(1)).await.is_err());
    std::fs::rename(&moved, &path).unwrap();
    ledger.append(None, &outcome("b"), at(1)).await.unwrap();
}

#[tokio::test]
async fn a_writer_that_never_lets_go_is_busy_and_not_broken() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut other = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let held = sqlx::Connection::begin_with(&mut other, "BEGIN IMMEDIATE").await.unwrap();
    let waiting = tokio::spawn(async move { ledger.append(None, &outcome("b"), at(1)).await });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(!waiting.is_finished());
    held.rollback().await.unwrap();
    waiting.await.unwrap().unwrap();
}
