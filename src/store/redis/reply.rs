//! What a server answers, read: errors as what they mean for a run, numbers, texts, and the fields of INFO.

use crate::diagnostic::codes;
use crate::store::error::StoreFailure;
use crate::store::error::without_values;
use redis::{ErrorKind, RedisError, ServerError, ServerErrorKind, Value};

/// An error of the driver as what it means for a run. Names and values of keys never stand in its text.
pub fn failure(store: &str, error: &RedisError) -> StoreFailure {
    match error.kind() {
        ErrorKind::AuthenticationFailed => login(store),
        ErrorKind::Server(_) | ErrorKind::Extension => by_code(store, error.code().unwrap_or_default(), error.detail()),
        ErrorKind::InvalidClientConfig => {
            StoreFailure::Failed { store: store.to_owned(), text: without_values(&error.to_string()) }
        }
        _ if error.is_timeout() => StoreFailure::Away { store: store.to_owned(), text: "no answer in time".into() },
        _ => StoreFailure::Away { store: store.to_owned(), text: without_values(&error.to_string()) },
    }
}

/// The same for one answer of several.
pub fn refusal(store: &str, error: &ServerError) -> StoreFailure {
    by_code(store, error.code(), error.details())
}

/// True for an answer that says: not here, or not now; the same call may succeed elsewhere, or a moment later.
pub fn is_moved(error: &ServerError) -> bool {
    matches!(
        error.kind(),
        Some(ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::TryAgain | ServerErrorKind::ReadOnly)
    )
}

fn by_code(store: &str, code: &str, details: Option<&str>) -> StoreFailure {
    let said = details.unwrap_or_default();
    let store = store.to_owned();
    match code {
        // What was refused while the driver got in comes without its code.
        _ if code == "NOPERM" || said.contains("has no permissions to run the") => StoreFailure::Refused {
            code: codes::DENIED,
            text: format!("store `{store}` denies the right to do this: {}", denied(said)),
            help: "`steward plan JOB --sql` prints the commands and the keys that the job needs".into(),
        },
        "NOAUTH" | "WRONGPASS" => login(&store),
        "LOADING" | "TRYAGAIN" | "CLUSTERDOWN" | "BUSY" | "MOVED" | "ASK" | "MASTERDOWN" | "NOREPLICAS" | "MISCONF" => {
            StoreFailure::Busy { store, text: meaning(code).into() }
        }
        "READONLY" => StoreFailure::Away { store, text: "it is a replica now, and takes no writes".into() },
        _ => StoreFailure::Failed { store, text: format!("{code} {}", plain(said)).trim().to_owned() },
    }
}

/// Sentences that are Redis' own and hold no name or value of a key; of longer ones the beginning. Whatever else a server, a module or a proxy
/// says may hold some.
const PLAIN: &[&str] = &[
    "unknown command",
    "unknown subcommand",
    "wrong number of arguments",
    "syntax error",
    "invalid cursor",
    "invalid DB index",
    "DB index is out of range",
    "value is not an integer or out of range",
    "max number of clients reached",
    "Operation against a key holding the wrong kind of value",
    "This instance has cluster support disabled",
    "An LFU maxmemory policy is selected",
    "command not allowed when used memory > 'maxmemory'",
    "Error running script",
    "No matching script",
    "Keys in request don't hash to the same slot",
    "Protocol error",
];

fn plain(said: &str) -> &'static str {
    let sentence = PLAIN.iter().find(|sentence| said.to_ascii_lowercase().starts_with(&sentence.to_ascii_lowercase()));
    sentence.copied().unwrap_or("(the server's words may hold names of keys, and are not repeated)")
}

/// Redis quotes commands here, never keys; anything that does not look like a command goes all the same.
fn denied(said: &str) -> String {
    let command = said.split('\'').nth(1).filter(|_| said.contains("command"));
    let plain = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '|' | '-' | '_'));
    match command.filter(plain) {
        Some(command) => format!("the command `{command}`"),
        None => "a key or a command that the job needs".to_owned(),
    }
}

const fn meaning(code: &str) -> &'static str {
    match code.as_bytes() {
        b"LOADING" => "it is still loading its data",
        b"CLUSTERDOWN" => "the cluster is down",
        b"BUSY" => "a script keeps it busy",
        b"MOVED" | b"ASK" | b"TRYAGAIN" => "keys of the cluster are on the move",
        b"MASTERDOWN" | b"NOREPLICAS" => "not enough replicas answer it",
        _ => "it cannot write its data to disk, and takes no writes",
    }
}

fn login(store: &str) -> StoreFailure {
    StoreFailure::login(store, "")
}

/// An answer of another form than the command has: a proxy, or a server we do not know.
pub fn odd(store: &str, command: &str) -> StoreFailure {
    StoreFailure::Failed { store: store.to_owned(), text: format!("`{command}` was answered in a form that it does not have") }
}

/// The whole number of an answer.
pub fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(int) => Some(*int),
        _ => None,
    }
}

/// The bytes of an answer.
pub fn bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.into_bytes()),
        _ => None,
    }
}

/// The text of an answer.
pub fn text(value: Value) -> Option<String> {
    bytes(value).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// A field of INFO: `field:value`, a line each.
pub fn field<'i>(info: &'i str, name: &str) -> Option<&'i str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_keep_their_meaning_and_lose_names_of_keys() {
        let told = |code: &str, said: &str| by_code("cache", code, Some(said));
        let select = told("ERR", "this user has no permissions to run the 'select' command");
        assert!(matches!(&select, StoreFailure::Refused { text, .. } if text.ends_with("the command `select`")), "{select}");
        let denied = told("NOPERM", "User reader has no permissions to run the 'unlink' command");
        assert!(matches!(&denied, StoreFailure::Refused { text, .. } if text.ends_with("the command `unlink`")), "{denied}");
        let key = told("NOPERM", "no permissions to access the 'user:li@x.com' key");
        assert!(!key.to_string().contains("li@x"), "{key}");
        let script = told("ERR", "Error running script (call to f_1): @user_script:7: bad value li@x.com");
        assert!(script.to_string().ends_with("ERR Error running script"), "{script}");
        let module = told("ERR", "key user:li of li@x.com is odd");
        assert!(!module.to_string().contains("li@x") && !module.to_string().contains("user:li"), "{module}");
        let kind = told("WRONGTYPE", "Operation against a key holding the wrong kind of value");
        assert!(kind.to_string().contains("WRONGTYPE Operation against a key"), "{kind}");
        let unknown = told("ERR", "unknown command 'FOO', with args beginning with: 'user:li' ");
        assert!(!unknown.to_string().contains("user:li"), "{unknown}");
        assert!(told("LOADING", "Redis is loading").is_busy() && told("MOVED", "1 a:1").is_busy());
        assert!(matches!(told("WRONGPASS", "x"), StoreFailure::Misdeclared { .. }));
    }

    #[test]
    fn info_is_a_field_a_line() {
        let info = "# Server\r\nredis_version:7.0.15\r\nredis_mode:cluster\r\n";
        assert_eq!((field(info, "redis_mode"), field(info, "redis"), field(info, "run_id")), (Some("cluster"), None, None));
    }
}
