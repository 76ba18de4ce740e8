//! Conditions and queries that people write in a store's own language: what can be known of them by their letters alone.
//!
//! A condition is one expression and nothing else, all of which counts: what a store would take for a comment, for a
//! placeholder or for a second statement is refused where it is declared, and again before the store sees it. What it means is
//! asked of the store itself (`store::condition`).

mod cypher;
mod effects;
mod sql;

use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::place::Place;
use crate::yaml::node::At;
use crate::yaml::reading::Reading;

/// The language that a store's conditions are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// SQLite's SQL.
    Sqlite,
    /// PostgreSQL's.
    Postgres,
    /// MySQL's and MariaDB's.
    Mysql,
    /// Neo4j's Cypher.
    Cypher,
    /// Not known yet: the store's URL is elsewhere, or the store is not declared.
    Unknown,
}

/// Which language a store's conditions are written in.
pub type Languages<'a> = &'a dyn Fn(&str) -> Language;

impl Language {
    const KNOWN: [Self; 4] = [Self::Postgres, Self::Sqlite, Self::Mysql, Self::Cypher];

    /// Finds by its letters what is not one condition, or what in it would not count.
    ///
    /// Of a language that is not known only what every language refuses is refused here; the store decides later.
    ///
    /// # Errors
    /// What it holds, in a few words: ``holds a comment (`#`)``.
    pub fn condition(self, text: &str) -> Result<(), String> {
        self.read(text, Kind::Condition)
    }

    /// The same for a whole query of which the answer is read: it may hold comments.
    ///
    /// # Errors
    /// What it holds, in a few words.
    pub fn query(self, text: &str) -> Result<(), String> {
        self.read(text.trim_end_matches(|c: char| c == ';' || c.is_whitespace()), Kind::Query)
    }

    /// The same for a statement that changes rows: neither comments nor placeholders.
    ///
    /// # Errors
    /// What it holds, in a few words.
    pub fn statement(self, text: &str) -> Result<(), String> {
        self.read(text, Kind::Statement)
    }

    fn read(self, text: &str, kind: Kind) -> Result<(), String> {
        if text.trim().is_empty() {
            return Err("is empty".to_owned());
        }
        match self {
            Self::Cypher => cypher::read(text, kind),
            Self::Unknown => {
                let answers = Self::KNOWN.map(|language| language.read(text, kind));
                answers.into_iter().find(Result::is_ok).unwrap_or_else(|| Self::Postgres.read(text, kind))
            }
            sql => sql::read(text, sql, kind),
        }
    }
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Condition,
    Query,
    Statement,
}

/// A condition that stands in a declaration; none, with a note at its place, when it is more or less than one.
pub fn declared(condition: &At<String>, language: Language, reading: &mut Reading<'_>) -> Option<At<String>> {
    let condition = says_something(condition, reading)?;
    match language.condition(&condition.value) {
        Ok(()) => Some(condition),
        Err(fault) => {
            reading.note(refused("the condition", &fault, &condition.place));
            None
        }
    }
}

/// A text in a store's language that cannot be used, and where it stands.
pub fn refused(what: &str, fault: &str, place: &Place) -> Diagnostic {
    Diagnostic::error(codes::CONDITION_TEXT, format!("{what} {fault}; nothing of it would be asked of the store"))
        .at(place)
        .help("write one condition, query or statement, in which all counts: `status = 'closed' AND region = 'EU'`")
}

/// A condition that says something.
fn says_something(condition: &At<String>, reading: &mut Reading<'_>) -> Option<At<String>> {
    if condition.value.trim().is_empty() {
        let diagnostic = Diagnostic::error(codes::EMPTY_CONDITION, "`where` is empty; it would mean all rows");
        reading.note(diagnostic.at(&condition.place).help("leave the key out if all rows are meant"));
        return None;
    }
    Some(condition.clone())
}
