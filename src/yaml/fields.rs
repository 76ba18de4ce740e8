//! The keys of a map: each is asked for once, and what nobody asked for is an unknown key.

use super::de;
use super::keys;
use super::node::{Key, Node, Value};
use super::reading::{Reading, Variable, variable_of};
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// A map while its keys are read.
pub struct Fields<'n> {
    first: HashMap<&'n str, &'n Node>,
}

impl<'n> Fields<'n> {
    /// Opens a map; unknown and duplicate keys are noted at once. None when it is no map.
    pub fn open(node: &'n Node, of: &'static str, known: &[&str], reading: &mut Reading<'_>) -> Option<Self> {
        let Value::Map(pairs) = &node.value else {
            reading.wrong_kind(node, &format!("the keys of {of}"));
            return None;
        };
        let mut first: HashMap<&str, (&Key, &Node)> = HashMap::new();
        for (key, value) in pairs {
            if let Some((earlier, _)) = first.get(key.text.as_str()) {
                let diagnostic = Diagnostic::error(codes::DUPLICATE_KEY, format!("duplicate key `{}`", key.text));
                reading.note(diagnostic.at(&key.place).also(&earlier.place, "the first is here").help("keep one of them"));
                continue;
            }
            first.insert(&key.text, (key, value));
            if !known.contains(&key.text.as_str()) {
                reading.note(keys::unknown(key, of, known));
            }
        }
        Some(Self { first: first.into_iter().map(|(text, (_, value))| (text, value)).collect() })
    }

    /// The value of a key; none when it is absent or cannot be read.
    pub fn take<T: DeserializeOwned>(&self, key: &str, reading: &mut Reading<'_>) -> Option<T> {
        let node = self.first.get(key)?;
        if keys::is_shown(key)
            && matches!(&node.value, Value::Scalar(scalar) if matches!(variable_of(&scalar.text), Variable::Whole(_)))
        {
            reading.note(keys::secret_shown(key, &node.place));
            return None;
        }
        de::read(node, reading)
    }
}
