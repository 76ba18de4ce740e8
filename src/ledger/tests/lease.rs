use super::*;
use crate::ledger::{Checkpoint, Lease, LeaseError};
use std::sync::Arc;

fn lock_file(path: &std::path::Path, job: &str) -> PathBuf {
    PathBuf::from(format!("{}.locks/{job}.lock", path.display()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_that_start_at_once_a_hundred_times_are_one_each_time() {
    let (_dir, path) = place();
    let ledgers = [Ledger::open(&path).await.unwrap(), Ledger::open(&path).await.unwrap()];
    for round in 0..100 {
        let barrier = Arc::new(tokio::sync::Barrier::new(2));
        let race = |side: usize| {
            let (ledger, barrier) = (ledgers[side].clone(), barrier.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                ledger.lease("orders", &format!("{round}-{side}"), at(round)).await
            })
        };
        let (left, right) = (race(0), race(1));
        let results = [left.await.unwrap(), right.await.unwrap()];
        let won: Vec<&Lease> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
        assert_eq!(won.len(), 1, "round {round}");
        assert_eq!(won[0].token(), i64::from(round) + 1);
        match results.iter().find_map(|result| result.as_ref().err()) {
            Some(LeaseError::Held { holder: Some(holder), .. }) => assert_eq!(holder.run, won[0].run()),
            other => panic!("round {round}: {other:?}"),
        }
    }
}

/// What a run that died left in the ledger names nobody who is there now, however long the next one takes to write its name.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_comes_second_is_never_told_the_name_of_the_run_before() {
    let (_dir, path) = place();
    let ledgers = [Ledger::open(&path).await.unwrap(), Ledger::open(&path).await.unwrap()];
    drop(ledgers[0].lease("orders", "dead", at(1)).await.unwrap());
    // The ledger is busy: whoever gets the lock cannot write down its name for a while.
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut busy = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut busy).await.unwrap();
    let races = [0, 1].map(|side: usize| {
        let ledger = ledgers[side].clone();
        tokio::spawn(async move { ledger.lease("orders", &format!("living-{side}"), at(2)).await })
    });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    sqlx::raw_sql("ROLLBACK").execute(&mut busy).await.unwrap();
    let [left, right] = races;
    match (left.await.unwrap(), right.await.unwrap()) {
        (Ok(won), Err(LeaseError::Held { holder: Some(holder), .. }))
        | (Err(LeaseError::Held { holder: Some(holder), .. }), Ok(won)) => assert_eq!(holder.run, won.run()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn whoever_comes_second_is_told_who_has_it_since_when() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    let _held = ledger.lease("orders", "8f2c", at(1)).await.unwrap();
    let _other_job = ledger.lease("users", "8f2d", at(1)).await.unwrap();
    let error = ledger.lease("orders", "8f2e", at(2)).await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("job `orders` did not start: run 8f2c (process "), "{text}");
    assert!(text.ends_with("since 2026-11-18T11:06:41Z) holds its lock"), "{text}");
}

#[tokio::test]
async fn a_lease_is_free_after_release_and_after_a_death() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    ledger.lease("orders", "r1", at(1)).await.unwrap().release().await.unwrap();
    let second = ledger.lease("orders", "r2", at(2)).await.unwrap();
    assert_eq!(second.token(), 2);
    drop(second); // as a dead process leaves it: the row still names r2
    let third = ledger.lease("orders", "r3", at(3)).await.unwrap();
    assert_eq!(third.token(), 3);
    assert!(third.still_held().await.unwrap());
}

#[cfg(unix)]
#[tokio::test]
async fn a_lease_whose_lock_file_was_removed_is_lost_and_writes_nothing() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    ledger.start_run(&new_run("r1", "orders")).await.unwrap();
    let first = ledger.lease("orders", "r1", at(1)).await.unwrap();
    ledger.append_under(&first, &intent("b1"), at(1)).await.unwrap();
    std::fs::remove_file(lock_file(&path, "orders")).unwrap();
    assert!(!first.still_held().await.unwrap());
    let error = ledger.append_under(&first, &outcome("b1"), at(1)).await.unwrap_err();
    assert!(error.is_lease_lost() && !error.is_unwritable(), "{error}");
    assert_eq!(ledger.head().await.unwrap().unwrap().seq, 3);
}

#[tokio::test]
async fn a_lease_overtaken_in_the_ledger_is_refused_in_the_same_transaction() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    ledger.start_run(&new_run("r1", "orders")).await.unwrap();
    let first = ledger.lease("orders", "r1", at(1)).await.unwrap();
    tamper(&path, "UPDATE lease SET token = token + 1, run = 'r2'").await;
    assert!(!first.still_held().await.unwrap());
    let pass = Checkpoint {
        job: "orders".into(),
        dataset: "d".into(),
        policy: "p".into(),
        fingerprint: "f".into(),
        as_of: at(1),
        cursor: None,
    };
    assert!(ledger.append_under(&first, &intent("b1"), at(1)).await.unwrap_err().is_lease_lost());
    assert!(ledger.append_with_checkpoint(&first, &outcome("b1"), &pass, at(1)).await.unwrap_err().is_lease_lost());
    assert!(ledger.save_pass(&first, &pass, at(1)).await.unwrap_err().is_lease_lost());
    assert!(ledger.end_checkpoint(&first, "d", "p", at(1)).await.unwrap_err().is_lease_lost());
    assert_eq!(ledger.head().await.unwrap().unwrap().seq, 2);
    first.release().await.unwrap(); // leaves r2's alone
    let holder = ledger.db.holder("orders").await.unwrap().unwrap();
    assert_eq!(holder.run, "r2");
}

#[tokio::test]
async fn a_hostile_job_name_stays_in_the_folder_of_locks() {
    let (dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    let held = [
        ledger.lease("../../escape", "r1", at(1)).await.unwrap(),
        ledger.lease(".migrate", "r1", at(1)).await.unwrap(),
        ledger.lease("%2e", "r1", at(1)).await.unwrap(),
        ledger.lease(".", "r1", at(1)).await.unwrap(),
    ];
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    Ledger::open(&path).await.unwrap();
    drop(held);
}
