//! Opens the store: sessions that are bounded in time, and gone when they fall silent.

use super::error::{self, CONNECT};
use super::pool::Pool;
use super::session::{Reading, Writing};
use crate::config::address;
use crate::diagnostic::codes;
use crate::store::address::{StoreAddress, StoreLocation};
use crate::store::error::StoreFailure;
use crate::store::protocol_probe::Expected;
use crate::store::protocol_probe::Speaks;
use crate::store::protocol_probe::told_apart;
use neo4rs::ConfigBuilder;
use secrecy::ExposeSecret;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// A store with nodes and relations, opened when first used.
#[derive(Debug, Clone)]
pub struct GraphStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    address: StoreAddress,
    host: String,
    port: u16,
    user: String,
    encrypted: bool,
    pool: Pool,
    /// When the account was last found to see all of the graph.
    seen: Mutex<Option<Instant>>,
}

/// Where Neo4j listens when the url does not say.
const PORT: u16 = 7_687;
/// Rows that travel at once.
const FETCHED: usize = 1_000;

impl GraphStore {
    /// Prepares the store; nothing is contacted yet.
    ///
    /// # Errors
    /// An address that cannot be read: a refusal that names the store, never the URL.
    pub fn new(address: StoreAddress) -> Result<Self, StoreFailure> {
        let parts = Parts::of(&address).ok_or_else(|| unusable(&address.name, "it names no host"))?;
        // The driver takes its connecting limit for its reading limit too: ours, which is shorter, shall always be first.
        let patience = address.statement_timeout * 10 + Duration::from_secs(60);
        let mut config = ConfigBuilder::default()
            .uri(&parts.url)
            .user(&parts.user)
            .password(&parts.password)
            .fetch_size(FETCHED)
            .max_connections(usize::try_from(address.connections).unwrap_or(usize::MAX))
            .connection_timeout(patience)
            // The driver's name for the longest wait for a connection of the pool.
            .max_lifetime(CONNECT);
        if let Some(ca) = &parts.ca {
            config = config.with_client_certificate(ca);
        }
        if let Some(database) = &parts.database {
            config = config.db(database.as_str());
        }
        let pool = config.build().and_then(|config| Pool::new(&address.name, config));
        let pool = pool.map_err(|error| unusable(&address.name, &error::of_settings(&error)))?;
        let inner = Inner {
            host: parts.host,
            port: parts.port,
            user: parts.user,
            encrypted: parts.encrypted,
            pool,
            seen: Mutex::default(),
            address,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The store's name.
    pub fn name(&self) -> &str {
        &self.inner.address.name
    }

    /// Who we log in as.
    pub fn user(&self) -> &str {
        &self.inner.user
    }

    /// True when what travels is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.inner.encrypted
    }

    /// True when it is on this machine, so that nothing travels.
    pub fn is_here(&self) -> bool {
        let host = &self.inner.host;
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    pub(crate) fn seen(&self) -> &Mutex<Option<Instant>> {
        &self.inner.seen
    }

    /// A session for counting and looking, whose account sees all of the graph: ten times the statement limit, and the server refuses it
    /// any write.
    ///
    /// # Errors
    /// The store is away, or refuses the login; the account may not see all of it.
    pub async fn reading(&self, who: &str) -> Result<Reading, StoreFailure> {
        let session = self.visiting(who).await?;
        self.must_see_all(&session).await?;
        Ok(session)
    }

    /// The same for whoever asks about the server alone, whatever the account sees.
    ///
    /// # Errors
    /// The store is away, or refuses the login.
    pub async fn visiting(&self, who: &str) -> Result<Reading, StoreFailure> {
        // A transaction says quickly whether anybody is there; a query would be tried again by the driver.
        self.writing(who).await?.rollback().await;
        Ok(Reading::new(self.inner.pool.clone(), who, self.inner.address.statement_timeout * 10))
    }

    /// A transaction that may write, for a batch: short limits. `who` is shown to whoever watches the server.
    ///
    /// # Errors
    /// The store is away, or refuses the login.
    pub async fn writing(&self, who: &str) -> Result<Writing, StoreFailure> {
        let driver = self.inner.pool.driver();
        let begun = match tokio::time::timeout(CONNECT, driver.start_txn()).await {
            Ok(begun) => begun,
            Err(_) => {
                drop(driver);
                self.inner.pool.forget();
                return Err(StoreFailure::timed_out(self.name(), CONNECT));
            }
        };
        let transaction = match begun {
            Ok(transaction) => transaction,
            Err(error) => return Err(self.told_apart(error::read(self.name(), &error)).await),
        };
        Ok(Writing::new(self.inner.pool.clone(), transaction, who, self.inner.address.statement_timeout + Duration::from_secs(5)))
    }
}

impl GraphStore {
    /// A failure to get in; where somebody else answers at the address: that.
    async fn told_apart(&self, failure: StoreFailure) -> StoreFailure {
        let Inner { host, port, encrypted, .. } = &*self.inner;
        let expected = Expected { speaks: Speaks::Bolt, sealed: *encrypted, schemes: ["bolt://", "bolt+s://"] };
        told_apart(self.name(), (host, *port), &expected, failure).await
    }
}

fn unusable(store: &str, why: &str) -> StoreFailure {
    StoreFailure::refused(
        codes::NOT_THERE,
        format!("the url of store `{store}` cannot be used: {why}"),
        "see `stores` in steward.yaml; a graph's is such as `bolt+s://host:7687`",
    )
}

/// An address as the driver wants it: its URL may hold neither user nor password, and its path is no part of it.
struct Parts {
    url: String,
    host: String,
    port: u16,
    user: String,
    password: String,
    encrypted: bool,
    ca: Option<PathBuf>,
    database: Option<String>,
}

impl Parts {
    fn of(address: &StoreAddress) -> Option<Self> {
        let StoreLocation::Server { url, user, password, ca } = &address.at else { return None };
        let url = url.expose_secret();
        let split = address::split(url)?;
        let userinfo = url.split_once("://")?.1.rsplit_once('@').map(|(userinfo, _)| userinfo);
        let (its_user, its_password) = match userinfo.map(|info| info.split_once(':').unwrap_or((info, ""))) {
            Some((user, password)) => (decoded(user), decoded(password)),
            None => (String::new(), String::new()),
        };
        // An authority to trust means: encrypt, and verify the server's name.
        let scheme = if ca.is_some() { "bolt+s" } else { split.scheme };
        let host = if split.host.contains(':') { format!("[{}]", split.host) } else { split.host.to_owned() };
        let port = split.port.map(|port| format!(":{port}")).unwrap_or_default();
        Some(Self {
            url: format!("{}://{host}{port}", scheme.to_lowercase()),
            host: split.host.to_owned(),
            port: split.port.unwrap_or(PORT),
            user: user.clone().unwrap_or(its_user),
            password: password.as_ref().map_or(its_password, |password| password.expose_secret().to_owned()),
            encrypted: scheme.contains('+'),
            ca: ca.clone(),
            database: Some(split.path.trim_matches('/').to_owned()).filter(|name| !name.is_empty()),
        })
        .filter(|parts| !parts.host.is_empty())
    }
}

/// `%40` is `@`; what is no such pair stays.
fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::SecretString;

    fn address(url: &str, user: Option<&str>, ca: Option<&str>) -> StoreAddress {
        StoreAddress {
            name: "graph".into(),
            at: StoreLocation::Server {
                url: SecretString::from(url),
                user: user.map(str::to_owned),
                password: Some(SecretString::from("canary-9d1f")),
                ca: ca.map(PathBuf::from),
            },
            lock_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            connections: 4,
        }
    }

    #[test]
    fn an_address_is_taken_apart_and_none_of_it_is_shown() {
        let parts = Parts::of(&address("bolt://li%40x:p@[::1]:7688/movies", None, None)).unwrap();
        assert_eq!((parts.url.as_str(), parts.user.as_str(), parts.encrypted), ("bolt://[::1]:7688", "li@x", false));
        assert_eq!(parts.database.as_deref(), Some("movies"));
        let trusted = Parts::of(&address("bolt://db.internal", Some("neo4j"), Some("ca.pem"))).unwrap();
        assert_eq!((trusted.url.as_str(), trusted.encrypted), ("bolt+s://db.internal", true));
        let store = GraphStore::new(address("bolt://127.0.0.1:7687", Some("neo4j"), None)).unwrap();
        assert!(store.is_here() && !store.is_encrypted());
        assert!(!format!("{store:?}").contains("canary"));
    }

    #[test]
    fn an_authority_that_cannot_be_read_is_refused() {
        let failure = GraphStore::new(address("bolt://db.internal", Some("neo4j"), Some("/nowhere/ca.pem"))).unwrap_err();
        assert!(matches!(&failure, StoreFailure::Refused { text, .. } if text.contains("`graph`")), "{failure}");
    }
}
