//! What SQL engines do in their own ways about catalogs.

use crate::store::clock::ClockKind;

/// Implemented in the folder of each engine.
pub trait SchemaDialect {
    /// An instant in UTC, written out, as a value that a clock with a zone is compared with.
    fn instant(&self, utc: &str) -> String;

    /// True for rows that have a date; see [`ClockKind::dated`].
    fn dated(&self, kind: &ClockKind, clock: &str) -> String;
}
