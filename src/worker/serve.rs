//! `steward serve` from the first bind to the last batch edge.

use crate::worker::clock::Clock;
use crate::worker::executor::{Drained, Executor};
use crate::worker::hosts::{self, Hosts};
use crate::worker::http::StatusServer;
use crate::worker::job_state::{Last, RunEnd};
use crate::worker::jobs::{Jobs, ScheduledJob};
use crate::worker::signals::Signals;
use crate::worker::status::Phase;
use crate::worker::systemd;
use axum::Router;
use chrono::{DateTime, Utc};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_cron_scheduler::{JobScheduler, JobSchedulerError};

/// How the worker serves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the pages are.
    pub listen: SocketAddr,
    /// How many jobs may run at the same time.
    pub concurrency: usize,
    /// The pause before a run that ended `temporary` is tried again, where its job does not say.
    pub retry_after: Duration,
    /// A clock that has not ticked for so long is not healthy.
    pub stall_after: Duration,
    /// How often what keeps a job from running is looked at again.
    pub look_again: Duration,
    /// Names under which the pages may be asked for, beside addresses and this machine's own.
    pub hosts: Vec<String>,
    /// Pages beside `/`, `/healthz` and `/readyz`, which are ours.
    pub routes: Router,
}

impl Settings {
    /// Four jobs at a time, a retry after five minutes, a stall after one.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            concurrency: 4,
            retry_after: Duration::from_secs(5 * 60),
            stall_after: Duration::from_secs(60),
            look_again: Duration::from_secs(15),
            hosts: vec![],
            routes: Router::new(),
        }
    }
}

/// Why the worker does not serve. No job was started.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Someone else listens there.
    #[error("`{listen}` is in use; no job was started")]
    Busy {
        /// The address.
        listen: SocketAddr,
    },
    /// The system does not let us listen there.
    #[error("`{listen}` cannot be listened on: {source}; no job was started")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The scheduler does not start.
    #[error("the scheduler does not start: {0}")]
    Scheduler(#[from] JobSchedulerError),
}

impl ServeError {
    /// The way out.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Busy { listen } => {
                Some(format!("another `steward serve` may be running: stop it, or listen elsewhere than port {}", listen.port()))
            }
            Self::Listen { listen, .. } if listen.port() != 0 && listen.port() < 1_024 => {
                Some("ports below 1024 need a privilege: choose a higher one".to_owned())
            }
            Self::Listen { .. } => Some("choose an address of this machine, such as `127.0.0.1:8077`".to_owned()),
            Self::Scheduler(_) => None,
        }
    }
}

/// Serves until `signals` ask to stop, and then until every run has reached a batch edge.
///
/// Ticks missed while we were down are made up for first, once per job that has run before. Nothing is kept here: if we
/// die, the next start asks [`Jobs::last_tick`] again. After a second signal a run that does not let go may still hold a
/// thread: leave by `std::process::exit`.
///
/// # Errors
/// [`ServeError`]; no job was started.
pub async fn serve<J: Jobs>(
    entries: Vec<ScheduledJob>,
    jobs: Arc<J>,
    settings: Settings,
    signals: Signals,
) -> Result<Drained, ServeError> {
    let listener = bind(settings.listen).await?;
    let now = crate::clock::now();
    let clock = Clock::new(entries.clone(), now);
    let executor = Executor::new(entries.clone(), jobs.clone(), settings.concurrency, settings.retry_after, signals.clone());
    let page = StatusServer::new(entries.clone(), clock.clone(), executor.clone(), settings.stall_after);
    let routes = settings.routes.merge(page.clone().routes());
    let routes = routes.layer(axum::middleware::from_fn_with_state(Hosts::new(&settings.hosts), hosts::guard));
    let pages = tokio::spawn(async move { axum::serve(listener, routes).await });
    let alive = page.clone();
    let watchdog = tokio::spawn(async move { systemd::watchdog(|| alive.is_alive()).await });

    tokio::select! {
        () = async {
            remember(&entries, jobs.as_ref(), &executor).await;
            make_up(&entries, jobs.as_ref(), &executor, now).await;
        } => {}
        () = signals.stop.cancelled() => {}
    }
    let looking = tokio::spawn(look_again(jobs.clone(), settings.look_again));
    let mut scheduler = tick(&clock, &executor).await?;
    page.turn(Phase::Ready);
    systemd::ready(entries.len());
    tracing::info!(jobs = entries.len(), listen = %settings.listen, "on the clock");

    while let Some(entries) = reloaded(jobs.as_ref(), &signals).await {
        scheduler.shutdown().await?;
        clock.replace(entries.clone(), crate::clock::now());
        executor.replace(entries.clone());
        page.replace(entries.clone());
        remember(&entries, jobs.as_ref(), &executor).await;
        scheduler = tick(&clock, &executor).await?;
        systemd::ready(entries.len());
        tracing::info!(jobs = entries.len(), "reloaded: on the clock");
    }
    page.turn(Phase::Draining);
    systemd::stopping();
    tracing::info!("stopping: running jobs end at their next batch edge; a second signal stops at once");
    scheduler.shutdown().await?;
    let drained = executor.drain().await;
    pages.abort();
    watchdog.abort();
    looking.abort();
    Ok(drained)
}

