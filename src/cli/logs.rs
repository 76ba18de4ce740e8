//! Logs, on stderr: text on a terminal, JSON lines elsewhere where a machine collects them.

use super::stderr;
use clap::ValueEnum;
use std::io::IsTerminal;
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

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

/// What drivers log may be a statement, a server's notice or its error, and any of them may quote a value. So whatever
/// `STEWARD_LOG` asks for, of theirs only errors pass; what went wrong is told by us, without values.
fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let of_driver =
        ["sqlx", "neo4rs", "redis"].iter().any(|driver| target.split("::").next().is_some_and(|first| first.starts_with(driver)));
    !of_driver || *metadata.level() == Level::ERROR && !target.contains("notice")
}

/// Starts logging. A filter that cannot be read is told and the default is used.
pub(crate) fn start(format: Format) {
    stderr::begin(format == Format::Json);
    if format == Format::Json {
        std::panic::set_hook(Box::new(|panic| stderr::line(Level::ERROR, &panic.to_string().replace('\n', ": "))));
    }
    let wanted = std::env::var("STEWARD_LOG").unwrap_or_else(|_| DEFAULT.to_owned());
    let (filter, wrong) = match EnvFilter::try_new(&wanted) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(DEFAULT), Some(error)),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr::Lines)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    let started = match format {
        Format::Json => builder.json().flatten_event(true).finish().with(filter_fn(may_be_logged)).try_init(),
        Format::Auto | Format::Text => builder.compact().finish().with(filter_fn(may_be_logged)).try_init(),
    };
    if let Some(error) = wrong {
        tracing::warn!("STEWARD_LOG cannot be read, the default is used: {error}");
    }
    if started.is_err() {
        stderr::line(Level::WARN, "logging was started twice");
    }
}

/// Whether what was typed asks for JSON, where it could not be understood as a whole.
pub(crate) fn asks_for_json() -> bool {
    let words: Vec<_> = std::env::args_os().collect();
    words.windows(2).any(|pair| pair[0] == "--log" && pair[1] == "json") || words.iter().any(|word| word == "--log=json")
}
