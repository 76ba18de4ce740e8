use super::*;
use crate::job::outcome::Outcome;
use crate::ledger::{Checkpoint, DryRuns, FindingRow, LedgerError};

#[tokio::test]
async fn a_run_is_told_as_it_went() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    ledger.start_run(&new_run("run-1", "orders")).await.unwrap();
    let row = ledger.run("run-1").await.unwrap().unwrap();
    assert_eq!((row.ended, row.outcome, row.exit, row.report.clone()), (None, None, None, None));
    assert_eq!((row.job.as_str(), row.action.as_str(), row.mode, row.dry_run), ("orders", "archive", Mode::Enforce, false));
    assert_eq!(row.started.timestamp_subsec_nanos(), 123_456_000);
    let report = json!({ "run": "run-1", "datasets": [] });
    ledger.end_run("run-1", at(9), Outcome::Refused, &report).await.unwrap();
    let row = ledger.run("run-1").await.unwrap().unwrap();
    assert_eq!((row.outcome, row.exit, row.report), (Some(Outcome::Refused), Some(4), Some(report)));
    assert!(row.ended.is_some());
}

#[tokio::test]
async fn a_run_begins_once_and_ends_once() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    ledger.start_run(&new_run("run-1", "orders")).await.unwrap();
    ledger.start_run(&new_run("run-1", "orders")).await.unwrap_err();
    ledger.end_run("run-1", at(9), Outcome::Done, &json!({})).await.unwrap();
    for run in ["run-1", "run-2"] {
        let error = ledger.end_run(run, at(9), Outcome::Partial, &json!({})).await.unwrap_err();
        assert!(matches!(error, LedgerError::NoSuchRun { .. }), "{error}");
    }
    assert_eq!(ledger.head().await.unwrap().unwrap().seq, 2);
    assert!(ledger.verify(None).await.unwrap().is_whole());
}

#[tokio::test]
async fn a_run_is_found_by_either_end_of_its_id_when_only_one_fits() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    for id in ["01aa-x1", "01aa-y2", "01aa", "01bb-%_"] {
        ledger.start_run(&new_run(id, "orders")).await.unwrap();
    }
    let found = async |part: &str| ledger.run(part).await.map(|run| run.map(|run| run.id));
    assert_eq!(found("x1").await.unwrap().as_deref(), Some("01aa-x1"));
    assert_eq!(found("01b").await.unwrap().as_deref(), Some("01bb-%_"));
    assert_eq!(found("01aa").await.unwrap().as_deref(), Some("01aa"));
    assert_eq!(found("%").await.unwrap(), None);
    assert_eq!(found("zz").await.unwrap(), None);
    assert_eq!(found("").await.unwrap(), None);
    let error = found("01aa-").await.unwrap_err();
    assert_eq!(error.to_string(), format!("`01aa-` names 2 runs in ledger `{}`", path.display()));
}

#[tokio::test]
async fn runs_come_newest_first_and_by_job() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    for (id, job) in [("r3", "a"), ("r1", "b"), ("r2", "a")] {
        ledger.start_run(&new_run(id, job)).await.unwrap();
    }
    let ids =
        async |job, limit| -> Vec<String> { ledger.runs(job, limit).await.unwrap().into_iter().map(|run| run.id).collect() };
    assert_eq!(ids(None, 10).await, ["r2", "r1", "r3"]);
    assert_eq!(ids(Some("a"), 10).await, ["r2", "r3"]);
    assert_eq!(ids(None, 1).await, ["r2"]);
}

#[tokio::test]
async fn the_last_run_that_ended_skips_the_dead_the_dry_and_oneself() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    for (id, dry_run, mode, ends) in [
        ("observed", false, Mode::Observe, true),
        ("dry", true, Mode::Enforce, true),
        ("died", false, Mode::Enforce, false),
        ("now", false, Mode::Enforce, true),
        ("later", false, Mode::Enforce, true),
    ] {
        ledger.start_run(&NewRun { dry_run, mode, ..new_run(id, "orders") }).await.unwrap();
        if ends {
            ledger.end_run(id, at(2), Outcome::Done, &json!({ "id": id })).await.unwrap();
        }
    }
    let last = async |job, dry| ledger.last_ended(job, "now", dry).await.unwrap().map(|run| run.id);
    assert_eq!(last("orders", DryRuns::Skipped).await.as_deref(), Some("observed"));
    assert_eq!(last("orders", DryRuns::Counted).await.as_deref(), Some("dry"));
    assert_eq!(last("other", DryRuns::Counted).await, None);
}

#[tokio::test]
async fn an_intent_stays_open_until_something_closes_it() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    ledger.start_run(&new_run("r1", "orders")).await.unwrap();
    ledger.start_run(&new_run("r2", "other")).await.unwrap();
    let failed = Event::Failed { batch: "b2".into(), reason: "deadlock".into() };
    let settled = Event::Settled { batch: "b3".into(), of_run: "r1".into(), verdict: "committed".into(), rows: 118 };
    for event in [intent("b1"), intent("b2"), intent("b3"), intent("b4"), outcome("b1"), failed.clone(), settled] {
        ledger.append(Some("r1"), &event, at(3)).await.unwrap();
    }
    ledger.append(Some("r2"), &intent("b5"), at(3)).await.unwrap();
    let open = ledger.open_intents("orders").await.unwrap();
    assert_eq!(open.iter().map(|open| open.batch.as_str()).collect::<Vec<_>>(), ["b4"]);
    assert_eq!((open[0].run.as_str(), open[0].rows, &open[0].to), ("r1", 118, &json!([{ "int": 118 }])));
    // The same batch once more after a retry that is known to have been rolled back.
    ledger.append(Some("r1"), &intent("b2"), at(4)).await.unwrap();
    assert_eq!(ledger.open_intents("orders").await.unwrap().len(), 2);
    ledger.append(Some("r1"), &failed, at(4)).await.unwrap();
    assert_eq!(ledger.open_intents("orders").await.unwrap().len(), 1);
    assert!(ledger.verify(None).await.unwrap().is_whole());
    assert_eq!(ledger.events(Some("r2")).await.unwrap().len(), 2);
    assert_eq!(ledger.events_after(9, 1).await.unwrap()[0].seq, 10);
}

