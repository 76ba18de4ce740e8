//! SIGTERM and SIGINT: the first drains, the second stops at once. SIGHUP reloads a worker, and ends a single run at its batch edge.

use std::io;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// What the signals ask for. Without [`Signals::listen`] nobody but the holder cancels these.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    /// Take nothing new, end what runs at its next batch edge.
    pub stop: CancellationToken,
    /// Do not wait any longer.
    pub at_once: CancellationToken,
    /// Read again what is declared.
    pub reload: Arc<Notify>,
}

/// What SIGHUP asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hangup {
    /// The terminal is gone: stop as on SIGTERM. Never at once, since a shell sends it a second time to what it started.
    Stops,
    /// Read again what is declared.
    Reloads,
}

impl Signals {
    /// Listens from here on. The process then no longer dies of these signals by itself.
    ///
    /// # Errors
    /// When the system refuses the handlers.
    pub fn listen(hangup: Hangup) -> io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let hung_up = (hangup == Hangup::Reloads || !hangup_is_ignored()).then(|| signal(SignalKind::hangup())).transpose()?;
        let signals = Self::default();
        let heard = signals.clone();
        tokio::spawn(async move {
            for wish in [&heard.stop, &heard.at_once] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                wish.cancel();
            }
        });
        if let Some(hung_up) = hung_up {
            tokio::spawn(hear(hung_up, hangup, signals.clone()));
        }
        Ok(signals)
    }
}

async fn hear(mut hung_up: Signal, hangup: Hangup, signals: Signals) {
    while hung_up.recv().await.is_some() {
        match hangup {
            Hangup::Stops => signals.stop.cancel(),
            Hangup::Reloads => signals.reload.notify_one(),
        }
    }
}

/// Whether whoever started us had SIGHUP ignored, as `nohup` does: then it stays so.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
