//! Where a test's server is: a URL in a variable, with the user and the password in it.

/// The URL in a variable. A server that is not there fails the test: a skipped test proves nothing.
pub fn configured(variable: &str) -> String {
    match std::env::var(variable) {
        Ok(url) if !url.is_empty() => url,
        _ => {
            panic!("{variable} is not set: run the tests with `tests/run`, or start the servers with `eval \"$(tests/run up)\"`")
        }
    }
}

/// A URL in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub scheme: String,
    /// Empty when the URL names none.
    pub user: String,
    pub password: String,
    /// `127.0.0.1:6379`, without what follows.
    pub host: String,
}

impl Address {
    /// Takes `scheme://user:password@host:port/…` apart.
    pub fn of(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or_else(|| panic!("a server's URL names no scheme"));
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let (account, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = account.split_once(':').unwrap_or((account, ""));
        Self { scheme: scheme.to_owned(), user: decoded(user), password: decoded(password), host: host.to_owned() }
    }
}

/// `%40` is `@`.
fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8().expect("a server's URL in UTF-8").into_owned()
}

#[test]
fn a_url_is_taken_apart() {
    let address = |user: &str, password: &str, host: &str| Address {
        scheme: "redis".into(),
        user: user.into(),
        password: password.into(),
        host: host.into(),
    };
    assert_eq!(Address::of("redis://worker:p%40ss@127.0.0.1:6379/3"), address("worker", "p@ss", "127.0.0.1:6379"));
    assert_eq!(Address::of("redis://[::1]:6379"), address("", "", "[::1]:6379"));
}

#[test]
fn a_server_that_is_not_configured_fails_the_test() {
    let panic = std::panic::catch_unwind(|| configured("STEWARD_TEST_NO_SUCH_STORE_URL")).expect_err("it must not pass");
    let said = panic.downcast_ref::<String>().expect("a sentence");
    assert!(said.starts_with("STEWARD_TEST_NO_SUCH_STORE_URL is not set: run the tests with `tests/run`"), "{said}");
}
