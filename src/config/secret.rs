//! Where a secret is, and how it is fetched: never from the file itself.

use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::place::Place;
use crate::yaml::de;
use crate::yaml::fault::refused;
use crate::yaml::node::{Node, Value};
use crate::yaml::reading::{Reading, Variable, is_variable, variable_of};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In a variable of the environment: `{env: NAME}` or `${NAME}`.
    Env(String),
    /// In a file: `{file: PATH}`. Relative to the configuration; one line end at its end is no part of the secret.
    File(PathBuf),
    /// In systemd's credentials directory: `{credential: NAME}`.
    Credential(String),
}

/// A text that stands here, or where it is. Never holds a password: one that is written inline is refused when it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sourced {
    /// Written here.
    Here(String),
    /// Somewhere else.
    Elsewhere(Source),
}

/// A secret and the place that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRef {
    /// Where the secret is.
    pub source: Source,
    /// Where that is written.
    pub place: Place,
}

/// What secrets are fetched from: the process, or a test's own world.
pub trait Surroundings {
    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<String>;

    /// The text of a file.
    ///
    /// # Errors
    /// As reading a file gives them.
    fn file(&self, path: &Path) -> io::Result<String>;
}

/// A secret that cannot be had. Names its place and where it was sought, never what was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} ({place})")]
pub struct SecretError {
    what: String,
    place: Box<Place>,
    help: String,
}

impl SecretError {
    /// An error at a place.
    pub(super) fn new(what: impl Into<String>, place: &Place) -> Self {
        Self { what: what.into(), place: Box::new(place.clone()), help: String::new() }
    }

    /// The way out; empty where the error says all.
    pub fn help(&self) -> &str {
        &self.help
    }

    /// As a diagnostic (`SW1006`).
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::error(codes::SECRET, self.what.clone()).at(&self.place)
    }
}

impl Source {
    /// Fetches it; `base` is where relative paths begin.
    ///
    /// # Errors
    /// Missing, unreadable or empty.
    pub fn fetch(&self, base: &Path, place: &Place, around: &dyn Surroundings) -> Result<SecretString, SecretError> {
        let wrong = |what: String| SecretError::new(what, place);
        let value = match self {
            Self::Env(name) => around.variable(name).ok_or_else(|| wrong(format!("the environment has no variable `{name}`")))?,
            Self::File(path) => read(&base.join(path), around).map_err(wrong)?,
            Self::Credential(name) => {
                let folder = around.variable("CREDENTIALS_DIRECTORY");
                let folder = folder.ok_or_else(|| SecretError {
                    help: format!(
                        "systemd gives it to its units alone; by hand: `systemd-run --pty --uid=USER -p LoadCredential={name}:FILE steward run-job …`"
                    ),
                    ..wrong(format!("there is no credential `{name}`: `CREDENTIALS_DIRECTORY` is not set"))
                })?;
                read(&Path::new(&folder).join(name), around).map_err(wrong)?
            }
        };
        if value.is_empty() {
            return Err(wrong(format!("{self} is empty")));
        }
        Ok(SecretString::from(value))
    }
}

fn read(path: &Path, around: &dyn Surroundings) -> Result<String, String> {
    let text = around.file(path).map_err(|error| format!("the secret's file `{}` cannot be read: {error}", path.display()))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "the variable `{name}`"),
            Self::File(path) => write!(f, "the file `{}`", path.display()),
            Self::Credential(name) => write!(f, "the credential `{name}`"),
        }
    }
}

/// Where a secret is: exactly one of these.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "the source of a secret", deny_unknown_fields)]
#[schemars(rename = "SourceEntry")]
pub struct SourceEntry {
    /// A variable of the environment.
    pub env: Option<String>,
    /// A file; relative to the configuration.
    pub file: Option<String>,
    /// A credential of systemd.
    pub credential: Option<String>,
}

fn source(node: &Node, reading: &mut Reading<'_>) -> Option<Source> {
    let notes = reading.notes.len();
    let entry = de::read::<SourceEntry>(node, reading)?;
    let source = match (entry.env, entry.file, entry.credential) {
        (Some(name), None, None) if is_variable(&name) => Some(Source::Env(name)),
        (Some(name), None, None) => {
            reading.unreadable(
                node,
                format!("`{name}` cannot be the name of a variable"),
                Some("letters, digits and `_`".to_owned()),
            );
            None
        }
        (None, Some(path), None) if !path.is_empty() => Some(Source::File(path.into())),
        (None, None, Some(name)) if !name.is_empty() && !name.contains('/') && name != ".." => Some(Source::Credential(name)),
        (None, None, Some(_)) => {
            reading.unreadable(node, "a credential is a name, without `/`", None);
            None
        }
        _ => {
            reading.unreadable(
                node,
                "a secret has one source",
                Some("write one of `{ env: NAME }`, `{ file: PATH }`, `{ credential: NAME }`".to_owned()),
            );
            None
        }
    };
    source.filter(|_| reading.notes.len() == notes)
}