async fn tick<J: Jobs>(clock: &Arc<Clock>, executor: &Arc<Executor<J>>) -> Result<JobScheduler, JobSchedulerError> {
    let executor = executor.clone();
    clock.start(move |job, due| executor.tick(job, due)).await
}

/// Waits until a reload is asked for and gives another list of jobs; none once we stop. What cannot be read changes nothing.
async fn reloaded<J: Jobs>(jobs: &J, signals: &Signals) -> Option<Vec<ScheduledJob>> {
    loop {
        tokio::select! {
            biased;
            () = signals.stop.cancelled() => return None,
            () = signals.reload.notified() => {}
        }
        systemd::reloading();
        tokio::select! {
            biased;
            () = signals.stop.cancelled() => return None,
            entries = jobs.reload() => match entries {
                Ok(entries) => return Some(entries),
                Err(reason) => {
                    tracing::error!("not reloaded, the jobs and schedules before stay in force: {reason}");
                    systemd::not_reloaded(&reason);
                }
            }
        }
    }
}

/// Tells the page what is known from before we began: a restart forgets nothing that the ledger knows.
async fn remember<J: Jobs>(entries: &[ScheduledJob], jobs: &J, executor: &Arc<Executor<J>>) {
    for ScheduledJob { name, .. } in entries {
        if let Some((ended, outcome)) = jobs.last_end(name).await {
            executor.remember(name, Last { due: None, ended, end: RunEnd::Outcome(outcome) });
        }
    }
}

/// Never returns.
async fn look_again<J: Jobs>(jobs: Arc<J>, each: Duration) {
    loop {
        tokio::time::sleep(each).await;
        if !jobs.stopped().is_empty() {
            jobs.look_again().await;
        }
    }
}

async fn bind(listen: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(listen).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::Busy { listen },
        _ => ServeError::Listen { listen, source },
    })
}

