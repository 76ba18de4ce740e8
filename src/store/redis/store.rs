//! Opens the store.

use super::progress::Sight;
use super::topology::Nodes;
use super::url::Location;
use crate::store::address::StoreAddress;
use crate::store::error::StoreFailure;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// A store with keys, opened when first used.
#[derive(Debug, Clone)]
pub struct KeyStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: String,
    location: Location,
    limit: Duration,
    sight: Sight,
    open: Mutex<Option<Arc<Nodes>>>,
}

impl KeyStore {
    /// Prepares the store; nothing is contacted yet.
    ///
    /// # Errors
    /// An address that cannot be read: a refusal that names the store, never the URL.
    pub fn new(address: StoreAddress) -> Result<Self, StoreFailure> {
        let location = Location::read(&address)?;
        let inner = Inner {
            name: address.name,
            location,
            limit: address.statement_timeout,
            sight: Sight::default(),
            open: Mutex::new(None),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The store's name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// How far the look at its keys is.
    pub fn sight(&self) -> &Sight {
        &self.inner.sight
    }

    /// True when it is on this machine, so that nothing travels.
    pub fn is_here(&self) -> bool {
        self.inner.location.is_here()
    }

    /// True when it is reached over TLS.
    pub fn is_sealed(&self) -> bool {
        self.inner.location.tls
    }

    /// The number of the database; where it is not 0 the account must be allowed to choose it.
    pub fn database(&self) -> i64 {
        self.inner.location.database
    }

    /// Who we log in as.
    pub fn user(&self) -> Option<&str> {
        self.inner.location.user.as_deref()
    }

    /// The servers that hold the keys. Opened once; asked anew who they are after one went away, keys moved between
    /// them, or Sentinel named another primary.
    /// `who` is shown to whoever watches the server.
    ///
    /// # Errors
    /// One of them cannot be reached, or refuses the login.
    pub async fn nodes(&self, who: &str) -> Result<Arc<Nodes>, StoreFailure> {
        let mut open = self.inner.open.lock().await;
        if let Some(nodes) = open.as_ref().filter(|nodes| !nodes.is_stale())
            && nodes.is_named().await
        {
            return Ok(Arc::clone(nodes));
        }
        *open = None;
        let nodes = Arc::new(Nodes::open(self.name(), &self.inner.location, who, self.inner.limit).await?);
        *open = Some(Arc::clone(&nodes));
        Ok(nodes)
    }
}