/// A password: its source only; one that stands in the file is refused.
fn secret(node: &Node, reading: &mut Reading<'_>) -> Option<SecretRef> {
    let source = match &node.value {
        Value::Scalar(scalar) => match variable_of(&scalar.text) {
            Variable::Whole(name) => Some(Source::Env(name.to_owned())),
            _ => {
                refuse_inline(node, reading);
                None
            }
        },
        _ => source(node, reading),
    }?;
    Some(SecretRef { source, place: node.place.clone() })
}

/// Where a secret is says nothing of what it is: no variable is looked up here.
fn without_variables<T, E: serde::de::Error>(node: &Node, read: fn(&Node, &mut Reading<'_>) -> Option<T>) -> Result<T, E> {
    let mut reading = Reading::new(&|_| None);
    read(node, &mut reading).ok_or_else(|| match reading.notes.first() {
        Some(note) => refused(note),
        None => E::custom("this cannot be read"),
    })
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        without_variables(&Node::deserialize(deserializer)?, secret)
    }
}

impl<'de> Deserialize<'de> for Sourced {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        without_variables(&Node::deserialize(deserializer)?, sourced)
    }
}

/// Notes a password that is written in the file.
pub(super) fn refuse_inline(node: &Node, reading: &mut Reading<'_>) {
    let diagnostic = Diagnostic::error(codes::INLINE_PASSWORD, "a password is written here; it was not used");
    reading.note(diagnostic.at(&node.place).help("write `password: { env: NAME }`, `{ file: PATH }` or `{ credential: NAME }`, and change the password: this file has been read"));
}

/// A text, or its source. The variable of `${NAME}` is fetched when it is needed, so that checking needs no secrets.
fn sourced(node: &Node, reading: &mut Reading<'_>) -> Option<Sourced> {
    match &node.value {
        Value::Scalar(scalar) => match variable_of(&scalar.text) {
            Variable::Whole(name) => Some(Sourced::Elsewhere(Source::Env(name.to_owned()))),
            _ => reading.text(node).map(Sourced::Here),
        },
        _ => source(node, reading).map(Sourced::Elsewhere),
    }
}

impl JsonSchema for SecretRef {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [generator.subschema_for::<SourceEntry>(), { "type": "string", "pattern": "^\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}$" }] })
    }
}

impl JsonSchema for Sourced {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, generator.subschema_for::<SourceEntry>()] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use std::collections::HashMap;

    struct World(HashMap<&'static str, &'static str>);

    impl Surroundings for World {
        fn variable(&self, name: &str) -> Option<String> {
            self.0.get(name).map(ToString::to_string)
        }

        fn file(&self, path: &Path) -> io::Result<String> {
            self.0.get(path.to_str().unwrap()).map(ToString::to_string).ok_or_else(|| io::ErrorKind::NotFound.into())
        }
    }

    fn place() -> Place {
        Place::File { file: "steward.yaml".into(), line: 3, column: 5 }
    }

    #[test]
    fn a_secret_is_fetched_from_where_it_is_named() {
        let world = World(HashMap::from([
            ("A", "one"),
            ("/etc/s", "two\n"),
            ("/base/s", " three\r\n"),
            ("CREDENTIALS_DIRECTORY", "/run/c"),
            ("/run/c/db", "four"),
        ]));
        let fetch = |source: Source| source.fetch(Path::new("/base"), &place(), &world).unwrap().expose_secret().to_owned();
        assert_eq!(fetch(Source::Env("A".into())), "one");
        assert_eq!(fetch(Source::File("/etc/s".into())), "two");
        assert_eq!(fetch(Source::File("s".into())), " three");
        assert_eq!(fetch(Source::Credential("db".into())), "four");
    }

    #[test]
    fn a_secret_that_cannot_be_had_names_its_place() {
        let world = World(HashMap::from([("EMPTY", "")]));
        for source in
            [Source::Env("B".into()), Source::Env("EMPTY".into()), Source::File("x".into()), Source::Credential("c".into())]
        {
            let error = source.fetch(Path::new("/"), &place(), &world).unwrap_err();
            assert!(error.to_string().ends_with("(steward.yaml:3:5)"), "{error}");
        }
    }
}
