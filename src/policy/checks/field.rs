//! A field of any store, as one end of a reference.

use crate::policy::dataset::DatasetName;
use crate::policy::lifecycle::Clock;
use serde::Serialize;
use std::fmt;
use std::str::FromStr;

/// `core.users.id`, `platform.public.users.id`, `graph.User.id`; `cache."cache:user:{id}"` for keys, whose names say the id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    /// The table, the label, or the pattern of the keys.
    pub dataset: DatasetName,
    /// The column or property; absent for keys.
    pub column: Option<String>,
}

/// One end of a reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReferenceEnd {
    /// The field.
    pub field: Field,
    /// Which rows or nodes count, in their store's own language.
    pub r#where: Option<String>,
    /// What dates them, for `settle`.
    pub clock: Option<Clock>,
}

impl Field {
    /// The field that a text names; `is_keys` tells stores whose names end with the pattern.
    ///
    /// # Errors
    /// A sentence about what is missing.
    pub fn read(text: &str, is_keys: impl Fn(&str) -> bool) -> Result<Self, String> {
        let name = |text: &str| DatasetName::from_str(text).map_err(|error| error.to_string());
        if let Ok(dataset) = name(text)
            && is_keys(&dataset.store)
        {
            return Ok(Self { dataset: DatasetName { schema: None, ..dataset }, column: None });
        }
        let (dataset, column) =
            split_last(text).ok_or_else(|| format!("`{text}` names no column: write `store.table.column`"))?;
        let dataset = name(dataset).map_err(|_| format!("`{text}` is no field: write `store.table.column`"))?;
        Ok(Self { dataset, column: Some(column) })
    }
}

/// What stands before the last dot outside quotes, and the part behind it without its quotes.
fn split_last(text: &str) -> Option<(&str, String)> {
    let mut quoted = false;
    let mut last = None;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => last = Some(at),
            _ => {}
        }
    }
    let (dataset, column) = text.split_at(last?);
    let column = &column[1..];
    let column = match column.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) => inside.replace("\"\"", "\""),
        None => column.to_owned(),
    };
    (!column.is_empty()).then_some((dataset, column))
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.dataset)?;
        self.column.iter().try_for_each(|column| {
            if column.contains(['.', '"', ' ']) {
                write!(f, ".\"{}\"", column.replace('"', "\"\""))
            } else {
                write!(f, ".{column}")
            }
        })
    }
}

impl Serialize for Field {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_names_its_dataset_and_column() {
        let read = |text: &str| Field::read(text, |store| store == "cache");
        for text in
            ["core.users.id", "platform.public.users.id", "graph.User.id", "core.\"a.b\".\"c d\"", "cache.cache:user:{id}"]
        {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
        assert_eq!(read("cache.cache:user:{id}").unwrap().column, None);
        assert_eq!(read("core.\"a.b\".\"c d\"").unwrap().column.as_deref(), Some("c d"));
        for text in ["core.users", "users", "core.users.", ""] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
