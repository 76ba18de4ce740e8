//! All that is wrong, with the texts it was found in.

use super::message::{Diagnostic, Severity};
use super::render;
use super::source::Sources;
use crate::place::Place;
use serde::Serialize;

/// Everything that was found, with the texts it was found in.
#[derive(Debug, Clone, Default)]
pub struct Diagnosis {
    /// In the order of their places once [`Diagnosis::sort`] was called.
    pub diagnostics: Vec<Diagnostic>,
    /// What was read, for the snippets.
    pub sources: Sources,
}

impl Diagnosis {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// True when something stops us.
    pub fn has_errors(&self) -> bool {
        self.errors() > 0
    }

    /// How many stop us.
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|one| one.severity == Severity::Error).count()
    }

    /// Only what does not stop us.
    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|one| one.severity == Severity::Warning)
    }

    /// Orders by file, line and column, errors and warnings mixed; what is said twice of one place is kept once.
    pub fn sort(&mut self) {
        let key = |one: &Diagnostic| match &one.place {
            None => (String::new(), 0, 0),
            Some(Place::File { file, line, column }) => (file.to_string(), *line, *column),
            Some(row @ Place::Row { .. }) => (row.to_string(), 0, 0),
        };
        self.diagnostics.sort_by_cached_key(key);
        self.diagnostics.dedup();
    }

    /// As people read it: every diagnostic with its snippet, then a count. Ends with a newline; empty when nothing was found.
    pub fn render(&self, styled: bool) -> String {
        let mut text: String =
            self.diagnostics.iter().map(|one| render::diagnostic(one, &self.sources, styled) + "\n\n").collect();
        let (errors, warnings) = (self.errors(), self.warnings().count());
        if errors > 0 {
            let also = if warnings > 0 { format!(" and {}", counted(warnings, "warning")) } else { String::new() };
            text += &format!("{}{also}; nothing was run\n", counted(errors, "error"));
        } else if warnings > 0 {
            text += &format!("{}\n", counted(warnings, "warning"));
        }
        text
    }
}

/// `1 error`, `2 errors`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `{ "errors": 2, "warnings": 0, "diagnostics": [ { "code", "severity", "message", "place", "also", "help" } ] }`.
impl Serialize for Diagnosis {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut object = serializer.serialize_struct("Diagnosis", 3)?;
        object.serialize_field("errors", &self.errors())?;
        object.serialize_field("warnings", &self.warnings().count())?;
        object.serialize_field("diagnostics", &self.diagnostics)?;
        object.end()
    }
}

impl std::fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnosis {}
