//! Why a value could not be read, on its way through serde.

use crate::diagnostic::codes::{self, Code};
use crate::diagnostic::message::Diagnostic;
use crate::place::Place;
use serde::de::Error;
use std::fmt;

/// Why a value could not be read.
#[derive(Debug)]
pub enum Fault {
    /// It was noted where it was found.
    Noted,
    /// A struct lacks this key.
    Missing(&'static str),
    /// None of these words.
    Word(&'static [&'static str]),
    /// A sentence; see [`refused`].
    Says(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Fault {}

impl Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Says(message.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::Word(expected)
    }
}

const BETWEEN: char = '\u{1f}';

/// A diagnostic as an error of any deserializer: code, message, ways out and place survive the way through serde.
pub fn refused<E: Error>(diagnostic: &Diagnostic) -> E {
    let place = match &diagnostic.place {
        Some(Place::File { line, column, .. }) => format!("{line}:{column}"),
        _ => String::new(),
    };
    let parts = [diagnostic.code.as_str(), &place, &diagnostic.message];
    let all: Vec<&str> = parts.into_iter().chain(diagnostic.help.iter().map(String::as_str)).collect();
    E::custom(all.join(&BETWEEN.to_string()))
}

/// The diagnostic that [`refused`] was given, or a plain sentence as one.
pub(super) fn diagnostic_of(says: &str, at: &Place) -> Diagnostic {
    let mut parts = says.split(BETWEEN);
    let (code, place, message) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let (Some(code), Some(place), Some(message)) = (codes::explained(code).map(|known| known.code), place, message) else {
        return Diagnostic::error(codes::UNREADABLE_VALUE, says).at(at);
    };
    let place = match (place.split_once(':').and_then(|(line, column)| Some((line.parse().ok()?, column.parse().ok()?))), at) {
        (Some((line, column)), Place::File { file, .. }) => Place::File { file: file.clone(), line, column },
        _ => at.clone(),
    };
    parts.fold(Diagnostic::error(code, message).at(&place), Diagnostic::help)
}

/// A text that means nothing here, as an error.
pub fn unreadable<E: Error>(code: Code, message: impl Into<String>, help: Option<String>) -> E {
    refused(&Diagnostic::error(code, message).help_if(help))
}
