//! Finds stores by name.

use super::address::Address;
use super::error::StoreFailure;
use super::neo4j::store::GraphStore;
use super::redis::store::KeyStore;
use super::sql::engines;
use super::sql::session::store::Store;
use crate::diagnostic::codes;
use crate::policy::data_model::DataModel;
use crate::store::address::{StoreAddress, StoreLocation};
use secrecy::ExposeSecret;
use std::collections::BTreeMap;
use std::time::Duration;

/// All stores of a configuration, opened when first used.
#[derive(Debug, Clone, Default)]
pub struct Stores {
    by_name: BTreeMap<String, AnyStore>,
    /// How long a statement that changes something may take.
    limits: BTreeMap<String, Duration>,
    /// Where each is, comparable.
    places: BTreeMap<String, Address>,
    /// Those that cannot be opened, for want of a secret, and why: told to whoever asks for one, and to nobody else.
    closed: BTreeMap<String, StoreFailure>,
}

/// A store of any data_model.
#[derive(Debug, Clone)]
pub enum AnyStore {
    /// MySQL, MariaDB, PostgreSQL, SQLite.
    Tables(Store),
    /// Redis, Valkey.
    Keys(KeyStore),
    /// Neo4j.
    Graph(GraphStore),
}

impl AnyStore {
    /// What it holds.
    pub const fn data_model(&self) -> DataModel {
        match self {
            Self::Tables(_) => DataModel::Tables,
            Self::Keys(_) => DataModel::Keys,
            Self::Graph(_) => DataModel::Graph,
        }
    }
}

impl Stores {
    /// Prepares the stores; nothing is contacted yet. An address that cannot be read is a refusal that names the store, never the URL.
    pub fn new(addresses: impl IntoIterator<Item = StoreAddress>) -> Result<Self, StoreFailure> {
        let addresses: Vec<StoreAddress> = addresses.into_iter().collect();
        let limits = addresses.iter().map(|address| (address.name.clone(), address.statement_timeout)).collect();
        let places = addresses.iter().map(|address| (address.name.clone(), Address::of(&address.at))).collect();
        let by_name = addresses.into_iter().map(|address| Ok((address.name.clone(), any(address)?))).collect::<Result<_, _>>()?;
        Ok(Self { by_name, limits, places, closed: BTreeMap::new() })
    }

    /// Adds a store that cannot be opened. `at` is where it is; none where that is the very secret.
    pub fn close(&mut self, name: &str, at: Option<&StoreLocation>, why: StoreFailure) {
        self.closed.insert(name.to_owned(), why);
        self.places.extend(at.map(|at| (name.to_owned(), Address::of(at))));
    }

    /// A store of which nobody knows where it is: it may be any other.
    fn is_anywhere(&self, name: &str) -> bool {
        self.closed.contains_key(name) && !self.places.contains_key(name)
    }

    /// How long whoever only looks around in a store may take for one thing: ten times what a statement of a batch may.
    pub fn patience(&self, name: &str) -> Duration {
        self.limits.get(name).copied().unwrap_or(Duration::from_secs(60)) * 10
    }

    /// True when both names lead to one address: the same host and port, and the same database of it.
    pub fn are_at_one_address(&self, one: &str, other: &str) -> bool {
        let is_unknown = self.is_anywhere(one) || self.is_anywhere(other);
        one == other || is_unknown || self.places.get(one).is_some_and(|place| self.places.get(other) == Some(place))
    }

    /// True when both speak one protocol: then they may be one database, whatever their addresses say.
    pub fn speak_alike(&self, one: &str, other: &str) -> bool {
        let protocol = |name| self.places.get(name).map(|place| place.protocol);
        let is_unknown = self.is_anywhere(one) || self.is_anywhere(other);
        is_unknown || protocol(one).is_some() && protocol(one) == protocol(other)
    }

    /// A store of any data_model.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn any(&self, name: &str) -> Result<&AnyStore, StoreFailure> {
        self.by_name.get(name).ok_or_else(|| match self.closed.get(name) {
            Some(why) => why.clone(),
            None => StoreFailure::refused(
                codes::NOT_THERE,
                format!("there is no store `{name}`"),
                "name one of `stores` in steward.yaml",
            ),
        })
    }

    /// A store with tables.
    ///
    /// # Errors
    /// There is none of that name, or it holds something else.
    pub fn get(&self, name: &str) -> Result<&Store, StoreFailure> {
        match self.any(name)? {
            AnyStore::Tables(store) => Ok(store),
            other => Err(wrong_family(name, other.data_model(), DataModel::Tables)),
        }
    }

    /// A store with keys.
    ///
    /// # Errors
    /// There is none of that name, or it holds something else.
    pub fn keys(&self, name: &str) -> Result<&KeyStore, StoreFailure> {
        match self.any(name)? {
            AnyStore::Keys(store) => Ok(store),
            other => Err(wrong_family(name, other.data_model(), DataModel::Keys)),
        }
    }

    /// A store with nodes and relations.
    ///
    /// # Errors
    /// There is none of that name, or it holds something else.
    pub fn graph(&self, name: &str) -> Result<&GraphStore, StoreFailure> {
        match self.any(name)? {
            AnyStore::Graph(store) => Ok(store),
            other => Err(wrong_family(name, other.data_model(), DataModel::Graph)),
        }
    }
}

fn any(address: StoreAddress) -> Result<AnyStore, StoreFailure> {
    let scheme = match &address.at {
        StoreLocation::File(_) => "sqlite".to_owned(),
        StoreLocation::Server { url, .. } => url.expose_secret().split(':').next().unwrap_or_default().to_lowercase(),
    };
    Ok(match scheme.split('+').next().unwrap_or_default() {
        "redis" | "rediss" => AnyStore::Keys(KeyStore::new(address)?),
        "bolt" => AnyStore::Graph(GraphStore::new(address)?),
        scheme => AnyStore::Tables(Store::new(address, engines::speaking(scheme))?),
    })
}

fn wrong_family(name: &str, is: DataModel, wanted: DataModel) -> StoreFailure {
    StoreFailure::refused(
        codes::WRONG_FAMILY,
        format!("the store `{name}` holds {}, and this needs {}; nothing was touched", is.holds(), wanted.holds()),
        "name a store of the other kind",
    )
}
