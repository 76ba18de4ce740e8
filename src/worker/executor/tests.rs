//! Ticks that overlap, wait for each other, panic, are tried again, and stop.

use super::*;
use crate::job::outcome::Outcome;
use crate::worker::jobs::Came;
use crate::worker::jobs::probe::{Probe, entry, until};
use chrono::Duration as Span;

const SOON: Duration = Duration::from_millis(30);

fn executor(probe: &Arc<Probe>, lines: &[(&str, &str)], concurrency: usize) -> Arc<Executor<Probe>> {
    let entries = lines.iter().map(|(name, line)| entry(name, line)).collect();
    Executor::new(entries, probe.clone(), concurrency, SOON, Signals::default())
}

fn due(hour: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap() + Span::hours(hour)
}

#[tokio::test]
async fn a_tick_that_finds_its_job_running_is_skipped_with_a_reason() {
    let probe = Probe::that(|_, _, stop| async move {
        stop.cancelled().await;
        Outcome::Temporary
    });
    let executor = executor(&probe, &[("slow", "0 * * * *")], 4);
    executor.tick("slow", due(0));
    until(|| probe.count("run slow") == 1).await;
    executor.tick("slow", due(1));
    until(|| probe.count("skipped slow") == 1).await;
    assert!(probe.log().iter().any(|line| {
        line.starts_with("skipped slow 2026-01-01T01:00:00+00:00: its run for 2026-01-01T00:00:00Z has been running since")
    }));
    assert_eq!(executor.drain().await, Drained { dropped: vec![] });
    assert_eq!(probe.count("run slow"), 1, "not queued");
}

#[tokio::test]
async fn jobs_run_beside_each_other_up_to_the_limit() {
    let probe = Probe::that(|_, _, stop| async move {
        stop.cancelled().await;
        Outcome::Temporary
    });
    let executor = executor(&probe, &[("a", "0 * * * *"), ("b", "0 * * * *"), ("c", "0 * * * *")], 2);
    ["a", "b", "c"].iter().for_each(|job| executor.tick(job, due(0)));
    until(|| probe.count("run") == 2).await;
    sleep(SOON).await;
    assert_eq!(probe.count("run"), 2);
    executor.tick("c", due(1));
    until(|| {
        probe.count("skipped c 2026-01-01T01:00:00+00:00: its run for 2026-01-01T00:00:00Z still waits while 2 other jobs run")
            == 1
    })
    .await;
    executor.drain().await;
    assert_eq!(probe.count("run"), 2, "what waits does not start while we stop");
}

/// Two jobs each minute, the second after the first; the tick they share is this minute's.
fn one_after_the_other(probe: &Arc<Probe>, patience: Option<Duration>) -> (Arc<Executor<Probe>>, DateTime<Utc>) {
    let entries = vec![
        entry("first", "* * * * *"),
        ScheduledJob { after: vec!["first".to_owned()], patience, ..entry("second", "0 0 1 1 *") },
    ];
    let mut executor = Executor::new(entries, probe.clone(), 1, Duration::from_secs(60), Signals::default());
    let now = crate::clock::now();
    Arc::get_mut(&mut executor).unwrap().began = now - Span::hours(1);
    (executor, DateTime::from_timestamp(now.timestamp() / 60 * 60, 0).unwrap())
}

#[tokio::test]
async fn a_job_waits_until_the_one_it_comes_after_has_ended() {
    let may_end = CancellationToken::new();
    let ends = may_end.clone();
    let probe = Probe::that(move |job, _, _| {
        let ends = ends.clone();
        async move {
            if job == "first" {
                ends.cancelled().await;
            }
            Outcome::Findings
        }
    });
    let (executor, now) = one_after_the_other(&probe, None);
    // Taken first, and it still lets the other go before it: there is one place, and it takes none while it waits.
    executor.tick("second", now);
    until(|| matches!(executor.state("second"), Some((Doing::Behind { .. }, _)))).await;
    executor.tick("first", now);
    until(|| probe.count("run first") == 1).await;
    sleep(LOOKS * 2).await;
    assert_eq!(probe.count("run second"), 0);
    may_end.cancel();
    until(|| probe.count("run second") == 1).await;
    assert_eq!(probe.count("skipped"), 0, "{:?}", probe.log());
}

