//! Who answers at an address where a store was expected: asked once it did not behave like one.

use super::error::StoreFailure;
use crate::diagnostic::codes;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What somebody speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// Redis, Valkey.
    Redis,
    /// Neo4j.
    Bolt,
    /// PostgreSQL.
    Postgres,
    /// MySQL, MariaDB.
    Mysql,
    /// Nothing before TLS.
    Tls,
    /// The web.
    Http,
    /// Mail, file transfer.
    Lines,
    /// A shell.
    Ssh,
}

/// What was expected at an address.
pub(crate) struct Expected {
    /// What the store speaks.
    pub speaks: Speaks,
    /// Its URL asks for TLS.
    pub sealed: bool,
    /// The schemes without TLS and with it.
    pub schemes: [&'static str; 2],
}

/// Nobody waits longer for one answer of a stranger.
const PATIENCE: Duration = Duration::from_millis(400);

/// What is said, and what the answer tells.
type Question = (&'static [u8], fn(&[u8]) -> Option<Speaks>);

/// Those who greet come first; each is asked on a connection of its own.
const QUESTIONS: [Question; 5] = [
    (b"", greeting),
    (b"PING\r\n\r\n", word),
    // A greeting of TLS that is cut short: only who speaks it answers, with an alert.
    (b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", |said| matches!(said, [0x15 | 0x16, 3, ..]).then_some(Speaks::Tls)),
    (b"\0\0\0\x08\x04\xd2\x16\x2f", |said| matches!(said, b"S" | b"N").then_some(Speaks::Postgres)),
    (b"\x60\x60\xb0\x17\0\0\x04\x04\0\0\0\0\0\0\0\0\0\0\0\0", |said| matches!(said, [0, 0, _, _]).then_some(Speaks::Bolt)),
];

/// The failure to open a store, and where it is plain that somebody else answers at its address: that.
///
/// A server that is away, silent, or hangs up on whatever it is asked stays what it is: nobody knows who it would be.
pub(crate) async fn told_apart(store: &str, at: (&str, u16), expected: &Expected, failure: StoreFailure) -> StoreFailure {
    if !matches!(failure, StoreFailure::Away { .. } | StoreFailure::Failed { .. }) {
        return failure;
    }
    let [plain, sealed] = expected.schemes;
    let wrong = |text: String, help: String| StoreFailure::Misdeclared { code: codes::STRANGER, text, help };
    match at_address(at).await {
        None => failure,
        Some(Speaks::Tls) if expected.sealed => failure,
        Some(Speaks::Tls) => wrong(
            format!("store `{store}` speaks TLS only, and its url does not ask for it; nothing was touched"),
            format!("write `{sealed}`, and name its authority in `ca` where that is your own"),
        ),
        Some(speaks) if speaks == expected.speaks && expected.sealed => wrong(
            format!("store `{store}` speaks no TLS, and its url asks for it; nothing was touched"),
            format!("let the server speak it, or write `{plain}` and leave `ca` out"),
        ),
        Some(speaks) if speaks == expected.speaks => failure,
        Some(speaks) => wrong(
            format!(
                "{} answers at the address of store `{store}`, and not {}; nothing was touched",
                speaks.named(),
                expected.speaks.named()
            ),
            "look at host and port of its url under `stores` in steward.yaml".to_owned(),
        ),
    }
}

async fn at_address(at: (&str, u16)) -> Option<Speaks> {
    for (question, reading) in QUESTIONS {
        let answer = timeout(PATIENCE * 2, ask(at, question)).await.ok()?.ok()?;
        if let Some(speaks) = reading(&answer) {
            return Some(speaks);
        }
    }
    None
}

/// The first bytes that are said to a question; none when there is no answer.
///
/// # Errors
/// Nobody is there any more.
async fn ask(at: (&str, u16), question: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(at).await?;
    let mut said = vec![0; 256];
    let asked = async {
        stream.write_all(question).await?;
        stream.read(&mut said).await
    };
    // Silence and a hung up line are answers, too: not the one that was asked for.
    let length = timeout(PATIENCE, asked).await.map_or(0, |read| read.unwrap_or(0));
    said.truncate(length);
    Ok(said)
}

/// Who speaks first.
fn greeting(said: &[u8]) -> Option<Speaks> {
    match said {
        // A packet of MySQL: its length in three bytes, the first of its conversation, and either version 10 or an error.
        [_, _, 0, 0, 10 | 0xff, ..] => Some(Speaks::Mysql),
        [b'S', b'S', b'H', b'-', ..] => Some(Speaks::Ssh),
        [b'2', b'2', b'0', b' ' | b'-', ..] | [b'*', b' ', b'O', b'K', ..] | [b'+', b'O', b'K', ..] => Some(Speaks::Lines),
        _ => None,
    }
}

/// Who answers a word of Redis, each in its own way.
fn word(said: &[u8]) -> Option<Speaks> {
    let text = String::from_utf8_lossy(said).to_lowercase();
    match said.first() {
        Some(b'+' | b'-') => Some(Speaks::Redis),
        Some(0x15) => Some(Speaks::Tls),
        _ if text.starts_with("http/") || text.contains("<html") || text.contains("<!doctype html") => Some(Speaks::Http),
        _ => None,
    }
}

impl Speaks {
    const fn named(self) -> &'static str {
        match self {
            Self::Redis => "Redis",
            Self::Bolt => "Neo4j",
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL or MariaDB",
            Self::Tls => "a server that speaks TLS",
            Self::Http => "an HTTP server",
            Self::Lines => "a mail or file server",
            Self::Ssh => "an SSH server",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_tells_who_it_is() {
        assert_eq!(greeting(b"J\0\0\0\n9.7.4\0"), Some(Speaks::Mysql));
        assert_eq!(greeting(b"\x45\0\0\0\xffj\x04Host"), Some(Speaks::Mysql));
        assert_eq!(greeting(b"220 mail.example.com ESMTP"), Some(Speaks::Lines));
        assert_eq!(greeting(b"+PONG\r\n"), None);
        assert_eq!(word(b"-NOAUTH Authentication required.\r\n"), Some(Speaks::Redis));
        assert_eq!(word(b"HTTP/1.1 400 Bad Request\r\n"), Some(Speaks::Http));
        assert_eq!(word(b"<!DOCTYPE HTML><html lang=\"en\">"), Some(Speaks::Http));
        assert_eq!(word(b""), None);
    }
}
