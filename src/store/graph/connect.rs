//! Opens the store.

use crate::store::connect::StoreAddress;
use crate::store::failure::StoreFailure;
use std::sync::Arc;

/// A store with nodes and relations, opened when first used.
#[derive(Debug, Clone)]
pub struct GraphStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    address: StoreAddress,
}

impl GraphStore {
    /// Prepares the store; nothing is contacted yet.
    ///
    /// # Errors
    /// An address that cannot be read: a refusal that names the store, never the URL.
    pub fn new(address: StoreAddress) -> Result<Self, StoreFailure> {
        Ok(Self { inner: Arc::new(Inner { address }) })
    }

    /// The store's name.
    pub fn name(&self) -> &str {
        &self.inner.address.name
    }
}
