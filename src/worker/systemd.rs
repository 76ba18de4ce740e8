//! What systemd is told: ready, stopping, and that the clock still ticks. Nothing happens without systemd.

use sd_notify::NotifyState;
use std::future::pending;
use std::time::Duration;

/// The listener is bound and the jobs are loaded.
pub fn ready(jobs: usize) {
    tell(&[NotifyState::Ready, NotifyState::Status(&format!("{jobs} jobs on the clock"))]);
}

/// What is declared is read again; [`ready`] or [`not_reloaded`] ends it.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "systemd was not told"),
    }
}

/// What is declared cannot be used; everything goes on as before.
pub fn not_reloaded(reason: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(&format!("not reloaded: {}", reason.replace(char::is_control, " ")))]);
}

/// Nothing new is taken; runs end at their batch edge.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("waiting for running jobs to reach a batch edge")]);
}

/// Tells that we live, at half the interval that `WATCHDOG_USEC` asks for, while `alive` holds. Never returns.
pub async fn watchdog(alive: impl Fn() -> bool) {
    let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero()) else { return pending().await };
    let mut beat = tokio::time::interval((limit / 2).max(Duration::from_millis(1)));
    loop {
        beat.tick().await;
        if alive() {
            tell(&[NotifyState::Watchdog]);
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd was not told");
    }
}
