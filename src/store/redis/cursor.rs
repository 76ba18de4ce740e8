//! Where a walk over keys is.

use crate::store::value::Cell;

/// Where a walk is: the server, and its own cursor. Holds no part of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which of the servers.
    pub node: usize,
    /// Its cursor.
    pub cursor: u64,
}

impl Place {
    /// Where a walk begins.
    pub const fn start() -> Self {
        Self { node: 0, cursor: 0 }
    }

    /// As cells of a cursor.
    pub fn cells(&self) -> [Cell; 2] {
        let node = i64::try_from(self.node).unwrap_or(i64::MAX);
        // As text: it may be larger than a signed number.
        [Cell::Int(node), Cell::Text(self.cursor.to_string())]
    }

    /// From the first cells of a cursor; the beginning where they are none.
    pub fn of(cells: &[Cell]) -> Self {
        let [Cell::Int(node), Cell::Text(cursor), ..] = cells else { return Self::start() };
        match (usize::try_from(*node), cursor.parse()) {
            (Ok(node), Ok(cursor)) => Self { node, cursor },
            _ => Self::start(),
        }
    }
}
