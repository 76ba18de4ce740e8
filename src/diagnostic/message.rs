//! One thing that is wrong: a stable code, a sentence, the place, the way out.

use super::codes::Code;
use crate::place::Place;
use serde::Serialize;

/// Whether it stops us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing runs until it is put right.
    Error,
    /// Told, and no more.
    Warning,
}

/// One thing that is wrong with what people wrote.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnostic {
    /// Stable; `steward explain` tells more.
    pub code: Code,
    /// Whether it stops us.
    pub severity: Severity,
    /// A lowercase fact, names in backticks. Never holds a secret.
    pub message: String,
    /// Where; absent when there is no place to show, such as a missing file.
    pub place: Option<Place>,
    /// Further places that belong to it, each with what is there.
    pub also: Vec<Further>,
    /// The ways out.
    pub help: Vec<String>,
}

/// Another place that belongs to a diagnostic.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Further {
    /// Where.
    pub place: Place,
    /// What is there.
    pub what: String,
}

impl Diagnostic {
    /// An error; place, further places and help are added by the calls below.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), place: None, also: vec![], help: vec![] }
    }

    /// A warning.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// The same as a warning: told, and stops nothing by itself.
    #[must_use]
    pub fn softened(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// True when it is about a row of a policy table.
    pub fn names_a_row(&self) -> bool {
        self.place.iter().chain(self.also.iter().map(|further| &further.place)).any(|place| matches!(place, Place::Row { .. }))
    }

    /// Points at a place.
    #[must_use]
    pub fn at(mut self, place: &Place) -> Self {
        self.place = Some(place.clone());
        self
    }

    /// Points at a further place and says what is there.
    #[must_use]
    pub fn also(mut self, place: &Place, what: impl Into<String>) -> Self {
        self.also.push(Further { place: place.clone(), what: what.into() });
        self
    }

    /// Adds a way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds a way out, if there is one.
    #[must_use]
    pub fn help_if(mut self, help: Option<String>) -> Self {
        self.help.extend(help);
        self
    }
}
