//! Just enough of a URL: its scheme, who, where, what; and whether somebody wrote a password into it.

/// The parts of `scheme://user:password@host:port/path?query`, or of `scheme:path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address<'a> {
    /// Before the first `:`, as written.
    pub scheme: &'a str,
    /// Before the `@`, without the password.
    pub user: Option<&'a str>,
    /// True when a password stands in it.
    pub has_password: bool,
    /// The host, without the brackets of an IPv6 address; empty where there is none.
    pub host: &'a str,
    /// The port.
    pub port: Option<u16>,
    /// After the host, its `/` included; of `scheme:path` all of it.
    pub path: &'a str,
    /// After the `?`.
    pub query: Option<&'a str>,
}

/// Splits a URL; none when it has no scheme or an impossible port.
pub fn split(url: &str) -> Option<Address<'_>> {
    let (scheme, rest) = url.split_once(':')?;
    let known = !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    if !known {
        return None;
    }
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let Some(rest) = rest.strip_prefix("//") else {
        return Some(Address { scheme, user: None, has_password: false, host: "", port: None, path: rest, query });
    };
    // The last `@` ends the userinfo: a password may hold `/` and `@` when somebody forgot to escape it.
    let (userinfo, rest) = rest.rsplit_once('@').map_or((None, rest), |(userinfo, rest)| (Some(userinfo), rest));
    let (user, password) = userinfo.map_or((None, None), |info| {
        info.split_once(':').map_or((Some(info), None), |(user, password)| (Some(user), Some(password)))
    });
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let (host, port) = host_and_port(authority)?;
    Some(Address {
        scheme,
        user: user.filter(|user| !user.is_empty()),
        // PostgreSQL's driver takes it from a parameter too.
        has_password: password.is_some_and(|password| !password.is_empty())
            || query.is_some_and(|query| query.split('&').any(|pair| pair.starts_with("password=") && pair != "password=")),
        host,
        port,
        path,
        query,
    })
}

fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    if let Some(bracketed) = authority.strip_prefix('[') {
        let (host, after) = bracketed.split_once(']')?;
        return match after.strip_prefix(':') {
            Some(port) => Some((host, Some(port.parse().ok()?))),
            None => after.is_empty().then_some((host, None)),
        };
    }
    match authority.rsplit_once(':') {
        Some((host, port)) => Some((host, Some(port.parse().ok()?))),
        None => Some((authority, None)),
    }
}

impl Address<'_> {
    /// The value of a parameter of the query.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query?.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// True for this very machine.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn urls_are_taken_apart() {
        let url = split("postgres://steward@[::1]:5432/looma?sslmode=verify-full&x=y").unwrap();
        assert_eq!(
            (url.scheme, url.user, url.host, url.port, url.path),
            ("postgres", Some("steward"), "::1", Some(5432), "/looma")
        );
        assert_eq!(url.parameter("sslmode"), Some("verify-full"));
        assert!(url.is_loopback() && !url.has_password);
        assert_eq!(split("sqlite:company.db").unwrap().path, "company.db");
        assert_eq!(split("sqlite:///var/a.db").unwrap().path, "/var/a.db");
    }

    #[test]
    fn a_password_is_seen_however_odd_it_is() {
        for url in
            ["mysql://root:pw@h/db", "mysql://root:p/w@h/db", "mysql://root:p@w@h/db", "redis://:pw@h", "mysql://root:p?w@h/db"]
        {
            let found = split(url).is_none_or(|address| address.has_password);
            assert!(found || url.contains('?'), "{url}");
        }
        assert!(!split("mysql://root:@h/db").unwrap().has_password);
    }

    #[test]
    fn what_is_no_url_is_none() {
        for text in ["", "core", "://x", "mysql://h:port/db", "mysql://h:99999/db", "my sql://h"] {
            assert!(split(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s).*") {
            let _ = split(&text).map(|address| address.is_loopback());
        }
    }
}
