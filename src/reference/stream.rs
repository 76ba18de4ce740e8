//! Ids on their way from a store, a few pages ahead of whoever compares them and no more.

use super::external_sort::Sorter;
use super::order::Key;
use super::page::IdPage;
use crate::diagnostic::codes;
use crate::store::error::StoreFailure;
use crate::store::sql::schema::id_column::IdKind;
use std::io;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

/// Pages in order of `reference::order`, the last of all a failure when there was one.
pub type IdStream = Receiver<Result<IdPage, StoreFailure>>;

/// Where a walk puts its pages.
pub type IdSink = Sender<Result<IdPage, StoreFailure>>;

/// Pages that wait to be taken.
const AHEAD: usize = 2;

/// A stream and its other end.
pub(crate) fn pair() -> (IdSink, IdStream) {
    channel(AHEAD)
}

/// Writes ids as keys, in letters of one case where that is what either side's type asks for.
#[derive(Debug, Clone, Copy)]
pub struct Keyed {
    fold: Option<IdKind>,
}

impl Keyed {
    /// For two sides of these kinds: UUIDs and bytes are the same in letters of either case.
    pub fn between(one: IdKind, other: IdKind) -> Self {
        Self { fold: [one, other].into_iter().find(|kind| kind.folds()) }
    }

    /// True when letters of either case are the same.
    pub const fn folds(self) -> bool {
        self.fold.is_some()
    }

    /// The key of an id, written to `out` where it is no number.
    pub fn key<'k>(self, id: &[u8], out: &'k mut Vec<u8>) -> Key<'k> {
        let folded = self.fold.and_then(|kind| kind.fitting(std::str::from_utf8(id).ok()?));
        Key::of(folded.as_ref().map_or(id, |id| id.as_bytes()), out)
    }
}

/// Sorts what comes in any order, in a bounded part of memory and else on disk. Stops when nobody listens any more.
pub(crate) fn sorted(mut from: IdStream, tasks: &mut JoinSet<()>) -> IdStream {
    let (sink, stream) = pair();
    tasks.spawn_blocking(move || {
        let mut sorter = Sorter::new();
        while let Some(page) = from.blocking_recv() {
            let taken = page.and_then(|page| page.iter().try_for_each(|key| sorter.push(key)).map_err(|error| no_room(&error)));
            if let Err(failure) = taken {
                // Nobody listens: nothing is lost.
                let _ = sink.blocking_send(Err(failure));
                return;
            }
        }
        if let Err(error) = give(sorter, &sink) {
            let _ = sink.blocking_send(Err(no_room(&error)));
        }
    });
    stream
}

fn give(sorter: Sorter, sink: &IdSink) -> io::Result<()> {
    let (mut sorted, mut page) = (sorter.finish()?, IdPage::default());
    while let Some(key) = sorted.next()? {
        page.push(key);
        if page.is_full() && sink.blocking_send(Ok(std::mem::take(&mut page))).is_err() {
            return Ok(());
        }
    }
    if !page.is_empty() {
        let _ = sink.blocking_send(Ok(page));
    }
    Ok(())
}

/// The disk does not take what must be sorted.
pub(crate) fn no_room(error: &io::Error) -> StoreFailure {
    StoreFailure::refused(
        codes::FILE,
        format!("the folder for temporary files takes no ids to sort ({error}); nothing was compared"),
        "make room in it, or name another folder in the environment variable TMPDIR",
    )
}
