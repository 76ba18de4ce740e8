//! What a YAML text holds, each part with its place.

use crate::place::Place;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub value: Value,
}

/// What stands there.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// One text; what it means is for the reader of the key to say, so `no`, `010` and `1e3` are not guessed at.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// Keys and values in the order they are written, equal keys included.
    Map(Vec<(Key, Node)>),
}

/// One text.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    /// As it reads after YAML's escapes.
    pub text: String,
    /// True when it stands in quotes or in a block.
    pub quoted: bool,
}

/// A key and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Where it begins.
    pub place: Place,
    /// Its text.
    pub text: String,
}

impl Node {
    /// The value of a key, when this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(pairs) => pairs.iter().find(|(known, _)| known.text == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// Its text, when it is one.
    pub fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// What it is, in the words of a message.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Scalar(_) => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "keys and values",
        }
    }
}

/// A value that remembers where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it begins.
    pub place: Place,
}

impl<T> At<T> {
    /// A value at a place.
    pub const fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }

    /// The same place, another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> At<U> {
        At { value: change(self.value), place: self.place }
    }
}

/// An entry of a list, with its name even when the rest of it could not be read.
///
/// So a job that names a policy with a mistake in it is not told that there is no such policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<T> {
    /// What was read; absent or incomplete when `broken`.
    pub value: Option<T>,
    /// Its `name`, else its `dataset`, if either could be read.
    pub name: Option<String>,
    /// True when something in it is wrong, which has been told.
    pub broken: bool,
    /// Where it begins.
    pub place: Place,
}

impl<T> Entry<T> {
    /// The value, if nothing in it is wrong.
    pub fn sound(&self) -> Option<&T> {
        self.value.as_ref().filter(|_| !self.broken)
    }
}

/// A map whose keys are names that people choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Named<T>(pub Vec<(Key, Entry<T>)>);
