//! What SQL engines do in their own ways about connections and transactions.

use super::statements::{Answer, Statements};
use futures_util::TryFutureExt;
use std::time::Duration;

/// Implemented in the folder of each engine.
pub trait SessionDialect {
    /// The question for a store's own time in milliseconds since 1970; a file has no clock of its own.
    fn time_query(&self) -> Option<&'static str>;

    /// True where a lock is one on rows, and not on the whole store.
    fn locks_rows(&self) -> bool {
        true
    }

    /// True where every statement runs in a transaction, which is set up with settings that end with it; else a session is set once.
    fn sets_each_transaction(&self) -> bool {
        false
    }

    /// What begins a transaction, in one message with what sets it up.
    fn begin(&self, only_reads: bool, settings: &str) -> String;

    /// What begins a transaction that can only read.
    fn begin_reading(&self, settings: &str) -> String;

    /// The same, where all statements see the store as the first of them found it; and what is said before.
    fn begin_snapshot(&self, settings: &str) -> (Option<&'static str>, String) {
        (None, self.begin_reading(settings))
    }

    /// The setting that makes a session read, behind those that every session states, which let it write; connections come from a
    /// pool. Empty where each of its transactions begins as one that reads.
    fn only_read(&self) -> &'static str;

    /// What every statement begins with, so that whoever watches the server sees whose it is.
    fn comment(&self, _application_name: &str) -> String {
        String::new()
    }

    /// All values of a query's column in one text with commas; and what is said before, if anything.
    fn joined(&self, name: &str) -> (Option<String>, String);

    /// True where a server of this version answers so; servers that share a driver are told apart by it.
    fn answers_as(&self, _version: &str) -> bool {
        true
    }

    /// The question for a setting that is not a session's own to change, and with which a removal would do something else or fail
    /// half-way: one row where it is so; its name; what to do about it.
    fn unfit_setting(&self) -> Option<(&'static str, &'static str, &'static str)> {
        None
    }

    /// The statements that set a session: bounded waits, UTC, every row seen, every constraint checked.
    ///
    /// `application_name` is shown to whoever watches the server; `lock` and `statement` bound what a lock and a statement take.
    fn settings(&self, application_name: &str, lock: Duration, statement: Duration) -> String;

    /// Why the store takes no writes from this account, or is a copy of another, and the way out; none when it takes them. Reads only.
    fn read_only<'a>(&'a self, session: &'a mut dyn Statements) -> Answer<'a, Option<(String, String)>>;

    /// The question for database, schema and account; a file has none.
    fn account_query(&self) -> Option<&'static str> {
        None
    }

    /// The server, by what it calls itself; empty where it does not say, and for a file, which its path names.
    fn server_identity<'a>(&'a self, _session: &'a mut dyn Statements) -> Answer<'a, String> {
        Box::pin(std::future::ready(Ok(String::new())))
    }

    /// The server and, where names stay within one, the database, as long as the server runs.
    fn database_identity<'a>(&'a self, session: &'a mut dyn Statements) -> Answer<'a, String> {
        // Where names reach over databases the server is all.
        Box::pin(self.server_identity(session).map_ok(|server| format!("{server}/")))
    }
}
