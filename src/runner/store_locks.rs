//! Whose turn it is: within one store one check after another.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The turns of the stores that checks ask.
#[derive(Debug, Default)]
pub struct StoreLocks<'s> {
    busy: Mutex<BTreeSet<&'s str>>,
    freed: Notify,
}

/// A turn at some stores; over when dropped.
#[derive(Debug)]
pub struct StoreLock<'t, 's> {
    turns: &'t StoreLocks<'s>,
    stores: Vec<&'s str>,
}

impl<'s> StoreLocks<'s> {
    /// The turn at all of these stores, when nobody is at any of them.
    pub fn now(&self, stores: &[&'s str]) -> Option<StoreLock<'_, 's>> {
        let mut busy = self.busy();
        if stores.iter().any(|store| busy.contains(store)) {
            return None;
        }
        busy.extend(stores);
        Some(StoreLock { turns: self, stores: stores.to_vec() })
    }

    /// The turn at all of these stores: all of them or none, so that whoever waits for a frozen store keeps nobody from another.
    pub async fn all(&self, stores: &[&'s str]) -> StoreLock<'_, 's> {
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            // Listens before it looks: a turn that ends in between is not missed.
            freed.as_mut().enable();
            if let Some(turn) = self.now(stores) {
                return turn;
            }
            freed.await;
        }
    }

    fn busy(&self) -> MutexGuard<'_, BTreeSet<&'s str>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StoreLock<'_, '_> {
    fn drop(&mut self) {
        let mut busy = self.turns.busy();
        self.stores.iter().for_each(|store| {
            busy.remove(store);
        });
        drop(busy);
        self.turns.freed.notify_waiters();
    }
}
