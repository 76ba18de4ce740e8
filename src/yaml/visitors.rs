//! What a tree gives beyond plain values: a value with its place, an entry with its name, one value or several.

use super::node::{At, Entry, Key, Named, Node, Scalar, Value};
use crate::place::Place;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::marker::PhantomData;

pub(super) const ENTRY: &str = "$entry";
pub(super) const AT: &str = "$at";
pub(super) const OR_NULL: &str = "$or_null";
/// A newtype of this name takes one value, or a list of them.
pub(super) const ONE_OR_MANY: &str = "$one_or_many";

fn place_from<'de, A: SeqAccess<'de>>(seq: &mut A) -> Result<Place, A::Error> {
    let lacks = || A::Error::custom("no place");
    let file: String = seq.next_element()?.ok_or_else(lacks)?;
    let line = seq.next_element()?.ok_or_else(lacks)?;
    let column = seq.next_element()?.ok_or_else(lacks)?;
    Ok(Place::File { file: file.into(), line, column })
}

struct AtVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AtVisitor<T> {
    type Value = At<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value with its place")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<At<T>, A::Error> {
        let value = seq.next_element()?.ok_or_else(|| A::Error::custom("no value"))?;
        Ok(At::new(value, place_from(&mut seq)?))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(AT, AtVisitor(PhantomData))
    }
}

struct EntryVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EntryVisitor<T> {
    type Value = Entry<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Entry<T>, A::Error> {
        let value: Option<T> = seq.next_element()?.flatten();
        let name: Option<String> = seq.next_element()?;
        let broken = seq.next_element()?.unwrap_or(true);
        Ok(Entry {
            broken: broken || value.is_none(),
            value,
            name: name.filter(|name| !name.is_empty()),
            place: place_from(&mut seq)?,
        })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entry<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(ENTRY, EntryVisitor(PhantomData))
    }
}

struct NamedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for NamedVisitor<T> {
    type Value = Named<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names, each with its keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
        let mut named = vec![];
        while let Some((key, entry)) = map.next_entry::<At<String>, Entry<T>>()? {
            named.push((Key { place: key.place, text: key.value }, entry));
        }
        Ok(Named(named))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct("names, each with its keys", NamedVisitor(PhantomData))
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Scalar(Scalar { text: text.to_owned(), quoted: true }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = vec![];
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut pairs = vec![];
        while let Some((key, value)) = map.next_entry::<At<String>, Node>()? {
            pairs.push((Key { place: key.place, text: key.value }, value));
        }
        Ok(Value::Map(pairs))
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

/// A part of a tree as it stands, for what decides itself how it is read.
impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        At::deserialize(deserializer).map(|At { value, place }| Self { place, value })
    }
}

struct Many<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Many<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one value, or a list of them")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut items = vec![];
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(items)
    }
}

/// One value, or a list of them.
///
/// # Errors
/// As the values give them.
pub fn one_or_many<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_newtype_struct(ONE_OR_MANY, Many(PhantomData))
}

struct PairsVisitor<T>(&'static str, PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for PairsVisitor<T> {
    type Value = Vec<(String, T)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<(String, T)>, A::Error> {
        let mut pairs = vec![];
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}

/// Keys that people choose, each with a value, in the order they are written. `what` names them in a sentence.
///
/// # Errors
/// As the values give them.
pub fn pairs<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    what: &'static str,
    deserializer: D,
) -> Result<Vec<(String, T)>, D::Error> {
    deserializer.deserialize_newtype_struct(what, PairsVisitor(what, PhantomData))
}

/// A text, or `null` for none.
#[derive(Debug)]
pub struct OrNull(pub Option<String>);

impl<'de> Deserialize<'de> for OrNull {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(OR_NULL, OrNullVisitor)
    }
}

struct OrNullVisitor;

impl<'de> Visitor<'de> for OrNullVisitor {
    type Value = OrNull;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or `null`")
    }

    fn visit_unit<E: Error>(self) -> Result<OrNull, E> {
        Ok(OrNull(None))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<OrNull, E> {
        Ok(OrNull(Some(text.to_owned())))
    }
}