#[tokio::test]
async fn a_job_after_one_that_failed_is_skipped_with_the_reason() {
    for outcome in [Outcome::Partial, Outcome::Refused, Outcome::Invalid] {
        let probe = Probe::that(move |_, _, _| async move { outcome });
        let (executor, now) = one_after_the_other(&probe, None);
        executor.tick("first", now);
        until(|| matches!(executor.state("first"), Some((Doing::Idle, Some(_))))).await;
        executor.tick("second", now);
        until(|| probe.count("skipped second") == 1).await;
        let reason = format!("it comes after job `first`, which ended `{}`", outcome.word());
        assert!(probe.log().iter().any(|line| line.ends_with(&reason)), "{:?}", probe.log());
        until(|| matches!(executor.state("second"), Some((Doing::Idle, Some(Last { end: RunEnd::Skipped, .. }))))).await;
        assert_eq!(probe.count("run second"), 0);
    }
}

#[tokio::test]
async fn a_job_waits_no_longer_than_its_budget() {
    let probe = Probe::that(|_, _, stop| async move {
        stop.cancelled().await;
        Outcome::Temporary
    });
    let (executor, now) = one_after_the_other(&probe, Some(Duration::from_millis(300)));
    executor.tick("first", now);
    executor.tick("second", now);
    until(|| probe.count("skipped second") == 1).await;
    assert!(probe.log().iter().any(|line| line.ends_with("it comes after job `first`, which had not ended in time")));
}

#[tokio::test]
async fn what_ran_elsewhere_counts_and_what_has_no_tick_is_not_waited_for() {
    let probe = Probe::that(|_, _, _| async { Outcome::Done });
    let (executor, now) = one_after_the_other(&probe, None);
    probe.ended.lock().unwrap().insert("first".to_owned(), (now, Outcome::Done));
    executor.tick("second", now);
    until(|| probe.count("run second") == 1).await;

    let entries = vec![
        entry("first", "0 0 29 2 *"),
        ScheduledJob { after: vec!["first".to_owned(), "by-hand".to_owned()], ..entry("second", "0 * * * *") },
    ];
    let probe = Probe::that(|_, _, _| async { Outcome::Done });
    let executor = Executor::new(entries, probe.clone(), 1, SOON, Signals::default());
    executor.tick("second", due(3));
    until(|| probe.count("run second") == 1).await;
}

#[tokio::test]
async fn a_job_that_waits_for_another_rests_when_we_stop() {
    let probe = Probe::that(|_, _, _| async { Outcome::Done });
    let (executor, now) = one_after_the_other(&probe, None);
    executor.tick("second", now);
    until(|| matches!(executor.state("second"), Some((Doing::Behind { .. }, _)))).await;
    assert_eq!(executor.drain().await, Drained { dropped: vec![] });
    assert_eq!(probe.log(), Vec::<String>::new());
}

#[tokio::test]
async fn a_panic_is_reported_and_the_others_go_on() {
    let probe = Probe::that(|job, n, _| async move {
        assert!(job != "bad" || n > 1, "boom {n}");
        Outcome::Done
    });
    let executor = executor(&probe, &[("bad", "0 * * * *"), ("good", "0 * * * *")], 1);
    executor.tick("bad", due(0));
    executor.tick("good", due(0));
    until(|| probe.count("failed bad 2026-01-01T00:00:00+00:00: the run panicked: boom 1") == 1 && probe.count("run good") == 1)
        .await;
    until(|| matches!(executor.state("bad"), Some((Doing::Idle, Some(Last { end: RunEnd::Panicked(_), .. }))))).await;
    executor.tick("bad", due(1));
    until(|| probe.count("run bad") == 2).await;
    assert_eq!(probe.count("run bad"), 2, "and it is not tried again before its next tick");
}

#[tokio::test]
async fn a_temporary_run_is_tried_again_for_the_same_tick() {
    let probe = Probe::that(|_, n, _| async move { if n < 3 { Outcome::Temporary } else { Outcome::Done } });
    let executor = executor(&probe, &[("job", "0 0 1 1 *")], 4);
    executor.tick("job", due(0));
    until(|| probe.count("run job 2026-01-01T00:00:00+00:00") == 3).await;
    sleep(SOON * 3).await;
    assert_eq!(probe.count("run job"), 3, "done is done");
    assert_eq!(probe.count("skipped"), 0);
}

