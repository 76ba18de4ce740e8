//! Where a store's URL says its servers are.

use crate::config::address;
use crate::diagnostic::codes;
use crate::store::address::{StoreAddress, StoreLocation};
use crate::store::error::StoreFailure;
use secrecy::{ExposeSecret, SecretString};
use std::path::PathBuf;

const PORT: u16 = 6_379;
const SENTINEL_PORT: u16 = 26_379;

/// Where the servers are, and how to get in: `redis://user@host:port/database`, `rediss://…` with TLS,
/// `redis+sentinel://host:port,host:port/service/database`.
#[derive(Debug, Clone)]
pub struct Location {
    /// Servers to ask first; several for Sentinel.
    pub hosts: Vec<(String, u16)>,
    /// The service that the Sentinels watch.
    pub service: Option<String>,
    /// The number of the database.
    pub database: i64,
    /// Over TLS.
    pub tls: bool,
    /// A private certificate authority.
    pub ca: Option<PathBuf>,
    /// Who we are; the server's `default` when absent.
    pub user: Option<String>,
    /// The password.
    pub password: Option<SecretString>,
}

impl Location {
    /// Reads the address.
    ///
    /// # Errors
    /// A refusal that names the store, never the URL.
    pub fn read(address: &StoreAddress) -> Result<Self, StoreFailure> {
        let StoreLocation::Server { url, user, password, ca } = &address.at else { return Err(wrong(address, "is a file")) };
        let url = url.expose_secret().trim();
        let parts = address::split(url).ok_or_else(|| wrong(address, "cannot be understood"))?;
        let scheme = parts.scheme.to_lowercase();
        let sentinel = scheme.ends_with("+sentinel");
        if parts.query.is_some() {
            return Err(wrong(address, "has parameters after `?`, and none are known here"));
        }
        if ca.is_some() && !scheme.starts_with("rediss") {
            return Err(wrong(address, "has a `ca` and no TLS: write `rediss://`"));
        }
        let (own_user, own_password) = userinfo(url);
        let mut pieces = parts.path.trim_matches('/').split('/').filter(|piece| !piece.is_empty());
        let service = if sentinel { pieces.next().map(str::to_owned) } else { None };
        let database = match pieces.next() {
            None => 0,
            Some(number) => number.parse().map_err(|_| wrong(address, "names a database that is no number"))?,
        };
        let port = if sentinel { SENTINEL_PORT } else { PORT };
        let hosts = hosts(parts.host, parts.port.unwrap_or(port), port).ok_or_else(|| wrong(address, "names no host"))?;
        Ok(Self {
            hosts,
            service,
            database,
            tls: scheme.starts_with("rediss"),
            ca: ca.clone(),
            user: user.clone().or(own_user),
            password: password.clone().or(own_password),
        })
    }

    /// True when all of it is on this machine, so that nothing travels.
    pub fn is_here(&self) -> bool {
        let here = |host: &str| host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        self.hosts.iter().all(|(host, _)| here(host))
    }
}

/// The hosts of `a:1,b:2,c`; `last` is the last one's port, read already.
fn hosts(list: &str, last: u16, port: u16) -> Option<Vec<(String, u16)>> {
    let count = list.split(',').count();
    let read = list.split(',').enumerate().map(|(at, host)| match host.rsplit_once(':') {
        _ if at + 1 == count => Some((host.to_owned(), last)),
        Some((host, port)) => Some((host.to_owned(), port.parse().ok()?)),
        None => Some((host.to_owned(), port)),
    });
    let read: Option<Vec<_>> = read.collect();
    read.filter(|hosts| hosts.iter().all(|(host, _)| !host.is_empty()))
}

/// User and password of a URL, decoded.
fn userinfo(url: &str) -> (Option<String>, Option<SecretString>) {
    let info = url.split_once("//").and_then(|(_, rest)| rest.rsplit_once('@')).map_or("", |(info, _)| info);
    let (user, password) = info.split_once(':').unwrap_or((info, ""));
    let text = |text: &str| (!text.is_empty()).then(|| decoded(text));
    (text(user), text(password).map(SecretString::from))
}

/// `%40` is `@`; what is no such pair stays.
fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn wrong(address: &StoreAddress, why: &str) -> StoreFailure {
    StoreFailure::refused(
        codes::NOT_THERE,
        format!("the url of store `{}` {why}; the store was not opened", address.name),
        "such as `redis://user@host:6379/0`, `rediss://host`, `redis+sentinel://host:26379,other:26379/service/0`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn read(url: &str) -> Result<Location, StoreFailure> {
        Location::read(&StoreAddress {
            name: "cache".into(),
            at: StoreLocation::Server { url: url.to_owned().into(), user: None, password: None, ca: None },
            lock_timeout: Duration::from_secs(1),
            statement_timeout: Duration::from_secs(1),
            connections: 1,
        })
    }

    #[test]
    fn urls_say_where_and_who() {
        let plain = read("redis://worker:p%40w@[::1]:7000/3").unwrap();
        assert_eq!((plain.hosts, plain.database, plain.tls), (vec![("::1".to_owned(), 7000)], 3, false));
        assert_eq!((plain.user.as_deref(), plain.password.unwrap().expose_secret()), (Some("worker"), "p@w"));
        assert_eq!(read("rediss://h").unwrap().hosts, [("h".to_owned(), PORT)]);
        let watched = read("redis+sentinel://a:1,b,c:3/main/2").unwrap();
        assert_eq!(watched.hosts, [("a".to_owned(), 1), ("b".to_owned(), SENTINEL_PORT), ("c".to_owned(), 3)]);
        assert_eq!((watched.service.as_deref(), watched.database), (Some("main"), 2));
    }

    #[test]
    fn what_cannot_be_is_refused_without_repeating_it() {
        for url in ["redis://u:pw@h/x", "redis://u:pw@h?a=b", "redis://u:pw@", "redis+sentinel://u:pw@a:x,b/m"] {
            let refused = read(url).unwrap_err().to_string();
            assert!(refused.contains("`cache`") && !refused.contains("pw"), "{refused}");
        }
    }
}