/// Runs each job once whose ticks were missed since it last ran; a job that never ran has missed nothing.
async fn make_up<J: Jobs>(entries: &[ScheduledJob], jobs: &J, executor: &Arc<Executor<J>>, now: DateTime<Utc>) {
    for ScheduledJob { name, schedule, zone, .. } in entries {
        let last = jobs.last_tick(name).await;
        if let Some(due) = schedule.missed_since(last, now, *zone) {
            tracing::info!(job = name, %due, "a tick was missed; it runs now");
            executor.tick(name, due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::outcome::Outcome;
    use crate::worker::jobs::probe::{Probe, entry, until};
    use chrono::Duration as Span;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::task::JoinHandle;
    use tokio::time::sleep;

    type Served = JoinHandle<Result<Drained, ServeError>>;

    fn free() -> SocketAddr {
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
    }

    fn start(entries: Vec<ScheduledJob>, probe: &Arc<Probe>, settings: Settings) -> (Signals, Served) {
        let signals = Signals::default();
        (signals.clone(), tokio::spawn(serve(entries, probe.clone(), settings, signals)))
    }

    async fn ask(listen: SocketAddr, path: &str) -> Option<(u16, String)> {
        ask_for(listen, path, "*/*").await
    }

    async fn ask_for(listen: SocketAddr, path: &str, kind: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(listen).await.ok()?;
        let asked = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: {kind}\r\nconnection: close\r\n\r\n");
        stream.write_all(asked.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    async fn answers(listen: SocketAddr, path: &str, code: u16) -> String {
        for _ in 0..400 {
            if let Some((_, body)) = ask(listen, path).await.filter(|(is, _)| *is == code) {
                return body;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("{path} did not answer {code}: {:?}", ask(listen, path).await);
    }

    #[tokio::test]
    async fn a_job_due_each_second_runs_each_second_and_never_twice() {
        let probe = Probe::that(|_, _, _| async { Outcome::Done });
        let (signals, served) = start(vec![entry("each", "* * * * * *")], &probe, Settings::new(free()));
        until(|| probe.count("run each") >= 3).await;
        signals.stop.cancel();
        served.await.unwrap().unwrap();
        let log = probe.log();
        let mut ticks = log.clone();
        ticks.dedup();
        assert_eq!(log, ticks);
        assert_eq!(probe.count("skipped"), 0, "{log:?}");
    }

    #[tokio::test]
    async fn a_missed_tick_runs_once_at_the_start_and_only_for_a_job_that_has_run_before() {
        let probe = Probe::that(|_, _, _| async { Outcome::Done });
        let now = crate::clock::now();
        probe.last.lock().unwrap().extend([("missed".to_owned(), now - Span::days(9)), ("recent".to_owned(), now)]);
        let entries = ["missed", "recent", "never"].map(|name| entry(name, "0 0 * * *")).to_vec();
        let (signals, served) = start(entries, &probe, Settings::new(free()));
        until(|| probe.count("run missed") == 1).await;
        sleep(Duration::from_millis(700)).await;
        signals.stop.cancel();
        served.await.unwrap().unwrap();
        let midnight = now.date_naive().and_hms_opt(0, 0, 0).unwrap().and_utc();
        assert_eq!(probe.log(), [format!("run missed {}", midnight.to_rfc3339())]);
    }

    #[tokio::test]
    async fn health_and_readiness_follow_the_drain() {
        let probe = Probe::that(|_, _, stop| async move {
            stop.cancelled().await;
            sleep(Duration::from_millis(400)).await;
            Outcome::Temporary
        });
        let listen = free();
        let settings = Settings { stall_after: Duration::from_millis(100), ..Settings::new(listen) };
        let (signals, served) = start(vec![entry("slow", "* * * * * *")], &probe, settings);
        answers(listen, "/readyz", 200).await;
        assert_eq!(answers(listen, "/healthz", 200).await, "ticking\n");
        until(|| probe.count("run slow") == 1).await;
        let status: serde_json::Value = serde_json::from_str(&answers(listen, "/", 200).await).unwrap();
        assert_eq!(status["jobs"][0]["job"], "slow");
        assert_eq!(status["jobs"][0]["now"]["state"], "running");
        assert!(status["jobs"][0]["next"].is_string());
        let (_, page) = ask_for(listen, "/", "text/html,application/xhtml+xml,*/*;q=0.8").await.unwrap();
        for part in ["<!doctype html>", "slow</th>", "running since", "default-src 'none'", "ready"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        signals.stop.cancel();
        assert_eq!(answers(listen, "/readyz", 503).await, "draining\n");
        sleep(Duration::from_millis(150)).await;
        assert_eq!(ask(listen, "/healthz").await.unwrap().0, 200, "a drain longer than a stall is no reason to be killed");
        assert_eq!(served.await.unwrap().unwrap(), Drained { dropped: vec![] });
        assert!(ask(listen, "/healthz").await.is_none(), "the page is gone with the worker");
    }

    #[tokio::test]
    async fn a_reload_takes_other_jobs_lets_running_ones_end_and_keeps_the_list_when_it_cannot_be_read() {
        let probe = Probe::that(|job, _, stop| async move {
            if job == "slow" {
                stop.cancelled().await;
            }
            Outcome::Done
        });
        let listen = free();
        let (signals, served) = start(vec![entry("slow", "* * * * * *")], &probe, Settings::new(listen));
        until(|| probe.count("run slow") == 1).await;
        probe.reloads.lock().unwrap().extend([Err("wrong".to_owned()), Ok(vec![entry("new", "* * * * * *")])]);
        signals.reload.notify_one();
        until(|| probe.count("reload") == 1).await;
        assert!(answers(listen, "/", 200).await.contains("\"slow\""), "the list before stays in force");
        signals.reload.notify_one();
        until(|| probe.count("run new") >= 2).await;
        let page = answers(listen, "/", 200).await;
        assert!(page.contains("\"new\"") && !page.contains("\"slow\""), "{page}");
        assert_eq!((probe.count("reload"), probe.count("run slow")), (2, 1));
        signals.stop.cancel();
        assert_eq!(served.await.unwrap().unwrap(), Drained { dropped: vec![] }, "the run of a job that is gone ends by itself");
    }

    #[tokio::test]
    async fn it_is_not_ready_before_the_jobs_are_known() {
        struct Hanging;
        impl Jobs for Hanging {
            async fn ended_since(&self, _: &str, _: DateTime<Utc>) -> Option<Outcome> {
                None
            }

            async fn last_tick(&self, _: &str) -> Option<DateTime<Utc>> {
                std::future::pending().await
            }
            async fn run(&self, _: &str, _: DateTime<Utc>, _: tokio_util::sync::CancellationToken) -> crate::worker::jobs::Came {
                Outcome::Done.into()
            }
            async fn last_end(&self, _: &str) -> Option<(DateTime<Utc>, Outcome)> {
                None
            }
            fn stopped(&self) -> Vec<crate::worker::jobs::NotRunning> {
                vec![]
            }
            async fn look_again(&self) {}
            async fn reload(&self) -> Result<Vec<ScheduledJob>, String> {
                Ok(vec![])
            }
            async fn skipped(&self, _: &str, _: DateTime<Utc>, _: &str) {}
            async fn failed(&self, _: &str, _: DateTime<Utc>, _: &str) {}
        }
        let (listen, signals) = (free(), Signals::default());
        let served =
            tokio::spawn(serve(vec![entry("a", "0 * * * *")], Arc::new(Hanging), Settings::new(listen), signals.clone()));
        assert_eq!(answers(listen, "/readyz", 503).await, "starting\n");
        signals.stop.cancel();
        served.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_clock_that_stands_still_is_not_healthy() {
        let probe = Probe::that(|_, _, _| async { Outcome::Done });
        let listen = free();
        // The scheduler asks every half second: by this measure it stands still in between.
        let settings = Settings { stall_after: Duration::from_millis(1), ..Settings::new(listen) };
        let (signals, served) = start(vec![], &probe, settings);
        answers(listen, "/readyz", 200).await;
        assert_eq!(answers(listen, "/healthz", 503).await, "the clock stands still\n");
        signals.stop.cancel();
        served.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_busy_port_is_said_with_a_way_out() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = taken.local_addr().unwrap();
        let probe = Probe::that(|_, _, _| async { Outcome::Done });
        let error = serve(vec![entry("a", "* * * * * *")], probe, Settings::new(listen), Signals::default()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("`{listen}` is in use; no job was started"));
        assert!(error.help().unwrap().contains("steward serve"));
    }

    #[tokio::test]
    async fn pages_of_others_are_served_beside_ours() {
        let probe = Probe::that(|_, _, _| async { Outcome::Done });
        let listen = free();
        let routes = Router::new().route("/metrics", axum::routing::get(|| async { "steward_up 1\n" }));
        let (signals, served) = start(vec![], &probe, Settings { routes, ..Settings::new(listen) });
        assert_eq!(answers(listen, "/metrics", 200).await, "steward_up 1\n");
        signals.stop.cancel();
        served.await.unwrap().unwrap();
    }

    /// Only a process of its own can have the variables that systemd sets.
    #[tokio::test]
    async fn systemd_is_told_ready_alive_and_stopping() {
        let name = "worker::serve::tests::systemd_is_told_ready_alive_and_stopping";
        if std::env::var_os("NOTIFY_SOCKET").is_some() {
            let probe = Probe::that(|_, _, _| async { Outcome::Done });
            let (signals, served) = start(vec![], &probe, Settings::new(free()));
            sleep(Duration::from_millis(400)).await;
            signals.stop.cancel();
            served.await.unwrap().unwrap();
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
        let me = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env("NOTIFY_SOCKET", &path)
            .env("WATCHDOG_USEC", "200000")
            .env_remove("WATCHDOG_PID")
            .output()
            .unwrap();
        assert!(me.status.success(), "{me:?}");
        socket.set_nonblocking(true).unwrap();
        let mut told = String::new();
        let mut buffer = [0; 512];
        while let Ok(length) = socket.recv(&mut buffer) {
            told.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
        }
        let beats = told.matches("WATCHDOG=1").count();
        assert!((3..=6).contains(&beats), "{told}");
        assert!(told.find("READY=1").unwrap() < told.find("STOPPING=1").unwrap(), "{told}");
    }
}
