//! One value of a key or clock on its way between a store, a batch and a cursor.

use serde::{Deserialize, Serialize};

/// A value as the store gave it, in a form that goes back unchanged.
///
/// PostgreSQL and MySQL values travel as text (bytes as bytes) and are cast back to the column's own type;
/// SQLite's keep their storage class. So nothing is rounded: decimals, unsigned 64-bit, microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// NULL.
    Null,
    /// A SQLite integer.
    Int(i64),
    /// A SQLite real.
    Real(f64),
    /// Text, or any value in the store's text form.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// How far a walk got: the clock (when the walk follows it) and the key of the last row seen.
pub type Cursor = Vec<Cell>;
