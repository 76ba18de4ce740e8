//! `steward serve`: the scheduler, until a signal ends it at the edge of a batch.

use super::app::{App, Closed, ledger, no_ledger, print_diagnosis};
use super::job_source::{JobSource, entries};
use super::{Ended, Globals, exit::Exit, stderr, unattended};
use crate::declarations::reading::Declarations;
use crate::job::outcome::Outcome;
use crate::ledger::Ledger;
use crate::runner::stopped::SERVE;
use crate::worker::{self, Drained, Hangup, ServeError, Settings, Signals};
use clap::Args;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

/// Run jobs by their schedules, with /healthz, /readyz and a status page
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where the pages are; else `listen` of the configuration, else 127.0.0.1:9464
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

impl Serve {
    pub(crate) async fn run(self, globals: &Globals) -> Ended {
        // First of all: a signal that comes while stores are opened is heard too.
        let signals = Signals::listen(Hangup::Reloads)
            .map_err(|error| Exit::of(Outcome::Temporary, &format!("cannot install signal handlers: {error}")))?;
        let (declarations, ledger) = match opened(&globals.config).await {
            Ok(opened) => opened,
            Err(end) => {
                if !is_watched() {
                    unattended::tell(&globals.config, SERVE, Some(&unattended::of_end(&end))).await;
                }
                return Err(end);
            }
        };
        let Some(_only) = ledger.serve_lock().map_err(|error| no_ledger(&error))? else { return Err(not_the_only_one(&ledger)) };
        if !is_watched() {
            unattended::tell(&globals.config, SERVE, None).await;
        }
        let entries = entries(&declarations);
        let by_hand = declarations.jobs.len() - entries.len();
        if entries.is_empty() {
            tracing::warn!(by_hand, "no job has a schedule: nothing will run until one has and this is reloaded (SIGHUP)");
        }
        let settings = Settings::new(self.listen.unwrap_or(declarations.config.listen));
        let settings = Settings { hosts: declarations.config.hosts.clone(), ..settings };
        let jobs = JobSource::new(globals.config.clone(), ledger.clone(), &declarations);
        let drained = worker::serve(entries, Arc::new(jobs), settings, signals).await.map_err(|error| not_served(&error))?;
        ledger.close().await;
        Ok(ended(&drained))
    }
}

async fn opened(config: &Path) -> Result<(Declarations, Ledger), Exit> {
    let declarations = declared(config).await?;
    let ledger = ledger(&declarations.config).await?;
    Ok((declarations, ledger))
}

/// Whether somebody sits in front of it, who reads how it ended.
fn is_watched() -> bool {
    std::io::stdin().is_terminal() || std::io::stderr().is_terminal()
}

fn not_the_only_one(ledger: &Ledger) -> Exit {
    let text = format!("another `steward serve` works by the ledger `{}`; no job was started", ledger.path().display());
    let help = "stop that one first (`fuser` on `.serve.lock` in the ledger's `.locks` folder tells its process), or give this one a ledger and a state folder of its own";
    Exit::of(Outcome::Temporary, &text).with_help(help)
}

/// What is declared. A policy table that is away stops no start: each run reads it again, and is tried again when it cannot.
async fn declared(config: &Path) -> Result<Declarations, Exit> {
    match App::look(config).await {
        Ok(read) => print_diagnosis(Ok(read)).map(|app| app.declarations),
        Err(Closed::Wrong(diagnosis)) => {
            stderr::diagnosis(&diagnosis);
            Err(Exit::of(Outcome::Invalid, &unattended::in_a_line(&diagnosis)))
        }
        Err(Closed::Away(end)) if end.code() == Outcome::Temporary.exit() => {
            tracing::warn!("{}", end.why());
            App::read(config)
        }
        Err(Closed::Away(end)) => Err(end),
    }
}

fn not_served(error: &ServeError) -> Exit {
    let outcome = match error {
        ServeError::Busy { .. } => Outcome::Temporary,
        ServeError::Listen { .. } => Outcome::Invalid,
        ServeError::Scheduler(_) => Outcome::Partial,
    };
    Exit::of(outcome, &error.to_string()).with_help(&error.help().unwrap_or_default())
}

fn ended(drained: &Drained) -> Exit {
    if drained.dropped.is_empty() {
        return Exit::of(Outcome::Done, "stopped; every run had reached the edge of a batch");
    }
    let dropped = drained.dropped.iter().map(|job| format!("`{job}`")).collect::<Vec<_>>().join(", ");
    let text = format!("stopped at once by a second signal; the next run of {dropped} settles the batch that was open");
    Exit::of(Outcome::Temporary, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_that_was_cut_short_is_temporary_and_names_its_jobs() {
        assert_eq!(ended(&Drained { dropped: vec![] }).code(), 0);
        let cut = ended(&Drained { dropped: vec!["a".into(), "b".into()] });
        assert!(cut.code() == 75 && cut.why().contains("`a`, `b`"), "{cut:?}");
    }
}
