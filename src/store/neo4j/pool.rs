//! The driver's pool of connections, and the only way to close one of them.

use neo4rs::{Config, Error, Graph};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// The connections to one store, opened when first used.
#[derive(Clone)]
pub(crate) struct Pool {
    inner: Arc<Inner>,
}

struct Inner {
    store: String,
    config: Config,
    /// Replaced when a session fell silent: the server ends a transaction when its connection is gone, and the driver gives
    /// no other way to close one.
    graph: RwLock<Graph>,
}

impl Pool {
    /// Prepares it; nothing is contacted yet.
    ///
    /// # Errors
    /// Settings that the driver does not understand, or an authority that cannot be read.
    pub(crate) fn new(store: &str, config: Config) -> Result<Self, Error> {
        let graph = RwLock::new(Graph::connect(config.clone())?);
        Ok(Self { inner: Arc::new(Inner { store: store.to_owned(), config, graph }) })
    }

    /// The store's name.
    pub(crate) fn store(&self) -> &str {
        &self.inner.store
    }

    /// The driver as it is now.
    pub(crate) fn driver(&self) -> Graph {
        self.inner.graph.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Closes the connections that lie idle, and those in use once they are given back: one of them may hold a transaction
    /// that nobody will end. The server rolls back what a closed connection left open.
    pub(crate) fn forget(&self) {
        // Settings that made a pool once make one again; were it otherwise, the old one would still serve.
        if let Ok(fresh) = Graph::connect(self.inner.config.clone()) {
            *self.inner.graph.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
    }
}

impl fmt::Debug for Pool {
    /// The driver's settings hold the password in clear.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("store", &self.inner.store).finish_non_exhaustive()
    }
}
