//! The holds in force: those of the files, those of the ledger, and those that vanished from a file.

use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::hold::{FileHold, LedgerHold, Origin};
use crate::policy::hold::{Hold, HoldOrigin};
use chrono::{DateTime, Utc};

/// Why the holds in force are not known; nothing may be touched then.
#[derive(Debug, thiserror::Error)]
pub enum HoldsError {
    /// The ledger does not tell.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A hold of the ledger names no dataset that can be read.
    #[error("hold `{name}` in the ledger is on `{dataset}`, which is no dataset; nothing was touched")]
    Unreadable {
        /// The hold.
        name: String,
        /// What it names.
        dataset: String,
    },
}

/// Learns the file's holds and gives all that are in force.
pub async fn learn(ledger: &Ledger, files: &[Hold], now: DateTime<Utc>) -> Result<Vec<Hold>, HoldsError> {
    let remembered = ledger.see_file_holds(&file_holds(files), now).await?;
    all(files, remembered, ledger.holds().await?)
}

/// The same without writing anything; with no ledger yet, the files' holds are all there are.
pub async fn look(ledger: Option<&Ledger>, files: &[Hold]) -> Result<Vec<Hold>, HoldsError> {
    match ledger {
        None => Ok(files.to_vec()),
        Some(ledger) => all(files, ledger.remembered_holds(&file_holds(files)).await?, ledger.holds().await?),
    }
}

/// The same while a run is under way, and the newest event of the ledger when they were read: an intent that names it is refused
/// once another hold has come. The event is read first, so what it does not cover is never taken for covered.
pub async fn look_again(ledger: &Ledger, files: &[Hold]) -> Result<(Vec<Hold>, i64), HoldsError> {
    let newest = ledger.head().await?.map_or(0, |head| head.seq);
    Ok((look(Some(ledger), files).await?, newest))
}

fn all(files: &[Hold], remembered: Vec<LedgerHold>, known: Vec<LedgerHold>) -> Result<Vec<Hold>, HoldsError> {
    let commands = known.into_iter().filter(|hold| hold.in_force() && hold.origin == Origin::Command);
    let commands = commands.map(|hold| as_hold(hold, HoldOrigin::Command));
    let remembered = remembered.into_iter().map(|hold| as_hold(hold, HoldOrigin::Remembered));
    files.iter().cloned().map(Ok).chain(commands).chain(remembered).collect()
}

/// The holds of files as the ledger knows them.
pub fn file_holds(files: &[Hold]) -> Vec<FileHold> {
    let file = |hold: &Hold| FileHold {
        name: hold.name.clone(),
        dataset: hold.dataset.to_string(),
        condition: hold.r#where.clone(),
        because: hold.because.clone(),
        owner: hold.owner.clone(),
        place: match &hold.origin {
            HoldOrigin::File(place) => place.to_string(),
            HoldOrigin::Command | HoldOrigin::Remembered => String::new(),
        },
    };
    files.iter().map(file).collect()
}

fn as_hold(hold: LedgerHold, origin: HoldOrigin) -> Result<Hold, HoldsError> {
    let Ok(dataset) = hold.dataset.parse() else {
        return Err(HoldsError::Unreadable { name: hold.name, dataset: hold.dataset });
    };
    Ok(Hold { name: hold.name, dataset, r#where: hold.condition, because: hold.because, owner: hold.owner, origin })
}
