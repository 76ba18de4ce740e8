//! How the values of policies are written: periods, datasets, zones, words.

use super::dataset::{DatasetName, DatasetNameError};
use super::key_pattern::KeyPattern;
use super::period::{Period, PeriodError};
use crate::diagnostic::codes;
use crate::diagnostic::suggest;
use crate::yaml::fault::unreadable;
use chrono_tz::Tz;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// A time zone of the IANA database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(pub Tz);

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error: PeriodError| {
            let message = error.to_string();
            unreadable(codes::UNREADABLE_VALUE, message.split(": ").next().unwrap_or_default(), period_help(&text))
        })
    }
}

/// The nearest period to what was written.
fn period_help(text: &str) -> Option<String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, unit) = (&text[..digits], text[digits..].trim());
    let units = ["seconds", "minutes", "hours", "days", "weeks", "months", "years", "s", "min", "h"];
    let abbreviated = match unit {
        "m" => Some("write `min` or `minutes`, or `months`".to_owned()),
        "w" | "mo" | "y" => Some("write `weeks`, `months` or `years`".to_owned()),
        _ => None,
    };
    let most = u32::MAX;
    let too_long = (!count.is_empty() && units.contains(&unit) && count.parse::<u32>().is_err())
        .then(|| format!("the number is at most {most}; leave the step out where nothing should ever be due"));
    abbreviated
        .or(too_long)
        .or_else(|| {
            suggest::nearest(unit, units)
                .filter(|_| !count.is_empty() && !unit.is_empty())
                .map(|unit| format!("did you mean `{count} {unit}`?"))
        })
        .or_else(|| Some("write a whole number and a unit, such as `30 days`, `6 months`, `7 years`, `40 minutes`".to_owned()))
}

impl<'de> Deserialize<'de> for DatasetName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error: DatasetNameError| unreadable(codes::UNREADABLE_VALUE, error.to_string(), None))
    }
}

impl<'de> Deserialize<'de> for KeyPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse::<Self>()
            .map_err(|error| unreadable(codes::UNREADABLE_VALUE, error.to_string(), error.help().map(str::to_owned)))
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| {
            let near = suggest::nearest(&text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
            let help = near.map_or_else(
                || "write a name such as `Europe/Amsterdam`, `Asia/Shanghai` or `UTC`".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            unreadable(codes::TIMEZONE, format!("`{text}` is not a time zone"), Some(help))
        })
    }
}

macro_rules! text_schema {
    ($($type:ty, $name:literal, $schema:tt;)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}
text_schema! {
    Period, "Period", {
        "description": "A whole number and a unit: `30 days`, `6 months`, `7 years`, `40 minutes`, `5 s`.",
        "type": "string",
        "pattern": "^ *[0-9]+ *(s|seconds?|min|minutes?|h|hours?|d|days?|weeks?|months?|years?) *$|^\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}$"
    };
    DatasetName, "Dataset", {
        "description": "`store.schema.table` or `store.table`; a part with dots, quotes or spaces is double-quoted.",
        "type": "string"
    };
    KeyPattern, "Keys", {
        "description": "Names of keys: `*` any text, `?` one byte, `{id}` the piece that names the owner.",
        "type": "string"
    };
    Zone, "Zone", { "description": "A name of the IANA database: `Europe/Amsterdam`, `UTC`.", "type": "string" };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_slightly_wrong_gets_the_period_that_was_meant() {
        for (text, help) in [
            ("30 dyas", "did you mean `30 days`?"),
            ("99999999999 years", "the number is at most 4294967295"),
            ("6 month s", "did you mean `6 months`?"),
            ("3 m", "write `min`"),
            ("90", "write a whole number"),
        ] {
            assert!(period_help(text).unwrap().starts_with(help), "{text}: {:?}", period_help(text));
        }
    }
}
