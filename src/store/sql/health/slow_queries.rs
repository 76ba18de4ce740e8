//! Statements that take long on average, by the store's own statistics.

use super::dialect::SlowQueries;
use super::metrics::{Vital, makes_no_sense, one};
use crate::store::error::StoreFailure;
use crate::store::sql::session::store::Store;
use crate::store::value::Cell;

/// A digest longer than this is cut.
const SHOWN: usize = 120;

impl Store {
    /// How many kinds of statements in this database take longer than `over` milliseconds on average, out of all that the
    /// store remembers; the slowest of them, without values.
    ///
    /// # Errors
    /// The store does not keep such statistics: with the way to have it do so.
    pub async fn slow_statements(&self, who: &str, over: u64, samples: u32) -> Result<Vital, StoreFailure> {
        let mut session = self.reading(who).await?;
        let dialect = session.dialect();
        let Some(SlowQueries { from, mean, calls, text }) = dialect.slow_queries(&mut session).await? else {
            return Err(makes_no_sense(self, "statements", "it keeps no statistics of them"));
        };
        let query = format!("SELECT COUNT(CASE WHEN {mean} > {over} THEN 1 END), COUNT(*) {from}");
        let row = one(&mut session, &query).await.map_err(|failure| dialect.not_loaded(failure))?;
        let (value, of) = (row[0].as_count(), row[1].as_count());
        let slowest = format!("SELECT {text}, {calls}, {mean} {from} AND {mean} > {over} ORDER BY {mean} DESC LIMIT {samples}");
        let rows = if value > 0 && samples > 0 { session.rows(&slowest, &[]).await? } else { vec![] };
        let sample = |row: &Vec<Cell>| format!("{} ms × {}: {}", row[2].shown(), row[1].shown(), harmless(&row[0].shown()));
        Ok(Vital {
            value,
            of: Some(of),
            samples: rows.iter().map(sample).collect(),
            query,
            nothing_seen: of == 0,
            ..Vital::default()
        })
    }
}

/// A digest, if it can hold no value: both stores put marks for constants, but not into comments, and PostgreSQL not into
/// statements that define something.
fn harmless(digest: &str) -> String {
    let words: String = digest.split_whitespace().collect::<Vec<_>>().join(" ");
    let kind: String = words.chars().take_while(char::is_ascii_alphabetic).collect();
    let known = ["select", "insert", "update", "delete", "with", "merge", "replace"];
    let plain =
        known.contains(&kind.to_lowercase().as_str()) && !["'", "/*", "--", "#", "$$"].iter().any(|sign| words.contains(sign));
    match (plain, words.char_indices().nth(SHOWN)) {
        (false, _) => format!("{kind} …"),
        (true, Some((at, _))) => format!("{}…", &words[..at]),
        (true, None) => words,
    }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn a_digest_that_may_hold_a_value_is_not_shown() {
        assert_eq!(harmless("SELECT *\n  FROM t WHERE a = $1"), "SELECT * FROM t WHERE a = $1");
        for text in
            ["ALTER USER li PASSWORD 'x'", "CREATE TABLE x (a int)", "SELECT 1 /* li@x.com */", "SELECT 1 -- li", "SELECT 'li'"]
        {
            assert!(harmless(text).ends_with(" …") && harmless(text).len() < 12, "{text}");
        }
        assert_eq!(harmless(&format!("SELECT {}", "é".repeat(200))).chars().count(), 121);
    }
}
