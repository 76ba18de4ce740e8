//! Whose turn it is: within one store one check after another.

use std::collections::BTreeMap;
use tokio::sync::{Mutex, MutexGuard};

/// The turns of the stores that checks ask.
#[derive(Debug, Default)]
pub struct Turns<'s>(BTreeMap<&'s str, Mutex<()>>);

impl<'s> Turns<'s> {
    /// Turns at these stores.
    pub fn at(stores: impl IntoIterator<Item = &'s str>) -> Self {
        Self(stores.into_iter().map(|store| (store, Mutex::default())).collect())
    }

    /// The turn at one store, when nobody has it.
    pub fn now(&self, store: &str) -> Option<MutexGuard<'_, ()>> {
        self.0.get(store)?.try_lock().ok()
    }

    /// The turn at all of these stores: all of them, or none while waiting, so that a frozen store keeps nobody from another.
    pub async fn all<'t>(&'t self, stores: &[&str]) -> Vec<MutexGuard<'t, ()>> {
        loop {
            let mut held = vec![];
            let mut taken = None;
            for turn in stores.iter().filter_map(|store| self.0.get(*store)) {
                match turn.try_lock() {
                    Ok(guard) => held.push(guard),
                    Err(_) => {
                        taken = Some(turn);
                        break;
                    }
                }
            }
            let Some(taken) = taken else { return held };
            drop(held);
            drop(taken.lock().await);
        }
    }
}
