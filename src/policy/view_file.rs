//! What may stand under `views`, and how it becomes a rule.

use super::condition::{self, Languages};
use super::dataset::DatasetName;
use super::period::Period;
use super::view::View;
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::place::Place;
use crate::yaml::node::At;
use crate::yaml::reading::Reading;
use crate::yaml::visitors::one_or_many;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// A materialized view, or a summary table with the statements that fill it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename = "a view", deny_unknown_fields)]
#[schemars(rename = "ViewEntry")]
pub struct ViewEntry {
    /// Unique among views; left out, it is the dataset.
    pub name: Option<At<String>>,
    /// The materialized view, or the summary table.
    pub dataset: At<DatasetName>,
    /// `true` by default: refreshed while others read it, or refused. `false`: readers may be made to wait where it cannot be helped.
    pub concurrently: Option<At<bool>>,
    /// Left alone when the store's statistics show no change underneath; `false` by default, since statistics are no proof.
    pub skip_unchanged: Option<bool>,
    /// What fills a summary table, in one transaction; not for a materialized view.
    pub statement: Option<At<Statements>>,
    /// How long it waits for a lock; the store's own limit by default.
    pub lock_timeout: Option<At<Period>>,
    /// How long it may take; 30 minutes by default.
    pub statement_timeout: Option<At<Period>>,
}

/// One statement, or several that go together.
#[derive(Debug, Clone)]
pub struct Statements(Vec<At<String>>);

impl<'de> Deserialize<'de> for Statements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_or_many(deserializer).map(Self)
    }
}

impl JsonSchema for Statements {
    fn schema_name() -> Cow<'static, str> {
        "Statements".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }] })
    }
}

/// The rule that an entry declares; none, with notes, when it cannot be one.
pub fn view(
    entry: &ViewEntry,
    place: &Place,
    owner: Option<&str>,
    languages: Languages<'_>,
    reading: &mut Reading<'_>,
) -> Option<View> {
    let statements = match &entry.statement {
        None => vec![],
        Some(statements) => {
            if statements.value.0.is_empty() || statements.value.0.iter().any(|statement| statement.value.trim().is_empty()) {
                reading.note(
                    Diagnostic::error(codes::SIZE, "`statement` is empty; nothing would be filled")
                        .at(&statements.place)
                        .help("write the SQL that fills the table, or leave the key out for a materialized view"),
                );
                return None;
            }
            let language = languages(&entry.dataset.value.store);
            for statement in &statements.value.0 {
                if let Err(fault) = language.statement(&statement.value) {
                    reading.note(condition::refused("the statement", &fault, &statement.place));
                    return None;
                }
            }
            statements.value.0.iter().map(|statement| statement.value.clone()).collect()
        }
    };
    for (what, period) in [("lock_timeout", &entry.lock_timeout), ("statement_timeout", &entry.statement_timeout)] {
        if let Some(period) = period.as_ref().filter(|period| period.value.is_zero()) {
            reading.note(
                Diagnostic::error(codes::LIMIT, format!("`{what}` is zero"))
                    .at(&period.place)
                    .help("leave the key out for the default"),
            );
            return None;
        }
    }
    if let Some(concurrently) = entry.concurrently.as_ref().filter(|_| !statements.is_empty()) {
        reading.note(
            Diagnostic::error(
                codes::UNKNOWN_KEY,
                "`concurrently` is for a materialized view; a summary table is filled in one transaction",
            )
            .at(&concurrently.place)
            .help("take `concurrently` out"),
        );
        return None;
    }
    Some(View {
        name: entry.name.as_ref().map_or_else(|| entry.dataset.value.to_string(), |name| name.value.clone()),
        owner: owner.map(str::to_owned),
        dataset: entry.dataset.value.clone(),
        concurrently: entry.concurrently.as_ref().is_none_or(|concurrently| concurrently.value),
        skip_unchanged: entry.skip_unchanged.unwrap_or(false),
        statements,
        lock_timeout: entry.lock_timeout.as_ref().map(|period| period.value),
        statement_timeout: entry.statement_timeout.as_ref().map(|period| period.value),
        place: place.clone(),
    })
}
