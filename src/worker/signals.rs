//! SIGTERM and SIGINT: the first drains, the second stops at once.

use std::io;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What the signals ask for. Without [`Signals::listen`] nobody but the holder cancels these.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    /// Take nothing new, end what runs at its next batch edge.
    pub stop: CancellationToken,
    /// Do not wait any longer.
    pub at_once: CancellationToken,
}

impl Signals {
    /// Listens from here on. The process then no longer dies of these signals by itself.
    ///
    /// # Errors
    /// When the system refuses the handlers.
    pub fn listen() -> io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
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
        Ok(signals)
    }
}
