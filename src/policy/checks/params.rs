//! What a check's keys were given, by key.

use super::field::ReferenceEnd;
use crate::policy::key_pattern::KeyPattern;
use crate::policy::period::Period;
use serde::Serialize;
use std::collections::BTreeMap;

/// A value under a key, read as its shape says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Param {
    /// One text, or one word of a list.
    Text(String),
    /// Columns, labels, types.
    Names(Vec<String>),
    /// Names or globs of lifecycle policies.
    Policies(Vec<String>),
    /// A number, or a size in bytes.
    Number(f64),
    /// A truth.
    Flag(bool),
    /// A period.
    Period(Period),
    /// A pattern.
    Keys(KeyPattern),
    /// One field.
    ReferenceEnd(Box<ReferenceEnd>),
    /// Two fields.
    Ends(Box<(ReferenceEnd, ReferenceEnd)>),
}

/// What a check's keys were given. A key that the shape calls needed is always there: the reading saw to it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Params(pub BTreeMap<&'static str, Param>);

impl Params {
    /// The text or word under a key.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.0.get(key)? {
            Param::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The names under a key; none when it is absent.
    pub fn names(&self, key: &str) -> &[String] {
        match self.0.get(key) {
            Some(Param::Names(names) | Param::Policies(names)) => names,
            _ => &[],
        }
    }

    /// The number, or the bytes, under a key.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.0.get(key)? {
            Param::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth under a key; false when it is absent.
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.0.get(key), Some(Param::Flag(true)))
    }

    /// The period under a key.
    pub fn period(&self, key: &str) -> Option<Period> {
        match self.0.get(key)? {
            Param::Period(period) => Some(*period),
            _ => None,
        }
    }

    /// The pattern under a key.
    pub fn keys(&self, key: &str) -> Option<&KeyPattern> {
        match self.0.get(key)? {
            Param::Keys(pattern) => Some(pattern),
            _ => None,
        }
    }

    /// The field under a key.
    pub fn end(&self, key: &str) -> Option<&ReferenceEnd> {
        match self.0.get(key)? {
            Param::ReferenceEnd(end) => Some(end),
            _ => None,
        }
    }

    /// The two fields under a key: from, to.
    pub fn ends(&self, key: &str) -> Option<(&ReferenceEnd, &ReferenceEnd)> {
        match self.0.get(key)? {
            Param::Ends(ends) => Some((&ends.0, &ends.1)),
            _ => None,
        }
    }
}
