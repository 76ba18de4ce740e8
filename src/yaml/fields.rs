//! The keys of a map: each is asked for once, and what nobody asked for is an unknown key.

use super::node::{Key, Node, Value};
use super::reading::{Read, Reading, Variable, variable_of};
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::diagnostic::suggest;
use std::collections::HashMap;

/// What people write for our keys: other tools' words and our own forerunners'.
const SYNONYMS: &[(&str, &str)] = &[
    ("filter", "where"),
    ("query", "where"),
    ("condition", "where"),
    ("when", "where"),
    ("column", "clock"),
    ("date_column", "clock"),
    ("timestamp", "clock"),
    ("field", "clock"),
    ("ttl", "delete"),
    ("retention", "keep_at_least"),
    ("expire", "delete"),
    ("purge", "delete"),
    ("remove", "delete"),
    ("move", "archive"),
    ("table", "dataset"),
    ("source", "dataset"),
    ("target", "to"),
    ("destination", "to"),
    ("older_than", "after"),
    ("age", "after"),
    ("period", "after"),
    ("reason", "because"),
    ("id", "name"),
    ("cron", "schedule"),
    ("on", "schedule"),
    ("at", "schedule"),
    ("tz", "timezone"),
    ("zone", "timezone"),
    ("timeout", "budget"),
    ("policy", "policies"),
    ("dry_run", "mode"),
    ("enabled", "mode"),
    ("notify", "report"),
    ("databases", "stores"),
    ("dsn", "url"),
    ("username", "user"),
    ("pass", "password"),
    ("tags", "classification"),
    ("legal_holds", "holds"),
    ("retention_policies", "lifecycle"),
    ("encryption", "protect"),
    ("protection", "protect"),
    ("level", "sensitivity"),
];

/// A map while its keys are read.
pub struct Fields<'n> {
    node: &'n Node,
    of: &'static str,
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
                let diagnostic = Diagnostic::error(codes::DUPLICATE_KEY, format!("the key `{}` is here twice", key.text));
                reading.note(diagnostic.at(&key.place).also(&earlier.place, "the first is here").help("keep one of them"));
                continue;
            }
            first.insert(&key.text, (key, value));
            if !known.contains(&key.text.as_str()) {
                reading.note(unknown(key, of, known));
            }
        }
        Some(Self { node, of, first: first.into_iter().map(|(text, (_, value))| (text, value)).collect() })
    }

    /// The value of a key.
    pub fn take<T: Read>(&self, key: &str, reading: &mut Reading<'_>) -> Option<T> {
        match self.first.get(key) {
            Some(node) if TOLD.contains(&key) && says_a_variable(node) => {
                let message = format!(
                    "`{key}` is kept in the ledger and told in reports: a variable, which may hold a secret, is not taken"
                );
                reading.note(Diagnostic::error(codes::VARIABLE, message).at(&node.place).help("write the text itself"));
                None
            }
            Some(node) => T::read(node, reading),
            None => T::absent(key, self.of, self.node, reading),
        }
    }
}

/// Texts that leave the file for good.
const TOLD: &[&str] = &["name", "because", "owner"];

fn says_a_variable(node: &Node) -> bool {
    matches!(&node.value, Value::Scalar(scalar) if matches!(variable_of(&scalar.text), Variable::Whole(_)))
}

/// What to say about a key that nobody asked for.
fn unknown(key: &Key, of: &str, known: &[&str]) -> Diagnostic {
    let diagnostic = Diagnostic::error(codes::UNKNOWN_KEY, format!("{of} has no key `{}`", key.text)).at(&key.place);
    if key.text == "<<" {
        return diagnostic.help("merge keys are not used; repeat what both entries need");
    }
    let folded = key.text.to_lowercase().replace('-', "_");
    let meant = suggest::nearest(&key.text, known.iter().copied()).or_else(|| {
        SYNONYMS
            .iter()
            .filter(|(word, _)| folded == *word || (word.len() > 2 && folded.starts_with(&format!("{word}_"))))
            .map(|(_, ours)| *ours)
            .find(|ours| known.contains(ours))
    });
    match meant {
        Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
        None => diagnostic.help_if(suggest::suggestion(&key.text, known.iter().copied())),
    }
}

/// Declares what people may write under which keys: one struct gives the reader, the known keys and the JSON Schema.
///
/// A field of type `Option` may be left out; one that is there and wrong is noted and read as absent, so
/// whoever uses the struct asks first whether its entry is broken.
macro_rules! declared {
    ($(#[$meta:meta])* $of:literal $name:ident { $($(#[$doc:meta])* $key:literal $field:ident : $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub struct $name { $($(#[$doc])* #[schemars(rename = $key)] pub $field: $type,)* }

        impl $name {
            /// The keys, in the order of the reference.
            pub const KEYS: &'static [&'static str] = &[$($key),*];
        }

        impl $crate::yaml::reading::Read for $name {
            fn read(node: &$crate::yaml::node::Node, reading: &mut $crate::yaml::reading::Reading<'_>) -> Option<Self> {
                let fields = $crate::yaml::fields::Fields::open(node, $of, Self::KEYS, reading)?;
                $(let $field = fields.take($key, reading);)*
                Some(Self { $($field: $field?),* })
            }
        }
    };
}
pub(crate) use declared;
