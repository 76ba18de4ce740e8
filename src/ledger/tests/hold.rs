use super::*;
use crate::ledger::{FileHold, LedgerError, NewHold};

fn new_hold(name: &str) -> NewHold {
    NewHold {
        name: name.into(),
        dataset: "core.users".into(),
        condition: Some("id in (17, 42)".into()),
        because: "litigation".into(),
        owner: Some("legal@example.com".into()),
        by: "li".into(),
    }
}

fn file_hold(name: &str, condition: &str) -> FileHold {
    FileHold {
        name: name.into(),
        dataset: "core.users".into(),
        condition: Some(condition.into()),
        because: "litigation".into(),
        owner: None,
        place: "policies/legal.yaml:7:5".into(),
    }
}

async fn names(ledger: &Ledger, files: &[FileHold]) -> Vec<String> {
    let remembered = ledger.remembered_holds(files).await.unwrap();
    assert_eq!(ledger.see_file_holds(files, at(5)).await.unwrap(), remembered);
    remembered.into_iter().map(|hold| format!("{} {}", hold.name, hold.condition.unwrap_or_default())).collect()
}

#[tokio::test]
async fn a_hold_is_added_once_and_released_with_a_reason() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    ledger.add_hold(&new_hold("case-114"), at(1)).await.unwrap();
    let error = ledger.add_hold(&new_hold("case-114"), at(2)).await.unwrap_err();
    assert!(matches!(error, LedgerError::HoldInForce { .. }), "{error}");
    let held = ledger.holds().await.unwrap();
    assert!(held.len() == 1 && held[0].in_force() && held[0].noted.as_deref() == Some("li"));
    ledger.release_hold("case-114", "wang", "closed", at(3)).await.unwrap();
    let held = ledger.holds().await.unwrap();
    let release = held[0].released.clone().unwrap();
    assert_eq!((release.by.as_str(), release.why.as_str()), ("wang", "closed"));
    let error = ledger.release_hold("case-114", "wang", "closed", at(3)).await.unwrap_err();
    assert!(matches!(error, LedgerError::NoSuchHold { .. }), "{error}");
    ledger.add_hold(&new_hold("case-114"), at(4)).await.unwrap();
    assert!(ledger.holds().await.unwrap()[0].in_force());
    assert!(ledger.verify(None).await.unwrap().is_whole());
}

#[tokio::test]
async fn a_hold_once_seen_in_a_file_is_remembered_until_it_is_released() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    let files = [file_hold("case-1", "id = 1"), file_hold("case-2", "id = 2")];
    assert_eq!(names(&ledger, &files).await, [""; 0]);
    assert_eq!(names(&ledger, &files[1..]).await, ["case-1 id = 1"]);
    assert_eq!(names(&ledger, &[]).await, ["case-1 id = 1", "case-2 id = 2"]);
    ledger.release_hold("case-1", "li", "closed", at(6)).await.unwrap();
    assert_eq!(names(&ledger, &[]).await, ["case-2 id = 2"]);
    assert!(ledger.verify(None).await.unwrap().is_whole());
}

#[tokio::test]
async fn a_hold_narrowed_in_its_file_keeps_the_rows_it_held() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    names(&ledger, &[file_hold("case-1", "id in (1, 2)")]).await;
    let narrowed = [file_hold("case-1", "id = 1")];
    assert_eq!(names(&ledger, &narrowed).await, ["case-1 id in (1, 2)"]);
    ledger.release_hold("case-1", "li", "only one is left", at(6)).await.unwrap();
    assert_eq!(names(&ledger, &narrowed).await, [""; 0]);
    // The one in the file was seen again, and is remembered when it goes.
    assert_eq!(names(&ledger, &[]).await, ["case-1 id = 1"]);
    assert!(ledger.verify(None).await.unwrap().is_whole());
}

#[tokio::test]
async fn seeing_the_same_files_again_writes_nothing() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    let mut files = [file_hold("case-1", "id = 1")];
    names(&ledger, &files).await;
    let head = ledger.head().await.unwrap();
    files[0].place = "policies/legal.yaml:9:5".into();
    names(&ledger, &files).await;
    assert_eq!(ledger.head().await.unwrap(), head);
    files[0].because = "another reason".into();
    names(&ledger, &files).await;
    assert_eq!(ledger.holds().await.unwrap()[0].because, "another reason");
    assert_eq!(ledger.head().await.unwrap().unwrap().seq, 2);
    assert!(ledger.verify(None).await.unwrap().is_whole());
}

#[tokio::test]
async fn a_hold_of_the_command_is_not_mistaken_for_one_of_a_file() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    ledger.add_hold(&new_hold("case-1"), at(1)).await.unwrap();
    assert_eq!(names(&ledger, &[]).await, [""; 0]);
    names(&ledger, &[file_hold("case-1", "id in (17, 42)")]).await;
    assert_eq!(ledger.holds().await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_intent_that_does_not_know_the_newest_hold_is_refused() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    ledger.start_run(&new_run("r1", "orders")).await.unwrap();
    let newest = async || ledger.head().await.unwrap().unwrap().seq;
    let begin = async |batch: &str, known: i64| {
        let Event::Intent { batch, dataset, policy, rows, from, to, before, .. } = intent(batch) else { unreachable!() };
        let intent = Event::Intent { batch, dataset, policy, rows, from, to, holds: known, before };
        ledger.append(Some("r1"), &intent, at(3)).await.map(drop)
    };
    let known = newest().await;
    begin("b1", known).await.unwrap();
    // Added, seen in a file, released: each makes what was read before it too old.
    for which in ["added", "seen", "released"] {
        let known = newest().await;
        match which {
            "added" => drop(ledger.add_hold(&new_hold("case-114"), at(4)).await.unwrap()),
            "seen" => drop(ledger.see_file_holds(&[file_hold("case-1", "id = 1")], at(4)).await.unwrap()),
            _ => drop(ledger.release_hold("case-114", "wang", "closed", at(4)).await.unwrap()),
        }
        for known in [0, known] {
            let error = begin("b2", known).await.unwrap_err();
            assert!(matches!(error, LedgerError::HoldsChanged { .. }), "{which}: {error}");
        }
        begin(which, newest().await).await.unwrap();
    }
    assert_eq!(ledger.open_intents("orders").await.unwrap().len(), 4, "what was refused is not in it");
    assert!(ledger.verify(None).await.unwrap().is_whole());
}
