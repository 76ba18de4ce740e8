//! Holds as the ledger keeps them: those of `hold add`, and a memory of those seen in files.

use super::chain::sha256;
use super::event::Event;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A hold that `hold add` puts down.
#[derive(Debug, Clone, PartialEq)]
pub struct NewHold {
    /// The hold's name.
    pub name: String,
    /// The rows' dataset.
    pub dataset: String,
    /// Which rows; all of them when absent.
    pub condition: Option<String>,
    /// Why.
    pub because: String,
    /// Who asked for it.
    pub owner: Option<String>,
    /// Who typed it.
    pub by: String,
}

/// A hold as it stands in a policy file now.
#[derive(Debug, Clone, PartialEq)]
pub struct FileHold {
    /// The hold's name.
    pub name: String,
    /// The rows' dataset.
    pub dataset: String,
    /// Which rows; all of them when absent.
    pub condition: Option<String>,
    /// Why.
    pub because: String,
    /// Who asked for it.
    pub owner: Option<String>,
    /// `policies/legal.yaml:7:5`.
    pub place: String,
}

/// A hold the ledger knows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LedgerHold {
    /// What makes it this hold: origin, name, dataset and condition. A condition edited in a file is another hold, and the one
    /// before it stays in force: else narrowing a file would release rows without `hold release`.
    pub id: String,
    /// Its event's place in the chain.
    pub seq: i64,
    /// The hold's name.
    pub name: String,
    /// The rows' dataset.
    pub dataset: String,
    /// Which rows; all of them when absent.
    pub condition: Option<String>,
    /// Why.
    pub because: String,
    /// Who asked for it.
    pub owner: Option<String>,
    /// Where it came from.
    pub origin: Origin,
    /// Who typed it, or where it stood in a file.
    pub noted: Option<String>,
    /// Since when the ledger knows it in these words.
    pub since: DateTime<Utc>,
    /// Who ended it, when and why; none while it is in force.
    pub released: Option<Release>,
}

/// Where a hold came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// `hold add`.
    Command,
    /// A policy file.
    File,
}

/// The end of a hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Release {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
}

impl Origin {
    /// The word that is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::File => "file",
        }
    }

    /// Reads the stored word.
    pub fn read(word: &str) -> Option<Self> {
        [Self::Command, Self::File].into_iter().find(|origin| origin.word() == word)
    }
}

impl LedgerHold {
    /// The hold that its event says; none for any other event.
    pub fn of(event: &Event, seq: i64, at: DateTime<Utc>) -> Option<Self> {
        let (name, dataset, condition, because, owner, noted, origin) = match event {
            Event::HoldAdded { name, dataset, condition, because, owner, by } => {
                (name, dataset, condition, because, owner, by, Origin::Command)
            }
            Event::HoldSeen { name, dataset, condition, because, owner, place } => {
                (name, dataset, condition, because, owner, place, Origin::File)
            }
            _ => return None,
        };
        Some(Self {
            id: identity(origin, name, dataset, condition.as_deref()),
            seq,
            name: name.clone(),
            dataset: dataset.clone(),
            condition: condition.clone(),
            because: because.clone(),
            owner: owner.clone(),
            origin,
            noted: Some(noted.clone()),
            since: at,
            released: None,
        })
    }

    /// Whether it is in force.
    pub fn in_force(&self) -> bool {
        self.released.is_none()
    }

    /// Whether the file's hold is this one: same name, same rows.
    fn is(&self, file: &FileHold) -> bool {
        self.id == identity(Origin::File, &file.name, &file.dataset, file.condition.as_deref())
    }

    /// Whether it also tells the same reason and owner. A hold that only moved to another line says nothing new.
    fn tells(&self, file: &FileHold) -> bool {
        self.is(file) && self.because == file.because && self.owner == file.owner
    }
}

/// What the ledger has yet to learn from the files: holds it does not have in force, or in other words.
pub fn unseen(known: &[LedgerHold], files: &[FileHold]) -> Vec<Event> {
    let new = |file: &&FileHold| !known.iter().any(|hold| hold.in_force() && hold.tells(file));
    files.iter().filter(new).map(FileHold::seen).collect()
}

/// The holds once seen in a file and in none now: in force all the same, until `hold release`.
pub fn remembered(known: &[LedgerHold], files: &[FileHold]) -> Vec<LedgerHold> {
    let gone = |hold: &&LedgerHold| hold.origin == Origin::File && hold.in_force() && !files.iter().any(|file| hold.is(file));
    known.iter().filter(gone).cloned().collect()
}

impl FileHold {
    fn seen(&self) -> Event {
        let Self { name, dataset, condition, because, owner, place } = self.clone();
        Event::HoldSeen { name, dataset, condition, because, owner, place }
    }
}

/// The identity of a hold, over JSON so that no two differ only in where one part ends.
fn identity(origin: Origin, name: &str, dataset: &str, condition: Option<&str>) -> String {
    sha256(serde_json::json!([origin.word(), name, dataset, condition]).to_string().as_bytes())
}
