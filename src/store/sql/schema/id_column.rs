//! An id as text: how the values of a column are written so that two stores can compare them.
//!
//! One rule for all stores: two ids are the same when their texts are the same bytes. An integer is its decimal digits, so
//! 42 is "42" and not "042"; a UUID is its 36 characters and bytes are hexadecimal digits, both in lower case.

use super::table::{Class, Column};
use crate::store::value::Cell;
use std::borrow::Cow;

/// What the ids of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdKind {
    /// Whole numbers.
    Integer {
        /// Without a sign.
        unsigned: bool,
    },
    /// UUIDs by type, not by look.
    Uuid,
    /// Bytes.
    Bytes,
    /// Text.
    Text,
    /// SQLite: each value has a kind of its own.
    Dynamic,
    /// Anything else, by its store's own text.
    Other,
}

impl IdKind {
    /// Decides from the column's type.
    pub fn of(column: &Column) -> Self {
        match column.class {
            Class::Integer { unsigned } => Self::Integer { unsigned },
            Class::Bytes => Self::Bytes,
            // A text that compares as something else (citext) is read as plain text all the same.
            Class::Text => Self::Text,
            Class::Dynamic => Self::Dynamic,
            _ if column.declared.eq_ignore_ascii_case("uuid") => Self::Uuid,
            _ => Self::Other,
        }
    }

    /// True when the letters of an id may be of either case: hexadecimal digits.
    pub const fn folds(self) -> bool {
        matches!(self, Self::Uuid | Self::Bytes)
    }

    /// The id as the column would write it; none when no value of the column could be written so.
    pub fn fitting(self, id: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Integer { unsigned: true } => (id.parse::<u64>().ok()?.to_string() == id).then_some(Cow::Borrowed(id)),
            Self::Integer { unsigned: false } => (id.parse::<i64>().ok()?.to_string() == id).then_some(Cow::Borrowed(id)),
            Self::Uuid => is_uuid(id).then(|| folded(id)),
            Self::Bytes => (id.len().is_multiple_of(2) && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| folded(id)),
            Self::Text | Self::Dynamic | Self::Other => Some(Cow::Borrowed(id)),
        }
    }
}

/// In lower case.
pub fn folded(id: &str) -> Cow<'_, str> {
    if id.bytes().any(|byte| byte.is_ascii_uppercase()) { Cow::Owned(id.to_ascii_lowercase()) } else { Cow::Borrowed(id) }
}

/// `8-4-4-4-12` hexadecimal digits.
pub fn is_uuid(id: &str) -> bool {
    id.len() == 36 && uuid::Uuid::try_parse(id).is_ok()
}

/// A cell that came from [`IdKind::text`] or from an integer column; none for NULL.
pub fn of_cell(cell: Cell) -> Option<String> {
    match cell {
        Cell::Null => None,
        Cell::Text(text) => Some(text),
        // Text that is not UTF-8 in its store can equal no id of another one; it stays an id, and is told as bytes.
        other => Some(other.shown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_column_could_hold_fits_it() {
        let signed = IdKind::Integer { unsigned: false };
        let unsigned = IdKind::Integer { unsigned: true };
        for wrong in ["", "abc", "042", "+42", " 42", "42 ", "4.2", "-0", "9223372036854775808", "４２"] {
            assert_eq!(signed.fitting(wrong), None, "{wrong}");
        }
        assert!(signed.fitting("-42").is_some() && unsigned.fitting("-42").is_none());
        assert!(unsigned.fitting("18446744073709551615").is_some() && unsigned.fitting("18446744073709551616").is_none());
        assert_eq!(
            IdKind::Uuid.fitting("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11").as_deref(),
            Some("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
        );
        assert_eq!(IdKind::Uuid.fitting("{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"), None);
        assert_eq!(IdKind::Bytes.fitting("0AFF").as_deref(), Some("0aff"));
        assert_eq!(IdKind::Bytes.fitting("0AF"), None);
        assert_eq!(IdKind::Text.fitting("Li ").as_deref(), Some("Li "));
    }
}
