//! The values under a check's keys, each read as its kind's shape says.

use super::field::{Field, ReferenceEnd};
use super::params::Param;
use super::pattern;
use super::spec::{CheckSpec, ParamType};
use super::threshold::{Threshold, Unit};
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::diagnostic::suggest;
use crate::policy::condition::{self, Languages};
use crate::policy::data_model::DataModel;
use crate::policy::draft::clock_of;
use crate::policy::key_pattern::KeyPattern;
use crate::policy::lifecycle::Clock;
use crate::policy::parse::Zone;
use crate::policy::period::Period;
use crate::yaml::de;
use crate::yaml::node::{At, Node, Value};
use crate::yaml::reading::Reading;
use schemars::JsonSchema;
use serde::Deserialize;

/// What a store holds, where that is known.
pub type DataModels<'a> = &'a dyn Fn(&str) -> Option<DataModel>;

/// What reading checks, and all that names stores beside them, stands on.
#[derive(Clone, Copy)]
pub struct Kinds<'a> {
    /// Every kind of check that is built.
    pub shapes: &'a [&'static CheckSpec],
    /// What a store holds, where that is known.
    pub data_model: DataModels<'a>,
    /// The language of a store's conditions.
    pub language: Languages<'a>,
}

/// One end of a reference.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "short:an end of a reference", deny_unknown_fields)]
#[schemars(rename = "EndParts")]
pub struct EndParts {
    /// `core.users.id`, `graph.User.id`, `cache.cache:user:{id}`.
    pub field: At<String>,
    /// Which rows or nodes count, in their store's own language.
    pub r#where: Option<At<String>>,
    /// What dates them, for `settle`; `created_at` by default where there is such a column.
    pub clock: Option<At<Clock>>,
}

/// Both ends of a reference.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename = "a reference", deny_unknown_fields)]
struct EndsParts {
    from: EndParts,
    to: EndParts,
}

/// The value under a key of a check; none, with a note, when it is none of what the key takes.
pub(super) fn given(node: &Node, takes: ParamType, kinds: Kinds<'_>, reading: &mut Reading<'_>) -> Option<Param> {
    Some(match takes {
        ParamType::Text | ParamType::Query => Param::Text(text(node, reading)?),
        ParamType::Pattern => Param::Text(pattern(node, reading)?),
        ParamType::Time => Param::Text(time(node, reading)?),
        ParamType::Zone => Param::Text(de::read::<Zone>(node, reading)?.0.name().to_owned()),
        ParamType::Names => Param::Names(names(node, reading)?),
        ParamType::Policies => Param::Policies(names(node, reading)?),
        ParamType::Word(words) => {
            let text = reading.text(node)?;
            if !words.contains(&text.as_str()) {
                reading.unreadable(node, format!("unknown value `{text}`"), suggest::suggestion(&text, words.iter().copied()));
                return None;
            }
            Param::Text(text)
        }
        ParamType::Number => Param::Number(de::read::<f64>(node, reading)?),
        ParamType::Flag => match de::read::<bool>(node, reading)? {
            true => Param::Flag(true),
            false => {
                reading.unreadable(node, "`false` checks nothing", Some("leave the key out".to_owned()));
                return None;
            }
        },
        ParamType::Period => Param::Period(de::read::<Period>(node, reading)?),
        ParamType::Bytes => Param::Number(bytes(node, reading)?),
        ParamType::Keys => Param::Keys(de::read::<KeyPattern>(node, reading)?),
        ParamType::ReferenceEnd => Param::ReferenceEnd(Box::new(end(de::read(node, reading)?, kinds, reading)?)),
        ParamType::Ends => {
            let ends: EndsParts = de::read(node, reading)?;
            let (from, to) = (end(ends.from, kinds, reading), end(ends.to, kinds, reading));
            Param::Ends(Box::new((from?, to?)))
        }
    })
}

fn text(node: &Node, reading: &mut Reading<'_>) -> Option<String> {
    let text = reading.text(node)?;
    if text.trim().is_empty() {
        reading.unreadable(node, "an empty text checks nothing", None);
        return None;
    }
    Some(text)
}

/// A pattern that compiles: one that does not is wrong on every store.
fn pattern(node: &Node, reading: &mut Reading<'_>) -> Option<String> {
    let text = text(node, reading)?;
    match pattern::compiled(&text) {
        Ok(_) => Some(text),
        Err(reason) => {
            let help = format!("{}; in YAML a pattern stands best in single quotes", pattern::SYNTAX);
            reading.unreadable(node, format!("the pattern cannot be used: {reason}"), Some(help));
            None
        }
    }
}

/// `1000 ms`, `2 s`.
fn time(node: &Node, reading: &mut Reading<'_>) -> Option<String> {
    let text = text(node, reading)?;
    match format!("> {text}").parse::<Threshold>() {
        Ok(bound) if bound.unit == Unit::Time => Some(text),
        _ => {
            reading.unreadable(node, format!("invalid duration `{text}`"), Some("write `1000 ms` or `2 s`".to_owned()));
            None
        }
    }
}

fn names(node: &Node, reading: &mut Reading<'_>) -> Option<Vec<String>> {
    let names = match node.value {
        Value::List(_) => de::read::<Vec<String>>(node, reading)?,
        _ => vec![reading.text(node)?],
    };
    if names.is_empty() || names.iter().any(|name| name.trim().is_empty()) {
        reading.unreadable(node, "at least one name is needed", None);
        return None;
    }
    Some(names)
}

/// `10 MB`, `2 GB`, `4096`.
fn bytes(node: &Node, reading: &mut Reading<'_>) -> Option<f64> {
    let text = reading.text(node)?;
    let bound = format!("> {text}{}", if text.trim().ends_with(|c: char| c.is_ascii_digit()) { " B" } else { "" });
    match bound.parse::<Threshold>() {
        Ok(bound) if bound.unit == Unit::Bytes => Some(bound.amount),
        _ => {
            reading.unreadable(node, format!("`{text}` is not a size"), Some("write `10 MB`, `2 GB` or bytes".to_owned()));
            None
        }
    }
}

fn end(parts: EndParts, kinds: Kinds<'_>, reading: &mut Reading<'_>) -> Option<ReferenceEnd> {
    let EndParts { field: text, r#where: condition, clock } = parts;
    let is_keys = |store: &str| match (kinds.data_model)(store) {
        Some(data_model) => data_model == DataModel::Keys,
        // Where the URL is elsewhere nobody knows yet what the store holds; only a pattern says `{id}`.
        None => text.value.contains("{id}"),
    };
    let field = match Field::read(&text.value, is_keys) {
        Ok(field) => field,
        Err(message) => {
            reading.note(Diagnostic::error(codes::UNREADABLE_VALUE, message).at(&text.place));
            return None;
        }
    };
    if field.column.is_none() && !field.dataset.table.contains("{id}") {
        let message = format!("`{}` does not say which piece of a key is the id", text.value);
        reading.note(
            Diagnostic::error(codes::MISSING_KEY, message)
                .at(&text.place)
                .help("write `{id}` for that piece: `cache.cache:user:{id}`"),
        );
        return None;
    }
    let language = (kinds.language)(&field.dataset.store);
    Some(ReferenceEnd {
        field,
        r#where: match condition {
            Some(written) => Some(condition::declared(&written, language, reading)?.value),
            None => None,
        },
        clock: match clock {
            Some(clock) => Some(clock_of(&clock, reading)?.value),
            None => None,
        },
    })
}
