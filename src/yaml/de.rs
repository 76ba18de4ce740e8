//! Reading a tree with serde: types derive `Deserialize`, and every mistake in the tree is told in one pass.
//!
//! serde ends at the first error. So a value that cannot be read is noted, left out, and the tree is read again, until what is
//! left can be read. A key that may be left out then counts as absent, an item of a list as not there, and an [`Entry`](super::node::Entry) says that
//! something in it is wrong.

use super::fault::Fault;
use super::keys;
use super::node::{Key, Node, Value};
use super::pass::Pass;
use super::reading::{Reading, Variable, variable_of};
use super::visitors::{AT, ENTRY, ONE_OR_MANY, OR_NULL};
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::diagnostic::suggest;
use crate::place::Place;
use serde::Deserializer;
use serde::de::value::{StrDeserializer, StringDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use std::collections::HashMap;

/// Mistakes that are told of one tree; reading goes over the tree once for each.
const MOST_MISTAKES: usize = 500;

/// A struct of this name may be written as its first field alone: `clock: created_at` for `clock: { column: created_at }`.
const SHORTHAND: &str = "short:";

/// The value that a tree holds; none when not even an incomplete one is left. What is wrong is noted.
pub fn read<T: DeserializeOwned>(node: &Node, reading: &mut Reading<'_>) -> Option<T> {
    let pass = Pass::new(reading);
    for _ in 0..MOST_MISTAKES {
        let read = pass.settled(node, T::deserialize(Tree { node, pass: &pass }));
        match read {
            Ok(value) => return Some(value),
            Err(_) if pass.is_left_out(node) => return None,
            Err(_) => {}
        }
    }
    let message = format!("more than {MOST_MISTAKES} mistakes; what follows was not read");
    pass.note(Diagnostic::error(codes::SIZE, message).at(&node.place));
    None
}

/// A node, as serde reads it.
#[derive(Clone, Copy)]
struct Tree<'n, 'p, 'r> {
    node: &'n Node,
    pass: &'n Pass<'p, 'r>,
}

impl<'n, 'p, 'r> Tree<'n, 'p, 'r> {
    fn items(self, items: &'n [Node]) -> Items<'n, 'p, 'r> {
        Items { items: items.iter(), pass: self.pass }
    }

    fn pairs(self, pairs: &'n [(Key, Node)], of: &'static str, known: Option<&'static [&'static str]>) -> Pairs<'n, 'p, 'r> {
        Pairs { tree: self, of, known, rest: pairs.iter(), seen: HashMap::new(), value: None }
    }

    fn number<T>(self, parse: impl Fn(&str) -> Option<T>, what: &str, help: impl Fn(&str) -> Option<String>) -> Result<T, Fault> {
        let text = self.pass.text(self.node)?;
        parse(&text).ok_or_else(|| {
            let diagnostic = Diagnostic::error(codes::UNREADABLE_VALUE, format!("`{text}` is {what}")).at(&self.node.place);
            self.pass.refuse(self.node, diagnostic.help_if(help(&text)))
        })
    }
}

fn meant_truth(text: &str) -> Option<String> {
    match text.to_lowercase().as_str() {
        "yes" | "on" | "y" | "1" | "true" => Some("write `true`".to_owned()),
        "no" | "off" | "n" | "0" | "false" => Some("write `false`".to_owned()),
        _ => None,
    }
}

