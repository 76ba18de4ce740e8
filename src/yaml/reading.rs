//! Turning a tree into values: what is wrong is noted, and the reading goes on.

use super::node::{Node, Value};
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;

/// The state of a reading: the variables it may use, and what it found wrong.
pub struct Reading<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    /// What is wrong so far.
    pub notes: Vec<Diagnostic>,
}

impl<'a> Reading<'a> {
    /// Begins a reading; `variable` looks names up in the environment.
    pub fn new(variable: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { variable, notes: vec![] }
    }

    /// A variable of the environment, for what only decides how a text is read; never shown.
    pub fn variable(&self, name: &str) -> Option<String> {
        (self.variable)(name)
    }

    /// Notes what is wrong.
    pub fn note(&mut self, diagnostic: Diagnostic) {
        self.notes.push(diagnostic);
    }

    /// Notes that something else stands where `expected` should.
    pub fn wrong_kind(&mut self, node: &Node, expected: &str) {
        let help = match &node.value {
            Value::Null if expected.contains("list") => Some("an empty list is written `[]`".to_owned()),
            Value::Null => Some("write a value, or leave the key out".to_owned()),
            Value::Scalar(_) if expected == "the keys of a store" => Some("write `{ url: \"…\" }`".to_owned()),
            Value::Scalar(scalar) if expected.contains("list") => Some(format!("write `[{}]`", scalar.text)),
            _ => None,
        };
        let message = format!("expected {expected}, found {}", node.kind());
        self.note(Diagnostic::error(codes::WRONG_KIND, message).at(&node.place).help_if(help));
    }

    /// Notes that a text means nothing here.
    pub fn unreadable(&mut self, node: &Node, message: impl Into<String>, help: Option<String>) {
        self.note(Diagnostic::error(codes::UNREADABLE_VALUE, message).at(&node.place).help_if(help));
    }

    /// The text of a single value, `${NAME}` replaced; notes what is wrong and gives none.
    pub fn text(&mut self, node: &Node) -> Option<String> {
        let Value::Scalar(scalar) = &node.value else {
            self.wrong_kind(node, "a single value");
            return None;
        };
        match variable_of(&scalar.text) {
            Variable::None => Some(scalar.text.clone()),
            Variable::Whole(name) => {
                let value = (self.variable)(name);
                if value.is_none() {
                    let message = format!("the environment has no variable `{name}`");
                    self.note(
                        Diagnostic::error(codes::VARIABLE, message)
                            .at(&node.place)
                            .help(format!("set `{name}`, or write the value here")),
                    );
                }
                value
            }
            Variable::Inside => {
                let message = "`${…}` stands inside a longer text, and would not be replaced";
                let help = "a variable must be the whole value: `${NAME}`";
                self.note(Diagnostic::error(codes::VARIABLE, message).at(&node.place).help(help));
                None
            }
        }
    }
}

/// How a text speaks of variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable<'t> {
    /// Not at all.
    None,
    /// It is `${NAME}` and nothing else.
    Whole(&'t str),
    /// It contains `${`, and would not be replaced.
    Inside,
}

/// The variable that a text consists of, if any.
pub fn variable_of(text: &str) -> Variable<'_> {
    match text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
        Some(name) if is_variable(name) => Variable::Whole(name),
        _ if text.contains("${") => Variable::Inside,
        _ => Variable::None,
    }
}

/// True for what can be the name of a variable.
pub fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}
