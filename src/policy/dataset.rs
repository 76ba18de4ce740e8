//! What a policy governs: `store.schema.table` or `store.table`.

use std::fmt;
use std::str::FromStr;

/// The name of a dataset as people write it.
///
/// Parts are separated by dots; a part that holds dots, quotes or spaces is double-quoted,
/// a double quote inside it doubled: `platform."user management"."USER"`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DatasetName {
    /// The store, as `steward.yaml` names it.
    pub store: String,
    /// The schema (PostgreSQL) or database (MySQL); the connection's own when absent.
    pub schema: Option<String>,
    /// The table.
    pub table: String,
}

/// A dataset name that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatasetNameError {
    /// Fewer than two or more than three parts.
    #[error("`{0}` is not a dataset: it has {1} part(s), and a dataset is `store.table` or `store.schema.table`")]
    Parts(String, usize),
    /// A part is empty.
    #[error("`{0}` is not a dataset: one of its parts is empty")]
    Empty(String),
    /// A quote is opened and not closed, or closed in the middle of a part.
    #[error("`{0}` is not a dataset: a double quote is not closed, or stands inside a part")]
    Quote(String),
}

impl FromStr for DatasetName {
    type Err = DatasetNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = split(text)?;
        if parts.iter().any(String::is_empty) {
            return Err(DatasetNameError::Empty(text.to_owned()));
        }
        let mut parts = parts.into_iter();
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(store), Some(table), None, None) => Ok(Self { store, schema: None, table }),
            (Some(store), Some(schema), Some(table), None) => Ok(Self { store, schema: Some(schema), table }),
            (first, second, third, fourth) => {
                let count = [&first, &second, &third, &fourth].iter().filter(|part| part.is_some()).count() + parts.count();
                Err(DatasetNameError::Parts(text.to_owned(), count))
            }
        }
    }
}

impl DatasetName {
    /// True when both may be the same table: the same names, or one of them leaves the schema to the connection.
    ///
    /// Holds, tags and minimums go by this: one that is meant for `core.users` must not be missed because a policy says
    /// `core.jobfirst.users`.
    pub fn may_be(&self, other: &Self) -> bool {
        let schemas = self.schema.as_ref().zip(other.schema.as_ref());
        self.store == other.store && self.table == other.table && schemas.is_none_or(|(one, another)| one == another)
    }
}

/// Splits at dots outside double quotes and takes the quotes off.
fn split(text: &str) -> Result<Vec<String>, DatasetNameError> {
    let unbalanced = || DatasetNameError::Quote(text.to_owned());
    let mut parts = vec![];
    let mut rest = text;
    loop {
        let (part, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_part(quoted).ok_or_else(unbalanced)?,
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        if !rest.starts_with('"') && part.contains('"') {
            return Err(unbalanced());
        }
        parts.push(part);
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(parts),
            None => return Err(unbalanced()),
        }
    }
}

/// The part up to its closing quote, and what follows it.
fn quoted_part(quoted: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' if chars.peek().is_some_and(|(_, next)| *next == '"') => {
                chars.next();
                part.push('"');
            }
            '"' => return Some((part, &quoted[at + 1..])),
            _ => part.push(c),
        }
    }
    None
}

impl fmt::Display for DatasetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [Some(&self.store), self.schema.as_ref(), Some(&self.table)];
        for (at, part) in parts.into_iter().flatten().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            if part.contains(['.', '"', ' ']) || part.is_empty() {
                write!(f, "\"{}\"", part.replace('"', "\"\""))?;
            } else {
                f.write_str(part)?;
            }
        }
        Ok(())
    }
}

impl serde::Serialize for DatasetName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_a_round_trip() {
        for name in ["core.users", "platform.public.orders", "a.\"b.c\".\"d \"\"e\"\"\"", "s.\"用户\".t"] {
            let parsed: DatasetName = name.parse().unwrap();
            assert_eq!(parsed, parsed.to_string().parse().unwrap(), "{name}");
        }
    }

    #[test]
    fn a_hostile_name_stays_one_name() {
        let name: DatasetName = "core.users; drop table users".parse().unwrap();
        assert_eq!(name.table, "users; drop table users");
    }

    #[test]
    fn a_name_without_schema_may_be_any_of_them() {
        let name = |text: &str| text.parse::<DatasetName>().unwrap();
        assert!(name("core.users").may_be(&name("core.jobfirst.users")));
        assert!(!name("core.a.users").may_be(&name("core.b.users")));
        assert!(!name("core.users").may_be(&name("other.users")));
    }

    #[test]
    fn what_is_not_a_dataset_is_refused() {
        for name in ["", "users", "a.b.c.d", "a..b", "a.\"b", "a.b\"c", "a.\"b\"c"] {
            assert!(name.parse::<DatasetName>().is_err(), "{name}");
        }
    }
}
