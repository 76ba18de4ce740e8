//! What the driver's errors mean for a run.

use crate::diagnostic::codes;
use crate::store::error::READ_ONLY_HELP;
use crate::store::error::StoreFailure;
use crate::store::error::without_values;
use neo4rs::{Error, Neo4jClientErrorKind as Client, Neo4jError, Neo4jErrorKind as Kind, Neo4jSecurityErrorKind as Security};
use std::time::Duration;

/// Getting a connection and a first answer ends after this: a server that is frozen is reported within seconds.
pub(crate) const CONNECT: Duration = Duration::from_secs(8);

/// Reads a driver's error.
///
/// The server's sentences quote values and whole statements, so none is passed on: its code, which says the kind of fault in
/// words, and label and property where a constraint names them.
pub(crate) fn read(store: &str, error: &Error) -> StoreFailure {
    let store = store.to_owned();
    match error {
        Error::Neo4j(error) => of_server(store, error),
        Error::AuthenticationError(_) => StoreFailure::login(&store, ""),
        Error::IOError { .. }
        | Error::ConnectionError
        | Error::ConnectionTimedOut
        | Error::IncompleteBoltExchange
        | Error::ServerUnavailableError(_)
        | Error::RequestIgnoredError
        | Error::Ignored(_) => StoreFailure::Away { store, text: without_values(&error.to_string()) },
        Error::DeserializationError(_) | Error::ConversionError => {
            StoreFailure::Failed { store, text: "an answer holds a value of a kind that is not read here".to_owned() }
        }
        _ => StoreFailure::Failed { store, text: "the server's answer cannot be understood".to_owned() },
    }
}

fn of_server(store: String, error: &Neo4jError) -> StoreFailure {
    let text = harmless(error.code(), error.message());
    let code = error.code();
    if still_related(code, error.message()) || code.contains("TransactionTimedOut") || code.contains("LockClientStopped") {
        return StoreFailure::Busy { store, text };
    }
    if code.ends_with("Statement.AccessMode") {
        return StoreFailure::refused(
            codes::CHECK_UNFIT,
            "this would write, and what looks may only read; nothing was changed".to_owned(),
            "leave `CREATE`, `MERGE`, `SET`, `REMOVE` and `DELETE` out",
        );
    }
    if code.contains("ReadOnly") {
        return StoreFailure::read_only(&store, &text, READ_ONLY_HELP);
    }
    match error.kind() {
        Kind::Transient if code.contains("DatabaseUnavailable") => StoreFailure::Away { store, text },
        Kind::Transient | Kind::Client(Client::TransactionTerminated) => StoreFailure::Busy { store, text },
        Kind::Client(Client::SessionExpired) => StoreFailure::Away { store, text },
        Kind::Client(Client::Security(Security::Forbidden)) => StoreFailure::Refused {
            code: codes::DENIED,
            text: format!("store `{store}` denies the right to do this: {text}"),
            help: "`steward plan JOB --sql` prints what the job does and needs".into(),
        },
        Kind::Client(Client::Security(Security::Authentication)) => StoreFailure::login(&store, &text),
        Kind::Client(Client::FatalDiscovery) => StoreFailure::refused(
            codes::NOT_THERE,
            format!("store `{store}` has no such database: {text}"),
            "the path of its URL names the database; without one it is the server's default",
        ),
        _ => StoreFailure::Failed { store, text },
    }
}

/// True for an error after which a commit is rolled back for certain: the server refused it. Anything else, an answer that was not understood and
/// a fault of the database itself included, says nothing of what became of it.
pub(crate) fn ends_a_commit(error: &Error) -> bool {
    matches!(error, Error::Neo4j(error) if refuses_a_commit(error.code()))
}

fn refuses_a_commit(code: &str) -> bool {
    !code.contains(".DatabaseError.") && !code.contains("DatabaseUnavailable") && !code.ends_with("SessionExpired")
}

/// A node gained a relation between the look at it and the commit: rolled back, and another look says that it stays.
fn still_related(code: &str, message: &str) -> bool {
    code.ends_with("Schema.ConstraintValidationFailed") && message.contains("still has relationships")
}

/// What a server's error says without values: ``Schema.ConstraintValidationFailed (`User`, `email`)``.
fn harmless(code: &str, message: &str) -> String {
    let of_names = code.ends_with("Schema.ConstraintValidationFailed");
    let plain = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    // Names come before the value, which stands behind ` = `.
    let names = message.split(" = ").next().unwrap_or_default().split('`').skip(1).step_by(2).filter(plain);
    let names: Vec<String> = names.filter(|_| of_names).map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => format!("the server refused it ({code})"),
        names => format!("the server refused it ({code}): {}", names.join(", ")),
    }
}

/// Why a statement cannot be planned: no value of a node was looked at, so the server's first line may be told as it is.
pub(crate) fn of_planning(error: &Error) -> Option<String> {
    match error {
        Error::Neo4j(error) if matches!(error.kind(), Kind::Client(Client::Other)) => {
            let line = error.message().lines().next().unwrap_or_default();
            // Where in the statement it is says nothing to whoever wrote only a part of it.
            Some(line.split(" (line ").next().unwrap_or(line).to_owned())
        }
        _ => None,
    }
}

/// Why settings cannot be used; never the URL.
pub(crate) fn of_settings(error: &Error) -> String {
    match error {
        Error::IOError { detail } => format!("the authority in `ca` cannot be read: {detail}"),
        Error::UnsupportedScheme(_) => "its scheme is not `bolt`, `bolt+s` or `bolt+ssc`".to_owned(),
        Error::InvalidDnsName(_) => "its host is no name that a certificate could bear".to_owned(),
        _ => "it is no URL that the driver understands".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_rolled_back_for_certain_only_where_the_server_says_so() {
        assert!(refuses_a_commit("Neo.ClientError.Schema.ConstraintValidationFailed"));
        assert!(refuses_a_commit("Neo.TransientError.Transaction.DeadlockDetected"));
        for code in ["Neo.DatabaseError.Transaction.TransactionCommitFailed", "Neo.TransientError.General.DatabaseUnavailable"] {
            assert!(!refuses_a_commit(code), "{code}");
        }
        assert!(!ends_a_commit(&Error::ConnectionError) && !ends_a_commit(&Error::ConversionError));
    }

    #[test]
    fn a_servers_sentence_loses_its_values() {
        let of = |code: &str, message: &str| harmless(&format!("Neo.ClientError.{code}"), message);
        assert_eq!(
            of("Statement.ArgumentError", "Text \"li@example.com\""),
            "the server refused it (Neo.ClientError.Statement.ArgumentError)"
        );
        assert_eq!(
            of(
                "Schema.ConstraintValidationFailed",
                "Node(12) already exists with label `User` and property `email` = 'a`li@x`b'"
            ),
            "the server refused it (Neo.ClientError.Schema.ConstraintValidationFailed): `User`, `email`"
        );
    }
}
