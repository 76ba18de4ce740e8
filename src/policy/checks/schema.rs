//! The JSON Schema of `checks`, from the shapes of the kinds.

use super::read::COMMON;
use super::spec::{CheckSpec, Counts, On, ParamType};
use serde_json::{Map, Value, json};

/// The schema of one entry: any of the kinds.
pub fn of_checks(shapes: &[&'static CheckSpec]) -> Value {
    json!({ "anyOf": shapes.iter().map(|shape| one(shape)).collect::<Vec<_>>() })
}

fn one(shape: &CheckSpec) -> Value {
    let mut properties = Map::new();
    let mut put = |key: &str, about: &str, mut schema: Value| {
        schema["description"] = about.into();
        properties.insert(key.to_owned(), schema);
    };
    put(shape.key, shape.about, takes(shape.takes));
    for (key, about) in COMMON {
        match *key {
            "dataset" if shape.on == On::Nothing => {}
            "where" if !shape.takes_where() => {}
            "warn" | "fail" => put(key, about, bound(shape.counts)),
            "samples" => put(key, about, json!({ "type": "integer", "minimum": 0, "maximum": 100 })),
            _ => put(key, about, json!({ "type": "string" })),
        }
    }
    for also in shape.with {
        put(also.key, also.about, takes(also.takes));
    }
    let mut required = vec![shape.key];
    required.extend((shape.on != On::Nothing).then_some("dataset"));
    required.extend(shape.with.iter().filter(|also| also.needed).map(|also| also.key));
    json!({
        "title": shape.key,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false
    })
}

fn takes(takes: ParamType) -> Value {
    let text = || json!({ "type": "string" });
    let end = || {
        json!({ "anyOf": [text(), {
            "type": "object",
            "properties": { "field": text(), "where": text(), "clock": { "$ref": "#/definitions/Clock" } },
            "required": ["field"],
            "additionalProperties": false
        }] })
    };
    match takes {
        ParamType::Text | ParamType::Query | ParamType::Pattern | ParamType::Zone | ParamType::Keys => text(),
        ParamType::Time => json!({ "type": "string", "pattern": "^ *[0-9][0-9_.]* *(ms|s|min|h) *$" }),
        ParamType::Names | ParamType::Policies => {
            json!({ "anyOf": [text(), { "type": "array", "items": text(), "minItems": 1 }] })
        }
        ParamType::Word(words) => json!({ "enum": words }),
        ParamType::Number => json!({ "type": "number" }),
        ParamType::Flag => json!({ "const": true }),
        ParamType::Period => json!({ "$ref": "#/definitions/Period" }),
        ParamType::Bytes => json!({ "type": ["string", "integer"] }),
        ParamType::ReferenceEnd => end(),
        ParamType::Ends => json!({
            "type": "object",
            "properties": { "from": end(), "to": end() },
            "required": ["from", "to"],
            "additionalProperties": false
        }),
    }
}

fn bound(counts: Counts) -> Value {
    let unit = match counts {
        Counts::Things => "( ?%)?",
        Counts::Percent => " ?%",
        Counts::Time => " ?(ms|s|min|h)",
        Counts::Bytes => " ?(B|kB|MB|GB|TB)",
    };
    json!({ "type": "string", "pattern": format!("^ *(>=|<=|>|<|=) *[0-9][0-9_.]*{unit} *$") })
}
