//! What a store answers when it does not do what was asked, and what that means for a run.

use super::server_message;
use crate::diagnostic::codes;
use std::time::Duration;

/// What helps where the server itself does not say more than that it is read-only.
pub(crate) const READ_ONLY_HELP: &str = "let the store's `url` name the primary, and its account one that may write";

/// Why a store did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreFailure {
    /// The store cannot be reached, or went away; may pass by itself.
    #[error("store `{store}` is away: {text}")]
    Away {
        /// The store.
        store: String,
        /// What the network or the server said.
        text: String,
    },
    /// A lock, a deadlock or a timeout: the transaction is rolled back and may be tried again.
    #[error("store `{store}` is busy: {text}")]
    Busy {
        /// The store.
        store: String,
        /// What the server said.
        text: String,
    },
    /// The answer to a COMMIT never came: the batch may or may not be in. Settled by looking.
    #[error("store `{store}` did not answer a commit: {text}")]
    Uncertain {
        /// The store.
        store: String,
        /// What the network said.
        text: String,
    },
    /// What is declared cannot work here; nothing was touched.
    #[error("{text}")]
    Refused {
        /// The stable code, for `steward explain`.
        code: codes::Code,
        /// A lowercase fact.
        text: String,
        /// The way out.
        help: String,
    },
    /// What is configured is wrong: the login is refused, or somebody else answers at the address. Nothing was touched.
    #[error("{text}")]
    Misdeclared {
        /// The stable code, for `steward explain`.
        code: codes::Code,
        /// A lowercase fact.
        text: String,
        /// The way out.
        help: String,
    },
    /// The store refused a statement for good.
    #[error("store `{store}`: {text}")]
    Failed {
        /// The store.
        store: String,
        /// What the server said, values taken out.
        text: String,
    },
}

impl StoreFailure {
    /// A refusal: what is declared cannot work here.
    pub fn refused(code: codes::Code, text: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Refused { code, text: text.into(), help: help.into() }
    }

    /// A login that was refused, and what the server said of it.
    pub fn login(store: &str, said: &str) -> Self {
        let said = if said.is_empty() { String::new() } else { format!(" ({said})") };
        Self::Misdeclared {
            code: codes::LOGIN,
            text: format!("store `{store}`: the login was refused, so the user or the password is wrong{said}"),
            help: "see `user` and `password` of the store in steward.yaml; `steward doctor` tries them".into(),
        }
    }

    /// That a store takes no writes, and the way out.
    pub fn read_only(store: &str, why: &str, help: &str) -> Self {
        Self::refused(codes::READ_ONLY, format!("store `{store}` is read-only: {why}; nothing was changed"), help)
    }

    /// The way out; empty where none is known.
    pub fn help(&self) -> &str {
        match self {
            Self::Refused { help, .. } | Self::Misdeclared { help, .. } => help,
            _ => "",
        }
    }

    /// True when the same batch may succeed on another try, now.
    pub const fn is_busy(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }

    /// True when it may pass by itself, now or later.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Away { .. } | Self::Uncertain { .. })
    }

    /// A call that was given up after `limit`.
    pub fn timed_out(store: &str, limit: Duration) -> Self {
        Self::Away { store: store.to_owned(), text: format!("no answer in {} s", limit.as_secs()) }
    }

    /// Reads a driver's error.
    ///
    /// Server messages can quote values (`Duplicate entry 'li@example.com' for key …`), and triggers can say anything: what is
    /// passed on is told in `store/server_message.rs`.
    pub fn read(store: &str, error: &sqlx::Error) -> Self {
        let store = store.to_owned();
        let text = || harmless(error);
        match error {
            sqlx::Error::Database(database) => match kind(database.as_ref()) {
                Kind::Denied if hides_rows(database.as_ref()) => Self::Refused {
                    code: codes::ROWS_HIDDEN,
                    text: format!("store `{store}` would hide rows from this account: {}", text()),
                    help: "as an administrator: ALTER ROLE … BYPASSRLS; or let the role own the table, without FORCE ROW LEVEL SECURITY".into(),
                },
                Kind::Away if pools_statements(database.as_ref()) => Self::Misdeclared {
                    code: codes::POOLER,
                    text: format!("store `{store}` is behind a pooler in statement mode, which allows no transactions; nothing was touched"),
                    help: "set `pool_mode = transaction` (or `session`) for steward's database or user in PgBouncer, or name PostgreSQL itself in `url`".into(),
                },
                Kind::Busy => Self::Busy { store, text: text() },
                Kind::Away => Self::Away { store, text: text() },
                Kind::ReadOnly => Self::read_only(&store, &text(), READ_ONLY_HELP),
                Kind::Denied => Self::Refused {
                    code: codes::DENIED,
                    text: format!("store `{store}` denies the right to do this: {}", text()),
                    help: "`steward plan JOB --sql` prints the grants that the job needs".into(),
                },
                Kind::Login => Self::login(&store, &text()),
                Kind::Other => Self::Failed { store, text: text() },
            },
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Protocol(_) => Self::Away { store, text: text() },
            _ => Self::Failed { store, text: text() },
        }
    }
}