impl<'de> Deserializer<'de> for Tree<'_, '_, '_> {
    type Error = Fault;

    /// The value as it stands, `${NAME}` included.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Scalar(scalar) => visitor.visit_str(&scalar.text),
            Value::List(items) => visitor.visit_seq(self.items(items)),
            Value::Map(pairs) => visitor.visit_map(self.pairs(pairs, "", None)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_string(self.pass.text(self.node)?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_bool(self.number(|text| text.parse().ok(), "neither `true` nor `false`", meant_truth)?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u64(self.number(|text| text.replace('_', "").parse().ok(), "not a whole number", |_| None)?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let number = |text: &str| text.parse().ok().filter(|number: &f64| number.is_finite());
        let without_sign = |text: &str| text.strip_suffix('%').map(|bare| format!("write `{}`", bare.trim()));
        visitor.visit_f64(self.number(number, "not a number", without_sign)?)
    }

    /// A key without a value is a mistake, and not an absent key.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::List(items) => visitor.visit_seq(self.items(items)),
            _ => Err(self.pass.wrong_kind(self.node, "a list")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        match (name, &self.node.value) {
            (AT, _) => visitor.visit_seq(Parts { tree: self, next: 0 }),
            (ENTRY, _) => {
                self.pass.open.borrow_mut().push(self.node);
                let read = visitor.visit_seq(EntryParts { tree: self, next: 0 });
                self.pass.open.borrow_mut().pop();
                read
            }
            (OR_NULL, Value::Null) => visitor.visit_unit(),
            (OR_NULL, _) => self.deserialize_str(visitor),
            (ONE_OR_MANY, Value::List(items)) => visitor.visit_seq(self.items(items)),
            (ONE_OR_MANY, _) => visitor.visit_seq(self.items(std::slice::from_ref(self.node))),
            (_, Value::Map(pairs)) => visitor.visit_map(self.pairs(pairs, "", None)),
            (expected, _) => Err(self.pass.wrong_kind(self.node, expected)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let (of, is_short) = name.strip_prefix(SHORTHAND).map_or((name, false), |of| (of, true));
        let read = match (&self.node.value, keys.first()) {
            (Value::Map(pairs), _) => visitor.visit_map(self.pairs(pairs, of, Some(keys))),
            (Value::Scalar(_), Some(first)) if is_short => visitor.visit_map(Single { key: Some(first), tree: self }),
            (_, _) if is_short => Err(self.pass.wrong_kind(self.node, "a single value")),
            _ => Err(self.pass.wrong_kind(self.node, &format!("the keys of {of}"))),
        };
        match read {
            // It is there, and could not be read: that was told.
            Err(Fault::Missing(key)) if self.node.get(key).is_some() => Err(self.pass.leave_out(self.node)),
            Err(Fault::Missing(key)) => {
                let message = format!("{of} needs the key `{key}`");
                Err(self.pass.refuse(self.node, Diagnostic::error(codes::MISSING_KEY, message).at(&self.node.place)))
            }
            read => read,
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let text = self.pass.text(self.node)?;
        let word: StrDeserializer<'_, Fault> = text.as_str().into_deserializer();
        visitor.visit_enum(word).map_err(|fault| match fault {
            Fault::Word(words) => {
                let diagnostic =
                    Diagnostic::error(codes::UNREADABLE_VALUE, format!("unknown value `{text}`")).at(&self.node.place);
                self.pass.refuse(self.node, diagnostic.help_if(suggest::suggestion(&text, words.iter().copied())))
            }
            fault => fault,
        })
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct map identifier ignored_any
    }
}

/// The items of a list that can be read.
struct Items<'n, 'p, 'r> {
    items: std::slice::Iter<'n, Node>,
    pass: &'n Pass<'p, 'r>,
}

impl<'de> SeqAccess<'de> for Items<'_, '_, '_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some(node) = self.items.by_ref().find(|node| !self.pass.is_left_out(node)) else { return Ok(None) };
        self.pass.settled(node, seed.deserialize(Tree { node, pass: self.pass })).map(Some)
    }
}

/// The keys of a map that are known and can be read.
struct Pairs<'n, 'p, 'r> {
    tree: Tree<'n, 'p, 'r>,
    of: &'static str,
    /// None where people choose the keys.
    known: Option<&'static [&'static str]>,
    rest: std::slice::Iter<'n, (Key, Node)>,
    seen: HashMap<&'n str, &'n Key>,
    value: Option<&'n Node>,
}

impl<'n> Pairs<'n, '_, '_> {
    /// True for a key to be skipped; what is wrong with it is told once.
    fn is_refused(&mut self, key: &'n Key, value: &'n Node) -> bool {
        let pass = self.tree.pass;
        if let Some(earlier) = self.seen.get(key.text.as_str()) {
            if !pass.is_left_out(value) {
                let diagnostic = Diagnostic::error(codes::DUPLICATE_KEY, format!("duplicate key `{}`", key.text));
                pass.refuse(value, diagnostic.at(&key.place).also(&earlier.place, "the first is here").help("keep one of them"));
            }
            return true;
        }
        self.seen.insert(&key.text, key);
        if pass.is_left_out(value) {
            return true;
        }
        let Some(known) = self.known else { return false };
        if !known.contains(&key.text.as_str()) {
            pass.refuse(value, keys::unknown(key, self.of, known));
            return true;
        }
        if keys::is_shown(&key.text)
            && matches!(&value.value, Value::Scalar(scalar) if matches!(variable_of(&scalar.text), Variable::Whole(_)))
        {
            pass.refuse(value, keys::secret_shown(&key.text, &value.place));
            return true;
        }
        false
    }
}

impl<'de> MapAccess<'de> for Pairs<'_, '_, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        while let Some((key, value)) = self.rest.next() {
            if !self.is_refused(key, value) {
                self.value = Some(value);
                return seed.deserialize(KeyText(key)).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        let node = self.value.take().unwrap_or(self.tree.node);
        let pass = self.tree.pass;
        pass.settled(node, seed.deserialize(Tree { node, pass }))
    }
}

/// A struct's first field, written without its key.
struct Single<'n, 'p, 'r> {
    key: Option<&'static str>,
    tree: Tree<'n, 'p, 'r>,
}

impl<'de> MapAccess<'de> for Single<'_, '_, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let key = self.key.take();
        key.map(|key| seed.deserialize(IntoDeserializer::<Fault>::into_deserializer(key))).transpose()
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        self.tree.pass.settled(self.tree.node, seed.deserialize(self.tree))
    }
}

/// A key's text, or the text with its place.
#[derive(Clone, Copy)]
struct KeyText<'n>(&'n Key);

impl<'de> Deserializer<'de> for KeyText<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_str(&self.0.text)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(KeyParts { key: self, next: 0 })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

