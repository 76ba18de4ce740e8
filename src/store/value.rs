//! One value of a key or clock on its way between a store, a batch and a cursor.

use serde::{Deserialize, Serialize};

/// A value as the store gave it, in a form that goes back unchanged.
///
/// PostgreSQL and MySQL values travel as text and are cast back to the column's own type;
/// SQLite's keep their storage class. So nothing is rounded: decimals, unsigned 64-bit, microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// NULL.
    Null,
    /// An integer: SQLite's own, or a count.
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

impl Cell {
    /// The text, when it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A text, or NULL for none.
    pub fn text_or_null(text: Option<&str>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(text.to_owned()))
    }

    /// A count; anything that is none counts as zero, and the statements that count give nothing else.
    pub fn as_count(&self) -> u64 {
        match self {
            Self::Int(int) => u64::try_from(*int).unwrap_or(0),
            Self::Text(text) => text.parse().unwrap_or(0),
            _ => 0,
        }
    }

    /// True for a number other than zero, and for the words that catalogues use for yes.
    pub fn as_flag(&self) -> bool {
        match self {
            Self::Int(int) => *int != 0,
            Self::Text(text) => matches!(text.as_str(), "YES" | "1" | "true" | "t" | "ALWAYS"),
            _ => false,
        }
    }

    /// True for what cannot be anything personal by its form: a number, or text that begins as a date.
    pub fn is_plain(&self) -> bool {
        match self {
            Self::Int(_) | Self::Real(_) => true,
            Self::Text(text) => starts_as_date(text),
            Self::Null | Self::Bytes(_) => false,
        }
    }

    /// As people read it: in a plan, or to name a row in conflict.
    pub fn shown(&self) -> String {
        match self {
            Self::Null => "NULL".to_owned(),
            Self::Int(int) => int.to_string(),
            Self::Real(real) => real.to_string(),
            Self::Text(text) => text.clone(),
            Self::Bytes(bytes) => format!("x'{}'", hex::encode_upper(bytes)),
        }
    }
}

fn starts_as_date(text: &str) -> bool {
    let only = |c: char| c.is_ascii_digit() || matches!(c, '-' | ':' | '.' | '+' | ' ' | 'T' | 'Z');
    text.get(..10).is_some_and(|date| date.parse::<chrono::NaiveDate>().is_ok()) && text.chars().all(only)
}

/// Rows of cells as one JSON text, which every dialect can unfold again: text and numbers as themselves, bytes as `[hex]`.
pub fn as_json(rows: &[Vec<Cell>]) -> String {
    let value = |cell: &Cell| match cell {
        Cell::Null => serde_json::Value::Null,
        Cell::Int(int) => (*int).into(),
        // JSON has no infinity: as a text that SQLite reads as one.
        Cell::Real(real) => serde_json::Number::from_f64(*real)
            .map_or_else(|| serde_json::json!({ "real": if *real < 0.0 { "-9e999" } else { "9e999" } }), Into::into),
        Cell::Text(text) => text.clone().into(),
        Cell::Bytes(bytes) => vec![hex::encode_upper(bytes)].into(),
    };
    serde_json::Value::from(rows.iter().map(|row| row.iter().map(value).collect::<Vec<_>>()).collect::<Vec<_>>()).to_string()
}
