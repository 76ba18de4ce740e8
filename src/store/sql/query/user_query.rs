//! A person's own query, run so that it can only read.

use crate::diagnostic::codes;
use crate::store::answer::Asked;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::catalog;
use crate::store::sql::session::store::Store;
use crate::store::value::Cell;

impl Store {
    /// Runs a query that gives one row: a count, and out of how many where there is a second column.
    ///
    /// It stands in brackets as a table of our own query, so it is a query and nothing else; in a transaction that may only
    /// read; on a connection that nobody uses after it. The limits are those of all reading.
    ///
    /// # Errors
    /// It is more than one statement, or no query; it would write; it gives no row, several, or no count.
    pub async fn ask(&self, who: &str, query: &str) -> Result<Asked, StoreFailure> {
        let query = one_statement(query)?;
        let mut session = self.reading(who).await?;
        session.begin_reading().await?;
        let fault = |fault: String| unfit(format!("the query {fault}; nothing was asked"));
        session.dialect().language().query(query).map_err(fault)?;
        // Accepted bare as well as in brackets: `…) q UNION SELECT (…` would end ours.
        catalog::index_used(&mut session, query, &[]).await?;
        let sql = match session.dialect() {
            // As texts, whatever their types are.
            Dialect::Postgres => format!(
                "SELECT (SELECT json_agg(steward_e.value)::text FROM json_each_text(row_to_json(steward_q)) steward_e) \
                 FROM (\n{query}\n) steward_q LIMIT 2"
            ),
            _ => format!("SELECT * FROM (\n{query}\n) steward_q LIMIT 2"),
        };
        let rows = session.rows(&sql, &[]).await?;
        let [row] = rows.as_slice() else {
            let how_many = if rows.is_empty() { "no row" } else { "more than one row" };
            return Err(unfit(format!("the query gives {how_many}, so what it counts is not known")));
        };
        let cells: Vec<Option<String>> = match (session.dialect(), row.first()) {
            (Dialect::Postgres, Some(Cell::Text(json))) => serde_json::from_str(json).unwrap_or_default(),
            _ => row.iter().map(|cell| (*cell != Cell::Null).then(|| cell.shown())).collect(),
        };
        let value = count(cells.first().and_then(Option::as_deref), "first")?;
        let of = cells.get(1).map(|cell| count(cell.as_deref(), "second")).transpose()?;
        Ok(Asked { value, of })
    }
}

/// The query without a semicolon behind it. One anywhere else is refused: where quotes end is each store's own affair.
fn one_statement(query: &str) -> Result<&str, StoreFailure> {
    let query = query.trim_start().trim_end_matches(|c: char| c == ';' || c.is_whitespace());
    if query.contains([';', '\0']) {
        return Err(unfit("the query holds a semicolon, so it may be more than one statement; nothing was asked".to_owned()));
    }
    if query.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word.eq_ignore_ascii_case("into")) {
        return Err(unfit("the query holds the word `INTO`, which can write a file or a table; nothing was asked".to_owned()));
    }
    Ok(query)
}

/// A count: a whole number, however the store writes it.
fn count(text: Option<&str>, which: &str) -> Result<u64, StoreFailure> {
    let text = text.ok_or_else(|| unfit(format!("the {which} column of the query is NULL, which is no count")))?;
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
        _ => text,
    };
    // Not shown: what stands there instead of a count may be anything.
    whole.parse().map_err(|_| unfit(format!("the {which} column of the query is no whole number of zero or more")))
}

fn unfit(text: String) -> StoreFailure {
    StoreFailure::refused(
        codes::CHECK_UNFIT,
        text,
        "write one SELECT that gives one row: how many, and then, if you like, out of how many; its columns have names of their own",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_one_statement() {
        assert_eq!(one_statement(" SELECT 1 ;\n; ").unwrap(), "SELECT 1");
        for query in ["SELECT 1; DELETE FROM t", "SELECT ';'", "SELECT 1\0", "SELECT 1 into outfile 'x'"] {
            assert!(one_statement(query).is_err(), "{query}");
        }
    }

    #[test]
    fn a_count_is_a_whole_number_however_it_is_written() {
        for (text, wanted) in [("0", 0), ("12", 12), ("12.000", 12), ("18446744073709551615", u64::MAX)] {
            assert_eq!(count(Some(text), "first").unwrap(), wanted);
        }
        for text in ["", "-1", "1.5", "li@example.com", "1e3", "NaN"] {
            assert!(count(Some(text), "first").is_err(), "{text}");
        }
        assert!(count(None, "first").is_err());
    }
}