enum Kind {
    Busy,
    Away,
    ReadOnly,
    Denied,
    Login,
    Other,
}

/// Sorts server codes: SQLSTATE on PostgreSQL, error numbers on MySQL and MariaDB, result codes on SQLite.
fn kind(error: &dyn sqlx::error::DatabaseError) -> Kind {
    if let Some(mysql) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return match mysql.number() {
            1205 | 1213 | 3024 | 1969 | 1317 | 3572 => Kind::Busy,
            1040 | 1053 | 1077 | 1152 | 1927 | 2006 | 2013 | 1203 | 1226 => Kind::Away,
            1290 | 1792 | 1836 | 1874 | 3989 => Kind::ReadOnly,
            1044 | 1142 | 1143 | 1227 | 1370 => Kind::Denied,
            1045 | 1698 | 3118 => Kind::Login,
            _ => Kind::Other,
        };
    }
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        let code = error.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or(0);
        return match code & 0xff {
            5 | 6 => Kind::Busy,
            10 | 13 | 14 => Kind::Away,
            8 => Kind::ReadOnly,
            _ => Kind::Other,
        };
    }
    match error.code().as_deref() {
        Some("40001" | "40P01" | "55P03" | "57014" | "25P03") => Kind::Busy,
        Some("57P01" | "57P02" | "57P03" | "53300" | "57P05") => Kind::Away,
        Some(code) if code.starts_with("08") => Kind::Away,
        Some("25006") => Kind::ReadOnly,
        Some("42501") => Kind::Denied,
        Some("28000" | "28P01") => Kind::Login,
        _ => Kind::Other,
    }
}

/// True when PgBouncer refuses a transaction.
fn pools_statements(error: &dyn sqlx::error::DatabaseError) -> bool {
    error
        .try_downcast_ref::<sqlx::postgres::PgDatabaseError>()
        .is_some_and(|error| error.message().contains("statement pooling mode"))
}

/// True when PostgreSQL refused to leave rows out of an answer, as `row_security = off` has it.
fn hides_rows(error: &dyn sqlx::error::DatabaseError) -> bool {
    let error = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>();
    error.and_then(sqlx::postgres::PgDatabaseError::routine) == Some("check_enable_rls")
}

/// True when the server refused to write because the transaction, or the server, can only read.
pub(crate) fn would_write(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(database) = error else { return false };
    if let Some(mysql) = database.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return mysql.number() == 1792;
    }
    if database.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        return database.code().and_then(|code| code.parse::<i32>().ok()).is_some_and(|code| code & 0xff == 8);
    }
    database.code().as_deref() == Some("25006")
}

/// What may be passed on of an error: of a server's the code, names and our own words, of an answer that cannot be read that
/// it is one. A driver quotes what it cannot read.
fn harmless(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(database) => server_message::harmless(database.as_ref()),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::Encode(_) => {
            "an answer holds a value of a kind that is not read here".to_owned()
        }
        sqlx::Error::Protocol(_) => "the server's answer cannot be understood".to_owned(),
        other => without_values(&other.to_string()),
    }
}

/// Takes out what may be a value: anything between single quotes, or in `(columns)=(values)`.
///
/// From the first quote to the last: servers do not escape a quote inside a value, so nothing in between can be trusted.
pub(crate) fn without_values(text: &str) -> String {
    let text = without_quoted(text, '\'');
    match (text.find(")=("), text.rfind(')')) {
        (Some(at), Some(end)) if end > at + 2 => format!("{}…{}", &text[..at + 3], &text[end..]),
        _ => text,
    }
}

fn without_quoted(text: &str, quote: char) -> String {
    match (text.find(quote), text.rfind(quote)) {
        (Some(first), Some(last)) if first < last => format!("{}{quote}…{}", &text[..first], &text[last..]),
        (Some(first), _) => format!("{}{quote}…", &text[..first]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_sentence_loses_its_values() {
        assert_eq!(without_values("Duplicate entry 'li@x.com' for key 'email'"), "Duplicate entry '…'");
        assert_eq!(without_values("Duplicate entry 'o'brien@x.com' for key 'email'"), "Duplicate entry '…'");
        assert_eq!(without_values("cut off 'li@x.co"), "cut off '…");
        assert_eq!(without_values("Key (email)=(li@x.com) already exists."), "Key (email)=(…) already exists.");
        assert_eq!(without_values("Key (note)=(a) b (c) already exists."), "Key (note)=(…) already exists.");
        assert_eq!(without_values("lock timeout"), "lock timeout");
    }
}
