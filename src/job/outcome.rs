//! How a run ended: the outcome decides exit code, mail subject and log level, and nothing else does.

use serde::{Deserialize, Serialize};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Done; warnings allowed.
    Done,
    /// Done, with findings: a check failed, the evidence chain is broken.
    Findings,
    /// Some steps failed or met a conflict, the others are done.
    Partial,
    /// Refused by a guard, a hold that cannot be evaluated, a stale plan: a person decides.
    Refused,
    /// Done, but the report could not be delivered; it is spooled and sent next time.
    Undelivered,
    /// `plan --exit-code`: there is something to do.
    Due,
    /// Nothing done, and every reason is temporary; or stopped by a signal at a batch edge.
    Temporary,
    /// Configuration or policy invalid.
    Invalid,
}

impl Outcome {
    /// The exit code, fixed in the reference: scripts branch on it.
    pub const fn exit(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Findings => 1,
            Self::Partial => 3,
            Self::Refused => 4,
            Self::Undelivered => 5,
            Self::Due => 6,
            Self::Temporary => 75,
            Self::Invalid => 78,
        }
    }

    /// The word people read in mails, logs and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Findings => "findings",
            Self::Partial => "partial",
            Self::Refused => "refused",
            Self::Undelivered => "undelivered",
            Self::Due => "due",
            Self::Temporary => "temporary",
            Self::Invalid => "invalid",
        }
    }

    /// The one that counts when several apply: 78, then 75, 3, 4, 1, 5, 6, 0.
    ///
    /// A temporary step beside steps that were done is a partial run: whoever adds up steps
    /// says so before asking here (`Steps::outcome` in the runner).
    pub fn worse(self, other: Self) -> Self {
        let rank = |outcome: Self| match outcome {
            Self::Invalid => 0,
            Self::Temporary => 1,
            Self::Partial => 2,
            Self::Refused => 3,
            Self::Findings => 4,
            Self::Undelivered => 5,
            Self::Due => 6,
            Self::Done => 7,
        };
        if rank(self) <= rank(other) { self } else { other }
    }
}
