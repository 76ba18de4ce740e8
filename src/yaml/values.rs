//! How the plain values are read: texts, numbers, truth, lists, names.

use super::node::{At, Entry, Named, Node, Value};
use super::reading::{Read, Reading};
use crate::diagnostic::{codes, message::Diagnostic, suggest};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::StrDeserializer;
use serde::de::{Deserialize, IntoDeserializer};
use std::borrow::Cow;
use std::fmt;

impl Read for String {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Self> {
        reading.text(node)
    }
}

impl Read for bool {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Self> {
        let text = reading.text(node)?;
        match text.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            other => {
                let help = match other.to_lowercase().as_str() {
                    "yes" | "on" | "y" | "1" | "true" => Some("write `true`".to_owned()),
                    "no" | "off" | "n" | "0" | "false" => Some("write `false`".to_owned()),
                    _ => None,
                };
                reading.unreadable(node, format!("`{other}` is neither `true` nor `false`"), help);
                None
            }
        }
    }
}

impl Read for u64 {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Self> {
        let text = reading.text(node)?;
        let number = text.replace('_', "").parse().ok();
        if number.is_none() {
            reading.unreadable(node, format!("`{text}` is not a whole number"), None);
        }
        number
    }
}

impl Read for f64 {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Self> {
        let text = reading.text(node)?;
        let number = text.parse().ok().filter(|number: &Self| number.is_finite());
        if number.is_none() {
            let help = text.strip_suffix('%').map(|bare| format!("write `{}`", bare.trim()));
            reading.unreadable(node, format!("`{text}` is not a number"), help);
        }
        number
    }
}

impl<T: Read> Read for Option<T> {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Self> {
        Some(T::read(node, reading))
    }

    fn absent(_: &str, _: &str, _: &Node, _: &mut Reading<'_>) -> Option<Self> {
        Some(None)
    }
}

impl<T: Read> Read for At<T> {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Self> {
        Some(Self::new(T::read(node, reading)?, node.place.clone()))
    }
}

/// Items that cannot be read are noted and left out.
impl<T: Read> Read for Vec<T> {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Self> {
        let Value::List(items) = &node.value else {
            reading.wrong_kind(node, "a list");
            return None;
        };
        Some(items.iter().filter_map(|item| T::read(item, reading)).collect())
    }
}

impl<T: Read> Read for Entry<T> {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Self> {
        let notes = reading.notes.len();
        let value = T::read(node, reading);
        let broken = value.is_none() || reading.notes.len() > notes;
        let name = ["name", "dataset"].into_iter().find_map(|key| node.get(key).and_then(Node::scalar)).map(str::to_owned);
        Some(Self { value, name, broken, place: node.place.clone() })
    }
}

impl<T: Read> Read for Named<T> {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Self> {
        let Value::Map(pairs) = &node.value else {
            reading.wrong_kind(node, "names, each with its keys");
            return None;
        };
        let mut named: Vec<(super::node::Key, Entry<T>)> = vec![];
        for (key, value) in pairs {
            match named.iter().find(|(earlier, _)| earlier.text == key.text) {
                Some((earlier, _)) => {
                    let diagnostic = Diagnostic::error(codes::DUPLICATE_KEY, format!("`{}` is here twice", key.text));
                    reading.note(diagnostic.at(&key.place).also(&earlier.place, "the first is here").help("keep one of them"));
                }
                None => named.extend(Entry::read(value, reading).map(|entry| (key.clone(), entry))),
            }
        }
        Some(Self(named))
    }
}

/// One word of an enumeration, spelt as serde spells it; the near miss is suggested.
pub fn word<T: for<'de> Deserialize<'de>>(node: &Node, reading: &mut Reading<'_>) -> Option<T> {
    let text = reading.text(node)?;
    let read: Result<T, Choices> =
        T::deserialize(IntoDeserializer::<Choices>::into_deserializer(text.as_str()) as StrDeserializer<'_, Choices>);
    read.map_err(|Choices(choices)| {
        reading.unreadable(node, format!("`{text}` is not known here"), suggest::suggestion(&text, choices.iter().copied()))
    })
    .ok()
}

/// The words an enumeration has: what serde tells when it meets another one.
#[derive(Debug)]
struct Choices(&'static [&'static str]);

impl fmt::Display for Choices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for Choices {}

impl serde::de::Error for Choices {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(&[])
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self(expected)
    }
}

/// The schema of what is inside: places are no part of what people write.
macro_rules! schema_of_inside {
    ($($type:ident),*) => {$(
        impl<T: JsonSchema> JsonSchema for $type<T> {
            fn inline_schema() -> bool {
                T::inline_schema()
            }

            fn schema_name() -> Cow<'static, str> {
                T::schema_name()
            }

            fn schema_id() -> Cow<'static, str> {
                T::schema_id()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                T::json_schema(generator)
            }
        }
    )*};
}
schema_of_inside!(At, Entry);

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Named_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<T>() })
    }
}