#[tokio::test]
async fn a_pass_goes_on_where_it_was_and_to_the_nanosecond() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    let lease = ledger.lease("orders", "r1", at(0)).await.unwrap();
    let mut pass = Checkpoint {
        job: "orders".into(),
        dataset: "core.orders".into(),
        policy: "p".into(),
        fingerprint: "f1".into(),
        as_of: at(7),
        cursor: None,
    };
    let kept = async || ledger.checkpoint("orders", "core.orders", "p").await.unwrap();
    assert_eq!(kept().await, None);
    ledger.save_pass(&lease, &pass, at(1)).await.unwrap();
    assert_eq!(kept().await, Some(pass.clone()));
    pass.cursor = Some(json!([{ "text": "18446744073709551615" }, "null"]));
    ledger.append_with_checkpoint(&lease, &outcome("b1"), &pass, at(1)).await.unwrap();
    assert_eq!(kept().await, Some(pass));
    ledger.end_checkpoint(&lease, "core.orders", "p", at(2)).await.unwrap();
    assert_eq!(kept().await, None);
}

#[tokio::test]
async fn the_last_findings_are_those_of_the_run_before() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    let finding = |check: &str, outcome: &str, value: u64| FindingRow {
        check: check.into(),
        outcome: outcome.into(),
        body: json!({ "value": value }),
    };
    ledger.start_run(&new_run("r1", "checks")).await.unwrap();
    ledger.record_findings("r1", &[finding("a", "fail", 1), finding("b", "pass", 0)], at(1)).await.unwrap();
    ledger.start_run(&new_run("r2", "checks")).await.unwrap();
    ledger.record_findings("r2", &[finding("a", "warn", 2)], at(1)).await.unwrap();
    ledger.start_run(&NewRun { dry_run: true, ..new_run("dry", "checks") }).await.unwrap();
    ledger.record_findings("dry", &[finding("a", "pass", 9)], at(1)).await.unwrap();
    ledger.start_run(&new_run("r3", "checks")).await.unwrap();
    ledger.record_findings("r3", &[finding("a", "pass", 3)], at(1)).await.unwrap();
    assert_eq!(ledger.last_findings("checks", "r3").await.unwrap(), [finding("a", "warn", 2), finding("b", "pass", 0)]);
    assert_eq!(ledger.last_findings("checks", "r1").await.unwrap(), []);
    let past = async |before: &str, runs| {
        let rows = ledger.past_findings("checks", before, runs).await.unwrap();
        rows.into_iter().map(|row| (row.check, row.outcome, row.value)).collect::<Vec<_>>()
    };
    let row = |check: &str, outcome: &str, value| (check.to_owned(), outcome.to_owned(), Some(value));
    assert_eq!(past("r3", 9).await, [row("a", "warn", 2), row("a", "fail", 1), row("b", "pass", 0)]);
    assert_eq!(past("r3", 1).await, [row("a", "warn", 2)], "bounded by runs");
    assert_eq!(past("r1", 9).await, []);
    assert!(ledger.verify(None).await.unwrap().is_whole());
}

#[tokio::test]
async fn a_failed_entry_leaves_nothing_of_itself() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    // A finding and an intent of a run that never began.
    let finding = FindingRow { check: "a".into(), outcome: "pass".into(), body: json!({}) };
    ledger.record_findings("nobody", &[finding], at(1)).await.unwrap_err();
    ledger.append(Some("nobody"), &intent("b1"), at(1)).await.unwrap_err();
    ledger.append(Some("a\nb"), &outcome("b1"), at(1)).await.unwrap_err();
    assert_eq!(ledger.head().await.unwrap(), None);
    ledger.append(None, &outcome("b1"), at(1)).await.unwrap();
}

#[tokio::test]
async fn a_run_that_was_stopped_or_died_is_the_last_one_and_concludes_nothing() {
    let (_dir, path) = place();
    let ledger = Ledger::open(&path).await.unwrap();
    assert_eq!(ledger.last_run("orders").await.unwrap(), None);
    for (at_second, id, outcome) in
        [(1, "run-1", Some(Outcome::Done)), (10, "run-2", Some(Outcome::Temporary)), (20, "run-3", None)]
    {
        ledger.start_run(&NewRun { started: at(at_second), ..new_run(id, "orders") }).await.unwrap();
        if let Some(outcome) = outcome {
            ledger.end_run(id, at(at_second + 1), outcome, &json!({})).await.unwrap();
        }
    }
    ledger.start_run(&NewRun { dry_run: true, started: at(30), ..new_run("dry", "orders") }).await.unwrap();
    ledger.start_run(&NewRun { started: at(40), ..new_run("other", "sessions") }).await.unwrap();
    assert_eq!(ledger.last_run("orders").await.unwrap().unwrap().id, "run-3");
    let concluded = ledger.last_concluded("orders").await.unwrap().unwrap();
    assert_eq!(concluded.timestamp(), at(1).timestamp());
    assert_eq!(ledger.last_concluded("sessions").await.unwrap(), None);
}