#[tokio::test]
async fn only_a_temporary_run_is_tried_again() {
    for outcome in [Outcome::Findings, Outcome::Partial, Outcome::Refused, Outcome::Undelivered, Outcome::Invalid] {
        let probe = Probe::that(move |_, _, _| async move { outcome });
        let executor = executor(&probe, &[("job", "0 0 1 1 *")], 4);
        executor.tick("job", due(0));
        sleep(SOON * 3).await;
        assert_eq!(probe.count("run job"), 1, "{outcome:?}");
    }
}

#[tokio::test]
async fn a_check_whose_store_was_away_is_tried_again_though_others_were_answered() {
    let probe = Probe::that(|_, n, _| async move {
        if n < 2 { Came { outcome: Outcome::Partial, again: true } } else { Outcome::Findings.into() }
    });
    let executor = executor(&probe, &[("job", "0 0 1 1 *")], 4);
    executor.tick("job", due(0));
    until(|| probe.count("run job 2026-01-01T00:00:00+00:00") == 2).await;
    sleep(SOON * 3).await;
    assert_eq!(probe.count("run job"), 2, "answered is answered");
    assert!(matches!(executor.state("job"), Some((Doing::Idle, Some(Last { end: RunEnd::Outcome(Outcome::Findings), .. })))));
}

#[tokio::test]
async fn there_is_no_retry_when_the_next_tick_comes_first() {
    let probe = Probe::that(|_, _, _| async { Outcome::Temporary });
    let minutely = vec![entry("job", "* * * * *")];
    let executor = Executor::new(minutely, probe.clone(), 4, Duration::from_secs(61), Signals::default());
    executor.tick("job", due(0));
    until(|| probe.count("run job") == 1).await;
    until(|| matches!(executor.state("job"), Some((Doing::Idle, Some(_))))).await;
}

#[tokio::test]
async fn a_tick_takes_over_from_a_retry_that_waits() {
    let probe = Probe::that(|_, n, _| async move { if n == 1 { Outcome::Temporary } else { Outcome::Done } });
    let yearly = vec![entry("job", "0 0 1 1 *")];
    let executor = Executor::new(yearly, probe.clone(), 4, Duration::from_millis(200), Signals::default());
    executor.tick("job", due(0));
    until(|| matches!(executor.state("job"), Some((Doing::Retrying { .. }, _)))).await;
    executor.tick("job", due(1));
    sleep(Duration::from_millis(300)).await;
    assert_eq!(probe.log(), ["run job 2026-01-01T00:00:00+00:00", "run job 2026-01-01T01:00:00+00:00"]);
}

#[tokio::test]
async fn a_drain_waits_for_the_batch_edge_and_starts_nothing() {
    let probe = Probe::that(|_, _, stop| async move {
        stop.cancelled().await;
        sleep(SOON).await;
        Outcome::Temporary
    });
    let executor = executor(&probe, &[("job", "0 0 1 1 *"), ("other", "0 0 1 1 *")], 4);
    executor.tick("job", due(0));
    until(|| probe.count("run job") == 1).await;
    assert_eq!(executor.drain().await, Drained { dropped: vec![] });
    assert!(matches!(executor.state("job"), Some((Doing::Idle, Some(Last { end: RunEnd::Outcome(Outcome::Temporary), .. })))));
    executor.tick("other", due(1));
    sleep(SOON).await;
    assert_eq!(probe.log().len(), 1, "{:?}", probe.log());
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let probe = Probe::that(|job, _, stop| async move {
        stop.cancelled().await;
        sleep(if job == "stubborn" { Duration::from_secs(3_600) } else { Duration::ZERO }).await;
        Outcome::Temporary
    });
    let executor = executor(&probe, &[("stubborn", "0 * * * *"), ("good", "0 * * * *")], 4);
    executor.tick("stubborn", due(0));
    executor.tick("good", due(0));
    until(|| probe.count("run") == 2).await;
    let (draining, begun) = (executor.clone(), std::time::Instant::now());
    let drain = tokio::spawn(async move { draining.drain().await });
    sleep(SOON).await;
    assert!(!drain.is_finished());
    executor.signals.at_once.cancel();
    assert_eq!(drain.await.unwrap(), Drained { dropped: vec!["stubborn".to_owned()] });
    assert!(begun.elapsed() < Duration::from_secs(1));
}
