//! Who started a run, from where, with which build: evidence that names a person or a service.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Who started a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartedBy {
    /// `li (uid 1000)`, behind sudo also for whom. The uid is the system's word, names are hints.
    pub actor: String,
    /// From where.
    pub origin: Origin,
    /// The machine.
    pub host: String,
    /// The build of steward.
    pub version: String,
}

/// From where a run was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// A command on a terminal, or one that shows none of the signs below.
    #[serde(rename = "by hand")]
    ByHand,
    /// The schedule of `steward serve`.
    #[serde(rename = "serve")]
    Serve,
    /// A pod of Kubernetes, without a terminal: a CronJob.
    #[serde(rename = "cronjob")]
    CronJob,
    /// A unit of systemd, without a terminal.
    #[serde(rename = "systemd")]
    Systemd,
    /// A line of a crontab.
    #[serde(rename = "cron")]
    Cron,
}

impl Origin {
    /// In words.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ByHand => "by hand",
            Self::Serve => "serve",
            Self::CronJob => "cronjob",
            Self::Systemd => "systemd",
            Self::Cron => "cron",
        }
    }
}

impl fmt::Display for StartedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.origin {
            Origin::ByHand => "by hand",
            Origin::Serve => "by `serve`",
            Origin::CronJob => "by a CronJob",
            Origin::Systemd => "by systemd",
            Origin::Cron => "by cron",
        };
        write!(f, "{by}, as {} on {}, steward {}", self.actor, self.host, self.version)
    }
}
