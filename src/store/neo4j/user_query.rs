//! A person's own query to a graph, run so that it can only read.

use super::store::GraphStore;
use crate::diagnostic::codes;
use crate::policy::condition::Language;
use crate::store::answer::Asked;
use crate::store::error::StoreFailure;
use crate::store::value::Cell;

/// The column that says out of how many.
const TOTAL: &str = "total";

impl GraphStore {
    /// Runs a query that gives one row: a count, whatever its column is called, and out of how many in a column `total`.
    ///
    /// The server refuses it any write; procedures and files are refused before it is sent. The limits are those of all
    /// reading.
    ///
    /// # Errors
    /// It would write; the server cannot plan it; it gives no row, several, or no count.
    pub async fn ask(&self, who: &str, query: &str) -> Result<Asked, StoreFailure> {
        Language::Cypher.query(query).map_err(|fault| unfit(format!("the query {fault}; nothing was asked")))?;
        let session = self.reading(who).await?;
        if let Some(why) = session.cannot_plan(query).await? {
            return Err(unfit(format!("the store cannot plan the query: {why}")));
        }
        let rows = session.named(query).await?;
        let [row] = rows.as_slice() else {
            let how_many = if rows.is_empty() { "no row" } else { "more than one row" };
            return Err(unfit(format!("the query gives {how_many}, so what it counts is not known")));
        };
        let of = row.get(TOTAL).map(|cell| count(cell, "`total`")).transpose()?;
        let others: Vec<&Cell> = row.iter().filter(|(name, _)| *name != TOTAL).map(|(_, cell)| cell).collect();
        match others.as_slice() {
            [value] => Ok(Asked { value: count(value, "the count")?, of }),
            _ => Err(unfit("the query gives several columns, so which of them counts is not known".to_owned())),
        }
    }
}

fn count(cell: &Cell, what: &str) -> Result<u64, StoreFailure> {
    match cell {
        Cell::Int(int) => u64::try_from(*int).map_err(|_| unfit(format!("{what} that the query gives is below zero"))),
        _ => Err(unfit(format!("{what} that the query gives is no whole number"))),
    }
}

fn unfit(text: String) -> StoreFailure {
    StoreFailure::refused(
        codes::CHECK_UNFIT,
        text,
        "write one query that reads and gives one row: `MATCH (n:User) WHERE … RETURN count(n)`; out of how many goes in a column `total`",
    )
}
