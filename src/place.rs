//! Where something was declared, so that every refusal can point at it.

use std::fmt;
use std::sync::Arc;

/// A place in what people wrote: `policies/orders.yaml:7:5`, or `db://core/data_lifecycle_policies#3.archive_period`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// A place in a file.
    File {
        /// The file as people would name it: relative to the configuration.
        file: Arc<str>,
        /// Counted from 1.
        line: u32,
        /// Counted from 1, in characters.
        column: u32,
    },
    /// A row of a policy table.
    Row {
        /// The store that holds the table.
        store: Arc<str>,
        /// The table.
        table: Arc<str>,
        /// The row's number, by its key.
        row: String,
        /// The column at fault.
        column: Option<String>,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Self::Row { store, table, row, column } => {
                write!(f, "db://{store}/{table}#{row}")?;
                column.iter().try_for_each(|column| write!(f, ".{column}"))
            }
        }
    }
}

impl serde::Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
