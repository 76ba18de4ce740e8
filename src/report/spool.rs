//! Mails that could not be handed over, kept in `state/spool/` until a later run sends them.
//!
//! A mail is two files: `<stem>.eml`, and `<stem>.json` with sender and receivers. The second one
//! is written last and removed first: without it there is no mail.

use super::smtp::{Envelope, Post, SendError, Without};
use super::write::appear;
use crate::file_owner;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// A run spends at most this long on the mails of others.
const FLUSH: Duration = Duration::from_secs(60);

/// What became of kept mails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flushed {
    /// Sent now.
    pub sent: u64,
    /// Still waiting.
    pub waiting: u64,
    /// Refused by the server for good, each with its reason; they lie in `spool/refused/` and are not sent again.
    pub refused: Vec<String>,
    /// Why the rest waits, when the way itself is closed.
    pub stopped: Option<SendError>,
}

/// Keeps a mail. If we die in between, an `.eml` lies alone and is not sent.
pub fn keep(spool: &Path, stem: &str, envelope: &Envelope, bytes: &[u8]) -> io::Result<()> {
    file_owner::create_dir_all(spool)?;
    appear(&spool.join(format!("{stem}.eml")), bytes)?;
    appear(&spool.join(format!("{stem}.json")), &serde_json::to_vec(envelope)?)
}

/// Nothing sent: the way out could not even be opened.
pub(super) fn waiting(spool: &Path, error: SendError) -> Flushed {
    let waiting = envelopes(spool).len() as u64;
    Flushed { waiting, stopped: Some(error), ..Flushed::default() }
}

/// Sends kept mails, oldest first. Another process that is at it already is left to it.
pub(super) async fn flush(post: &Post, spool: &Path) -> Flushed {
    let mut flushed = Flushed::default();
    let kept = envelopes(spool);
    let Some(_lock) = lock(spool).filter(|_| !kept.is_empty()) else {
        return Flushed { waiting: kept.len() as u64, ..flushed };
    };
    let began = Instant::now();
    // Read again: whoever held the lock before may have sent some.
    let mut kept = envelopes(spool).into_iter();
    for envelope in kept.by_ref() {
        match send(post, spool, &envelope).await {
            Ok(left) => {
                flushed.sent += 1;
                flushed.waiting += u64::from(envelope.exists());
                flushed.refused.extend(left);
            }
            Err(SendError::Refused(why)) => flushed.refused.push(set_aside(spool, &envelope, &why)),
            Err(SendError::Deferred(_)) => flushed.waiting += 1,
            Err(error) => {
                flushed.waiting += 1;
                flushed.stopped = Some(error);
                break;
            }
        }
        if began.elapsed() > FLUSH {
            break;
        }
    }
    flushed.waiting += kept.count() as u64;
    flushed
}

/// Sends one kept mail and forgets it, or keeps it for those who did not get it yet. Gives what is to be told of receivers that the
/// server refuses. If we die in between, it is sent again with the same id.
async fn send(post: &Post, spool: &Path, envelope: &Path) -> Result<Vec<String>, SendError> {
    let mail = envelope.with_extension("eml");
    let damaged = |cause: &dyn std::fmt::Display| {
        SendError::Refused(format!("the kept mail `{}` cannot be read: {cause}", envelope.display()))
    };
    let bytes = fs::read(&mail).map_err(|cause| damaged(&cause))?;
    let receivers = fs::read(envelope).map_err(|cause| damaged(&cause))?;
    let receivers: Envelope = serde_json::from_slice(&receivers).map_err(|cause| damaged(&cause))?;
    let stem = envelope.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let without = post.send(&stem, &receivers, &bytes).await?;
    let stays =
        |cause: io::Error| SendError::Setup(format!("the mail `{}` was sent and cannot be forgotten: {cause}", mail.display()));
    let (refused, later): (Vec<_>, Vec<_>) = without.into_iter().partition(|one| matches!(one.why, SendError::Refused(_)));
    let only =
        |these: &[Without]| Envelope { from: receivers.from.clone(), to: these.iter().map(|one| one.receiver.clone()).collect() };
    let mut told = vec![];
    if !refused.is_empty() {
        let aside = spool.join("refused");
        keep(&aside, &stem, &only(&refused), &bytes).map_err(stays)?;
        told.push(not_sent_again(&why(&refused), &aside.join(format!("{stem}.eml"))));
    }
    let forgotten = || fs::remove_file(envelope).and_then(|()| fs::remove_file(&mail));
    let rest = if later.is_empty() { forgotten() } else { keep(spool, &stem, &only(&later), &bytes) };
    rest.map(|()| told).map_err(stays)
}

fn not_sent_again(why: &str, mail: &Path) -> String {
    format!("{why}; the mail lies in `{}` and is not sent again", mail.display())
}

/// Why receivers are without a mail, in one line.
pub(super) fn why(without: &[Without]) -> String {
    without.iter().map(|one| one.why.to_string()).collect::<Vec<_>>().join("; ")
}

/// Mails that wait, and mails that a server refused for good.
pub fn count(spool: &Path) -> (u64, u64) {
    (envelopes(spool).len() as u64, envelopes(&spool.join("refused")).len() as u64)
}

/// Moves a mail nobody will take to `refused/`, and says so.
fn set_aside(spool: &Path, envelope: &Path, why: &str) -> String {
    let refused = spool.join("refused");
    let moved = file_owner::create_dir_all(&refused).and_then(|()| {
        [envelope.to_owned(), envelope.with_extension("eml")].iter().filter(|path| path.exists()).try_for_each(|path| {
            let name = path.file_name().ok_or_else(|| io::Error::other("a file needs a name"))?;
            fs::rename(path, refused.join(name))
        })
    });
    let place = refused.join(envelope.with_extension("eml").file_name().unwrap_or_default());
    match moved {
        Ok(()) => not_sent_again(why, &place),
        Err(cause) => format!("{why}; the mail was not moved to `{}`: {cause}", place.display()),
    }
}

/// The kept mails' envelopes, oldest first: their names begin with the time.
fn envelopes(spool: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(spool).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut envelopes: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    envelopes.sort();
    envelopes
}

/// The right to send kept mails, gone with the process.
fn lock(spool: &Path) -> Option<File> {
    let file = file_owner::open(&spool.join(".lock")).ok()?;
    match file.try_lock() {
        Ok(()) => Some(file),
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => None,
    }
}
