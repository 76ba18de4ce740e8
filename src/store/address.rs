//! Where a store is and how it is reached; two names for one place are known as such without asking.

use secrecy::ExposeSecret;
use secrecy::SecretString;
use std::path::PathBuf;
use std::time::Duration;

/// What it takes to reach a store.
#[derive(Debug, Clone)]
pub struct StoreAddress {
    /// The store's name in `steward.yaml`.
    pub name: String,
    /// Where it is.
    pub at: StoreLocation,
    /// Waiting for a lock ends after this.
    pub lock_timeout: Duration,
    /// A statement of a batch ends after this; counting and looking may take ten times as long.
    pub statement_timeout: Duration,
    /// Connections at most.
    pub connections: u32,
}

/// Where a store is.
#[derive(Debug, Clone)]
pub enum StoreLocation {
    /// A SQLite file.
    File(PathBuf),
    /// A server.
    Server {
        /// `mysql`, `mariadb`, `postgres`, `redis`, `bolt` and their kin, as a URL.
        url: SecretString,
        /// Overrides the URL's.
        user: Option<String>,
        /// The password.
        password: Option<SecretString>,
        /// The certificate authority to trust, and with it: verify the server's name.
        ca: Option<PathBuf>,
    },
}

/// A store's address without who logs in there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// `mysql` for MariaDB too; TLS is none of its own.
    pub(crate) protocol: &'static str,
    /// Host and port, or a file's real path.
    at: String,
    /// The database; empty where none is named.
    database: String,
}

/// What a scheme begins with, what it is, and its usual port.
const PROTOCOLS: &[(&str, &str, u16)] = &[
    ("postgres", "postgres", 5432),
    ("mysql", "mysql", 3306),
    ("mariadb", "mysql", 3306),
    ("redis", "redis", 6379),
    ("bolt", "bolt", 7687),
];

impl Address {
    pub(crate) fn of(location: &StoreLocation) -> Self {
        match location {
            StoreLocation::File(path) => {
                let path = path.canonicalize().unwrap_or_else(|_| path.clone());
                Self { protocol: "sqlite", at: path.display().to_string(), database: String::new() }
            }
            StoreLocation::Server { url, .. } => Self::of_url(url.expose_secret()),
        }
    }

    fn of_url(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let known = PROTOCOLS.iter().find(|(begins, ..)| scheme.starts_with(begins));
        let (_, protocol, port) = known.copied().unwrap_or(("", "", 0));
        let rest = rest.split('?').next().unwrap_or_default();
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_lowercase();
        let host = host.replace("localhost", "127.0.0.1").replace("[::1]", "127.0.0.1");
        let at = if host.rsplit(']').next().is_some_and(|tail| tail.contains(':')) { host } else { format!("{host}:{port}") };
        // A Redis URL without a number means the first database.
        let database = if protocol == "redis" && database.is_empty() { "0" } else { database };
        Self { protocol, at, database: database.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn one_place_under_two_spellings_is_one_address() {
        for (one, other) in [
            ("mysql://a@localhost/shop", "mariadb://b:pw@127.0.0.1:3306/shop?ssl-mode=REQUIRED"),
            ("postgres://h/db", "postgresql://x@H:5432/db"),
            ("redis://cache", "rediss://u:p@cache:6379/0"),
            ("bolt://[::1]:7687", "bolt+s://localhost"),
        ] {
            assert_eq!(Address::of_url(one), Address::of_url(other), "{one} {other}");
        }
        for (one, other) in
            [("postgres://h/a", "postgres://h/b"), ("redis://h/0", "redis://h/1"), ("mysql://h:3306/a", "mysql://h:3307/a")]
        {
            assert_ne!(Address::of_url(one), Address::of_url(other), "{one} {other}");
        }
    }
}
