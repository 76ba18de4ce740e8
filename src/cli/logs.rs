//! Logs, on stderr: text on a terminal, JSON lines elsewhere where a machine collects them.

use clap::ValueEnum;
use std::io::{IsTerminal, stderr};
use tracing_subscriber::EnvFilter;

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text.
    Auto,
    /// Text.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged when `STEWARD_LOG` does not say otherwise: our own news, and of the drivers only what is wrong.
const DEFAULT: &str = "warn,steward=info,tokio_cron_scheduler=warn,sqlx=error";

/// Starts logging. A filter that cannot be read is told and the default is used.
pub(crate) fn start(format: Format) {
    let wanted = std::env::var("STEWARD_LOG").unwrap_or_else(|_| DEFAULT.to_owned());
    let (filter, wrong) = match EnvFilter::try_new(&wanted) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(DEFAULT), Some(error)),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .with_target(false);
    let started = match format {
        Format::Json => builder.json().flatten_event(true).try_init(),
        Format::Auto | Format::Text => builder.compact().try_init(),
    };
    if let Some(error) = wrong {
        tracing::warn!("STEWARD_LOG cannot be read, the default is used: {error}");
    }
    if started.is_err() {
        anstream::eprintln!("logging was started twice");
    }
}
