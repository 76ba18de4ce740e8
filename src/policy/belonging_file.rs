//! What may stand under `belongs_to`, and how it becomes the owners of keys.

use super::checks::field::Field;
use super::condition::{self, Languages};
use super::key_pattern::KeyPattern;
use super::owner::{Belonging, IdFrom, Owners};
use crate::diagnostic::codes::{self, Code};
use crate::diagnostic::message::Diagnostic;
use crate::place::Place;
use crate::yaml::node::At;
use crate::yaml::reading::Reading;
use crate::yaml::visitors::one_or_many;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// What keys belong to: rows of a table (`field`), or other keys (`keys`).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "short:an owner of keys", deny_unknown_fields)]
#[schemars(rename = "BelongingParts")]
pub struct BelongingParts {
    /// The column that holds the owners' ids: `core.users.id`.
    pub field: Option<At<String>>,
    /// The name of an owner that is itself a key, `{id}` for its id: `user:session:{id}`.
    pub keys: Option<At<KeyPattern>>,
    /// The store of these `keys`; the policy's own by default.
    pub store: Option<At<String>>,
    /// Where a key says whose it is; `key` by default where the policy's pattern has `{id}`, else `value`.
    pub id: Option<IdFrom>,
    /// Which rows count, in their store's own language; not for `keys`.
    pub r#where: Option<At<String>>,
}

/// One owner, or several of which all must be there.
#[derive(Debug, Clone)]
pub struct BelongingEntry(Vec<At<BelongingParts>>);

impl<'de> Deserialize<'de> for BelongingEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_or_many(deserializer).map(Self)
    }
}

impl JsonSchema for BelongingEntry {
    fn schema_name() -> Cow<'static, str> {
        "Belonging".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let parts = generator.subschema_for::<BelongingParts>();
        let owner = json_schema!({ "anyOf": [{ "type": "string" }, parts] });
        json_schema!({ "anyOf": [{ "type": "string" }, parts, { "type": "array", "items": owner, "minItems": 1 }] })
    }
}

/// The owners that an entry declares for these keys of a store; none, with notes, when they cannot be.
pub(super) fn belonging(
    entry: &At<BelongingEntry>,
    store: &str,
    keys: &KeyPattern,
    languages: Languages<'_>,
    reading: &mut Reading<'_>,
) -> Option<Vec<Belonging>> {
    if entry.value.0.is_empty() {
        let help = "name an owner, `belongs_to: core.users.id`, or leave `belongs_to` out";
        return refuse(reading, codes::SIZE, "`belongs_to` names no owner", &entry.place, help);
    }
    let owners: Vec<_> = entry.value.0.iter().map(|owner| self::owner(owner, store, keys, languages, reading)).collect();
    owners.into_iter().collect()
}

fn owner(
    entry: &At<BelongingParts>,
    store: &str,
    keys: &KeyPattern,
    languages: Languages<'_>,
    reading: &mut Reading<'_>,
) -> Option<Belonging> {
    let parts = &entry.value;
    let to = match (&parts.field, &parts.keys) {
        (Some(field), None) => rows(field, parts, languages, reading)?,
        (None, Some(owner)) => other_keys(owner, parts, store, keys, reading)?,
        (Some(_), Some(owner)) => {
            let text = "`field` and `keys` are two owners, and stand in one";
            let help = "write both as a list: `belongs_to: [{ field: core.users.id }, { keys: \"user:session:{id}\" }]`";
            return refuse(reading, codes::MISSING_KEY, text, &owner.place, help);
        }
        (None, None) => {
            let help = "rows: `field: core.users.id`; other keys: `keys: \"user:session:{id}\"`";
            return refuse(reading, codes::MISSING_KEY, "an owner of keys needs a `field` or `keys`", &entry.place, help);
        }
    };
    let id = parts.id.unwrap_or(if keys.has_id() { IdFrom::Key } else { IdFrom::Value });
    if id == IdFrom::Key && !keys.has_id() {
        let text = format!("`{keys}` does not say which piece of a key is the owner's id");
        let help = "write `{id}` for that piece: `cache:user:{id}`; or `id: value` where the value is the id";
        return refuse(reading, codes::MISSING_KEY, &text, &entry.place, help);
    }
    Some(Belonging { to, id })
}

fn rows(field: &At<String>, parts: &BelongingParts, languages: Languages<'_>, reading: &mut Reading<'_>) -> Option<Owners> {
    if let Some(store) = &parts.store {
        let help = "take `store` out: a `field` names its store itself, as in `core.users.id`";
        return refuse(reading, codes::UNKNOWN_KEY, "`store` is for owners that are `keys`", &store.place, help);
    }
    let read = match Field::read(&field.value, |_| false) {
        Ok(read) => read,
        Err(message) => {
            reading.note(Diagnostic::error(codes::UNREADABLE_VALUE, message).at(&field.place));
            return None;
        }
    };
    let r#where = match &parts.r#where {
        Some(written) => Some(condition::declared(written, languages(&read.dataset.store), reading)?.value),
        None => None,
    };
    Some(Owners::Rows { dataset: read.dataset, column: read.column.unwrap_or_default(), r#where })
}

fn other_keys(
    owner: &At<KeyPattern>,
    parts: &BelongingParts,
    own_store: &str,
    own: &KeyPattern,
    reading: &mut Reading<'_>,
) -> Option<Owners> {
    let (pattern, store) = (&owner.value, parts.store.as_ref().map_or(own_store, |store| &store.value));
    if let Some(condition) = &parts.r#where {
        let help = "take `where` out: a key is there, or it is not";
        return refuse(reading, codes::UNKNOWN_KEY, "`where` is for rows of a `field`", &condition.place, help);
    }
    if !pattern.has_id() {
        let text = format!("`{pattern}` does not say where the id stands: all keys would have one owner");
        let help = "write `{id}` for it: `user:session:{id}`";
        return refuse(reading, codes::MISSING_KEY, &text, &owner.place, help);
    }
    let Some(example) = pattern.name_of(b"1").or_else(|| pattern.name_of(b"a")) else {
        let text = format!("`{pattern}` has open pieces besides `{{id}}`: an id does not give the name of its owner");
        let help = "write the owner's whole name, `user:session:{id}`, without `*` and `?`";
        return refuse(reading, codes::UNREADABLE_VALUE, &text, &owner.place, help);
    };
    if store == own_store && own.matches(&example) {
        let text = format!("`{own}` means its owners `{pattern}` too: they would belong to themselves");
        let help = "write a pattern that means the keys and not their owners";
        return refuse(reading, codes::UNREADABLE_VALUE, &text, &owner.place, help);
    }
    Some(Owners::Keys { store: store.to_owned(), keys: pattern.clone() })
}

fn refuse<T>(reading: &mut Reading<'_>, code: Code, text: &str, place: &Place, help: &str) -> Option<T> {
    reading.note(Diagnostic::error(code, text).at(place).help(help));
    None
}
