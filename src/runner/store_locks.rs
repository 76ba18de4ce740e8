//! Whose turn it is: within one store one check after another.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The turns of the stores that checks ask.
#[derive(Debug, Default)]
pub struct Turns<'s> {
    busy: Mutex<BTreeSet<&'s str>>,
    freed: Notify,
}

/// A turn at some stores; over when dropped.
#[derive(Debug)]
pub struct Turn<'t, 's> {
    turns: &'t Turns<'s>,
    stores: Vec<&'s str>,
}

impl<'s> Turns<'s> {
    /// The turn at all of these stores, when nobody is at any of them.
    pub fn now(&self, stores: &[&'s str]) -> Option<Turn<'_, 's>> {
        let mut busy = self.busy();
        if stores.iter().any(|store| busy.contains(store)) {
            return None;
        }
        busy.extend(stores);
        Some(Turn { turns: self, stores: stores.to_vec() })
    }

    /// The turn at all of these stores: all of them or none, so that whoever waits for a frozen store keeps nobody from another.
    pub async fn all(&self, stores: &[&'s str]) -> Turn<'_, 's> {
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

impl Drop for Turn<'_, '_> {
    fn drop(&mut self) {
        let mut busy = self.turns.busy();
        self.stores.iter().for_each(|store| {
            busy.remove(store);
        });
        drop(busy);
        self.turns.freed.notify_waiters();
    }
}
