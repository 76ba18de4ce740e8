//! Why a ledger refuses. Whoever meets one of these does nothing else: no evidence, no change.

use super::chain::LinkError;
use std::path::{Path, PathBuf};

/// A ledger that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another process writes, and has for longer than we wait.
    #[error("ledger `{path}` is busy: another process has been writing to it for too long; nothing was recorded")]
    Busy {
        /// The ledger.
        path: PathBuf,
    },
    /// The file, its folder or its disk does not take what we write.
    #[error("ledger `{path}` cannot be written: {why}; nothing was recorded")]
    Unwritable {
        /// The ledger.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// There is none yet, and its place takes none: it is a wrong place, not a bad day.
    #[error("ledger `{path}` cannot be made there: {why}; nothing was recorded")]
    Misplaced {
        /// The ledger.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The file is there and cannot be opened.
    #[error("ledger `{path}` cannot be read: {why}")]
    Unreadable {
        /// The ledger.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The file was moved, removed or replaced while it was open: what is written would go to a file nobody sees.
    #[error("ledger `{path}` is no longer the file that was opened; nothing was recorded")]
    Gone {
        /// The ledger.
        path: PathBuf,
    },
    /// Some other file, or the first page of a ledger is lost.
    #[error("`{path}` is not a ledger: its first bytes are not those of a SQLite database; nothing was changed in it")]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// A database, and somebody else's.
    #[error("`{path}` is not a ledger: it is a SQLite database with tables of its own; nothing was changed in it")]
    NotALedger {
        /// The file.
        path: PathBuf,
    },
    /// A page of the file does not hold what it should.
    #[error("ledger `{path}` is damaged: {why}; nothing was recorded")]
    Damaged {
        /// The ledger.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// A later steward has changed its tables.
    #[error("ledger `{path}` was written by a newer steward: this one does not know its change {version}; nothing was recorded")]
    Newer {
        /// The ledger.
        path: PathBuf,
        /// The migration we do not know.
        version: i64,
    },
    /// An earlier steward wrote it, and it is open for reading only.
    #[error("ledger `{path}` was written by an older steward: it lacks change {version}")]
    Older {
        /// The ledger.
        path: PathBuf,
        /// The migration it lacks.
        version: i64,
    },
    /// It was opened for reading.
    #[error("ledger `{path}` is open for reading only; nothing was recorded")]
    ReadOnly {
        /// The ledger.
        path: PathBuf,
    },
    /// The run's lease is another run's now.
    #[error("run `{run}` no longer holds the lock of job `{job}` in ledger `{path}`; nothing was recorded")]
    LeaseLost {
        /// The ledger.
        path: PathBuf,
        /// The job.
        job: String,
        /// The run that lost it.
        run: String,
    },
    /// The chain is broken, or what stands beside it is not what its events say.
    #[error("the evidence in ledger `{path}` is broken: {place}; nothing was touched")]
    Broken {
        /// The ledger.
        path: PathBuf,
        /// The first place.
        place: String,
    },
    /// An intent that was made under other holds than those in force. The holds are to be read again, and the rows after them.
    #[error("a hold was added or released in ledger `{path}` since the holds were read; the batch was not begun")]
    HoldsChanged {
        /// The ledger.
        path: PathBuf,
    },
    /// The beginning or end of an id that fits several runs.
    #[error("`{part}` names {count} runs in ledger `{path}`")]
    Ambiguous {
        /// The ledger.
        path: PathBuf,
        /// What was asked for.
        part: String,
        /// How many fit.
        count: usize,
    },
    /// A run that never began, or that has ended already.
    #[error("run `{run}` is not under way in ledger `{path}`; nothing was recorded")]
    NoSuchRun {
        /// The ledger.
        path: PathBuf,
        /// The run.
        run: String,
    },
    /// `hold release` of a hold that is not in force.
    #[error("no hold `{name}` is in force in ledger `{path}`; nothing was released")]
    NoSuchHold {
        /// The ledger.
        path: PathBuf,
        /// The hold.
        name: String,
    },
    /// `hold add` of a hold that is in force.
    #[error("hold `{name}` is in force already in ledger `{path}`; nothing was added")]
    HoldInForce {
        /// The ledger.
        path: PathBuf,
        /// The hold.
        name: String,
    },
    /// An event that cannot be written down.
    #[error("ledger `{path}`: {source}")]
    Event {
        /// The ledger.
        path: PathBuf,
        /// Why.
        source: LinkError,
    },
    /// A stored value that is not what this steward writes.
    #[error("ledger `{path}` holds a {what} that cannot be read: `{text}`")]
    Garbled {
        /// The ledger.
        path: PathBuf,
        /// Time, mode, outcome, report, …
        what: &'static str,
        /// As stored.
        text: String,
    },
    /// Anything else the database said.
    #[error("ledger `{path}` refused: {why}; nothing was recorded")]
    Refused {
        /// The ledger.
        path: PathBuf,
        /// What it said.
        why: String,
    },
}

impl LedgerError {
    /// Whether trying again later can help by itself: exit 75.
    pub const fn is_busy(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }

    /// Whether it is declared at a place that takes none: exit 78.
    pub const fn is_misplaced(&self) -> bool {
        matches!(self, Self::Misplaced { .. })
    }

    /// Whether the ledger takes no evidence until a person has seen to it.
    pub const fn is_unwritable(&self) -> bool {
        use LedgerError::{Broken, Damaged, Gone, Misplaced, Newer, NotADatabase, NotALedger, ReadOnly, Refused, Unwritable};
        matches!(
            self,
            Unwritable { .. }
                | Misplaced { .. }
                | Gone { .. }
                | NotADatabase { .. }
                | NotALedger { .. }
                | Damaged { .. }
                | Broken { .. }
                | Newer { .. }
                | ReadOnly { .. }
                | Refused { .. }
        )
    }

    /// Whether the run lost its lease: it stops before its next batch.
    pub const fn is_lease_lost(&self) -> bool {
        matches!(self, Self::LeaseLost { .. })
    }

    /// The ledger, as it was named to us.
    pub fn path(&self) -> &Path {
        match self {
            Self::Busy { path }
            | Self::Unwritable { path, .. }
            | Self::Misplaced { path, .. }
            | Self::Unreadable { path, .. }
            | Self::Gone { path }
            | Self::NotADatabase { path }
            | Self::NotALedger { path }
            | Self::Damaged { path, .. }
            | Self::Newer { path, .. }
            | Self::Older { path, .. }
            | Self::ReadOnly { path }
            | Self::LeaseLost { path, .. }
            | Self::HoldsChanged { path }
            | Self::Broken { path, .. }
            | Self::Ambiguous { path, .. }
            | Self::NoSuchRun { path, .. }
            | Self::NoSuchHold { path, .. }
            | Self::HoldInForce { path, .. }
            | Self::Event { path, .. }
            | Self::Garbled { path, .. }
            | Self::Refused { path, .. } => path,
        }
    }

    /// The way out, for the second line.
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "it is tried again with the next run; `fuser` on the file shows who writes",
            Self::Unwritable { .. } => {
                "the user that runs steward needs to write the file and its folder, and the disk needs room"
            }
            Self::Misplaced { .. } => {
                "let `state` (or `ledger`) in steward.yaml name a folder that the user who runs steward may write, such as a mounted volume"
            }
            Self::Unreadable { .. } => "the user that runs steward needs to read the file and its folder",
            Self::Gone { .. } => "put the file back where it was and start again; a copy goes on only from where it was taken",
            Self::NotADatabase { .. } | Self::NotALedger { .. } => {
                "`ledger:` in steward.yaml names it: name another file, or move this one aside and restore the ledger from a backup"
            }
            Self::Damaged { .. } => {
                "keep the file; restore the ledger from a backup, then `steward audit verify --head HASH` with the head of the last mail"
            }
            Self::Newer { .. } => "use the steward that wrote it, or a newer one",
            Self::Older { .. } => "the next `run-job` brings it up to date",
            Self::ReadOnly { .. } => "open it for writing",
            Self::LeaseLost { .. } => "another run of the job has it; this one stops, and the next goes on from where it was",
            Self::Broken { .. } => {
                "`steward audit verify` names every place; take out what was put there, or restore the ledger from a backup"
            }
            Self::HoldsChanged { .. } => "the batch is made anew under the holds in force",
            Self::Ambiguous { .. } => "give more of the id: `steward runs` lists them",
            Self::NoSuchRun { .. } => "`steward runs` lists them",
            Self::NoSuchHold { .. } | Self::HoldInForce { .. } => "`steward hold list` shows those in force",
            Self::Event { .. } | Self::Garbled { .. } | Self::Refused { .. } => {
                "`steward audit verify` tells whether the ledger is whole"
            }
        }
    }
}
