//! Ids as SQL expressions.

use super::id_column::IdKind;
use crate::store::sql::dialect::Dialect;

impl IdKind {
    /// An expression for a value of the column as id text, and in bytes that no collation touches.
    pub fn text(self, dialect: Dialect, value: &str) -> String {
        dialect.id_text(self, value)
    }

    /// The same in lower case: for text that is held against ids whose letters may be of either case.
    pub(crate) fn folded_text(self, dialect: Dialect, value: &str) -> String {
        dialect.folded_id_text(self, value)
    }

    /// A text that travelled to the store, as bytes to hold against [`Self::text`].
    pub(crate) fn bare(self, dialect: Dialect, text: &str) -> String {
        dialect.bare_id(self, text)
    }
}