/// One part of a place: file, line or column.
fn part_of_place<'de, T: DeserializeSeed<'de>>(place: &Place, part: usize, seed: T) -> Result<Option<T::Value>, Fault> {
    let Place::File { file, line, column } = place else { return Ok(None) };
    match part {
        0 => seed.deserialize(IntoDeserializer::<Fault>::into_deserializer(file.as_ref())).map(Some),
        1 => seed.deserialize(IntoDeserializer::<Fault>::into_deserializer(*line)).map(Some),
        2 => seed.deserialize(IntoDeserializer::<Fault>::into_deserializer(*column)).map(Some),
        _ => Ok(None),
    }
}

/// A value, then its place.
struct Parts<'n, 'p, 'r> {
    tree: Tree<'n, 'p, 'r>,
    next: usize,
}

impl<'de> SeqAccess<'de> for Parts<'_, '_, '_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Tree { node, pass } = self.tree;
        self.next += 1;
        match self.next {
            1 => pass.settled(node, seed.deserialize(self.tree)).map(Some),
            part => part_of_place(&node.place, part - 2, seed),
        }
    }
}

/// A key's text, then its place.
struct KeyParts<'n> {
    key: KeyText<'n>,
    next: usize,
}

impl<'de> SeqAccess<'de> for KeyParts<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        self.next += 1;
        match self.next {
            1 => seed.deserialize(self.key).map(Some),
            part => part_of_place(&self.key.0.place, part - 2, seed),
        }
    }
}

/// An entry's value if there is one, its name, whether something in it is wrong, and its place.
struct EntryParts<'n, 'p, 'r> {
    tree: Tree<'n, 'p, 'r>,
    next: usize,
}

impl<'de> SeqAccess<'de> for EntryParts<'_, '_, '_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Tree { node, pass } = self.tree;
        self.next += 1;
        match self.next {
            1 if pass.hollow.borrow().contains(&std::ptr::from_ref(node)) => {
                seed.deserialize(IntoDeserializer::<Fault>::into_deserializer(())).map(Some)
            }
            1 => {
                let read = pass.settled(node, seed.deserialize(self.tree));
                if pass.left_out.borrow_mut().remove(&std::ptr::from_ref(node)) {
                    pass.hollow.borrow_mut().insert(node);
                }
                read.map(Some)
            }
            2 => {
                let name = ["name", "dataset"].into_iter().find_map(|key| node.get(key).and_then(Node::scalar));
                let name: StringDeserializer<Fault> = name.unwrap_or_default().to_owned().into_deserializer();
                seed.deserialize(name).map(Some)
            }
            3 => {
                let is_wrong = pass.wrong.borrow().contains(&std::ptr::from_ref(node));
                seed.deserialize(IntoDeserializer::<Fault>::into_deserializer(is_wrong)).map(Some)
            }
            part => part_of_place(&node.place, part - 4, seed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::node::{At, Entry};
    use crate::yaml::parse::parse;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(rename = "a file", deny_unknown_fields)]
    struct File {
        items: Vec<Entry<Item>>,
        #[expect(dead_code, reason = "only read")]
        count: Option<At<u64>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename = "short:an item", deny_unknown_fields)]
    struct Item {
        name: String,
        size: Option<At<u64>>,
        flag: Option<bool>,
    }

    fn told(text: &str) -> (Option<File>, Vec<String>) {
        let mut reading = Reading::new(&|_| None);
        let file = read(&parse(&"t.yaml".into(), text).unwrap(), &mut reading);
        let place = |note: &Diagnostic| note.place.as_ref().map(ToString::to_string).unwrap_or_default();
        (file, reading.notes.iter().map(|note| format!("{} {} {}", note.code, place(note), note.message)).collect())
    }

    #[test]
    fn every_mistake_of_a_tree_is_told_and_what_is_sound_is_read() {
        let (file, told) =
            told("items:\n  - { name: a, size: x, flag: maybe, colour: red }\n  - b\n  - { size: 1 }\ncount: []\n");
        let mut told = told;
        told.sort();
        assert_eq!(
            told,
            [
                "SW0002 t.yaml:2:38 an item has no key `colour`",
                "SW0004 t.yaml:4:5 an item needs the key `name`",
                "SW0005 t.yaml:5:8 expected a single value, found a list",
                "SW0006 t.yaml:2:22 `x` is not a whole number",
                "SW0006 t.yaml:2:31 `maybe` is neither `true` nor `false`",
            ]
        );
        let items = file.unwrap().items;
        let sound: Vec<Option<&str>> = items.iter().map(|item| item.sound().map(|item| item.name.as_str())).collect();
        assert_eq!(sound, [None, Some("b"), None]);
        let first = items[0].value.as_ref().unwrap();
        assert_eq!((items[0].name.as_deref(), first.size.is_none(), first.flag), (Some("a"), true, None));
    }

    #[test]
    fn what_is_beside_the_point_is_none_at_all() {
        assert_eq!(told("[]").1, ["SW0005 t.yaml:1:1 expected the keys of a file, found a list"]);
        let many = format!("items: [{}]", "{ size: x },".repeat(MOST_MISTAKES));
        assert!(told(&many).1.last().unwrap().contains("more than 500 mistakes"));
    }
}
