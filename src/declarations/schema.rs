//! JSON Schemas of what people write, from the very types that are read.

use crate::config::file::ConfigFile;
use crate::job::file::JobFile;
use crate::policy::checks::schema::of_checks;
use crate::policy::checks::spec::CheckSpec;
use crate::policy::file::PolicyFile;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

/// What has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// `policies/*.yaml`.
    Policy,
    /// `jobs/*.yaml`.
    Job,
    /// `steward.yaml`.
    Config,
}

impl Subject {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Policy, Self::Job, Self::Config];

    /// The word people type, and the file's stem.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Job => "job",
            Self::Config => "config",
        }
    }
}

/// The schema of a subject, as `steward schema` prints it: pretty, with a line end. `shapes` are the kinds of checks there are.
pub fn schema(subject: Subject, shapes: &[&'static CheckSpec]) -> String {
    let value = match subject {
        Subject::Policy => {
            let mut schema = of::<PolicyFile>();
            schema["definitions"]["Check"] = of_checks(shapes);
            schema
        }
        Subject::Job => of::<JobFile>(),
        Subject::Config => of::<ConfigFile>(),
    };
    format!("{value:#}\n")
}

fn of<T: JsonSchema>() -> Value {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>().to_value();
    refuse_null(&mut schema);
    schema
}

/// A key that may be left out may still not be null: serde's `Option` allows it, this reader does not.
fn refuse_null(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.retain(|key, value| key != "default" || !value.is_null());
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
            }
            if let Some(kind) = object.get_mut("type")
                && let Some(kinds) = kind.as_array_mut()
            {
                kinds.retain(|kind| kind != "null");
                if let [only] = kinds.as_slice() {
                    *kind = only.clone();
                }
            }
            object.values_mut().for_each(refuse_null);
        }
        Value::Array(items) => items.iter_mut().for_each(refuse_null),
        _ => {}
    }
}
