//! Statements that take long on average, by the store's own statistics.

use super::metrics::{Vital, makes_no_sense, one};
use crate::diagnostic::codes;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::session::connection::Session;
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
        let (from, mean, calls, text) = match session.dialect() {
            Dialect::Sqlite => return Err(makes_no_sense(self, "statements", "it keeps no statistics of them")),
            Dialect::Postgres => pg_stat_statements(&mut session).await?,
            Dialect::Mysql | Dialect::Mariadb => digests(&mut session).await?,
        };
        let query = format!("SELECT COUNT(CASE WHEN {mean} > {over} THEN 1 END), COUNT(*) {from}");
        let row = one(&mut session, &query).await.map_err(|failure| not_loaded(self, failure))?;
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

/// The way to have PostgreSQL keep them.
const PRELOAD: &str =
    "set shared_preload_libraries = 'pg_stat_statements', restart the server, then: CREATE EXTENSION pg_stat_statements;";

/// An extension that was made and never loaded answers every question with an error.
fn not_loaded(store: &Store, failure: StoreFailure) -> StoreFailure {
    match &failure {
        StoreFailure::Failed { text, .. } if text.contains("shared_preload_libraries") => {
            not_kept(store.name(), "the extension `pg_stat_statements` is made and not loaded", PRELOAD)
        }
        _ => failure,
    }
}

/// ` FROM … WHERE …` of the statistics, and in them: the mean in milliseconds, the calls, the text.
type Statistics = (String, String, &'static str, &'static str);

async fn pg_stat_statements(session: &mut Session) -> Result<Statistics, StoreFailure> {
    let sql = "SELECT quote_ident(n.nspname), EXISTS (SELECT 1 FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
               WHERE c.relname = 'pg_stat_statements' AND c.relnamespace = n.oid AND a.attname = 'mean_exec_time') \
               FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'";
    let Some(row) = session.rows(sql, &[]).await?.into_iter().next() else {
        return Err(not_kept(session.store(), "the extension `pg_stat_statements` is not installed in this database", PRELOAD));
    };
    let mean = if row[1].as_flag() { "mean_exec_time" } else { "mean_time" };
    let from = format!(
        "FROM {}.pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
        row[0].shown()
    );
    Ok((from, format!("ROUND({mean})::bigint"), "calls", "query"))
}

async fn digests(session: &mut Session) -> Result<Statistics, StoreFailure> {
    if !one(session, "SELECT @@GLOBAL.performance_schema").await?[0].as_flag() {
        return Err(not_kept(
            session.store(),
            "`performance_schema` is off",
            "set performance_schema = ON under [mysqld] and restart the server",
        ));
    }
    let sql = "SELECT ENABLED FROM performance_schema.setup_consumers WHERE NAME = 'statements_digest'";
    if !one(session, sql).await?[0].as_flag() {
        return Err(not_kept(
            session.store(),
            "the consumer `statements_digest` is off",
            "UPDATE performance_schema.setup_consumers SET ENABLED = 'YES' WHERE NAME = 'statements_digest';",
        ));
    }
    let from =
        "FROM performance_schema.events_statements_summary_by_digest WHERE SCHEMA_NAME = DATABASE() AND DIGEST IS NOT NULL";
    // Picoseconds.
    Ok((from.to_owned(), "CAST(AVG_TIMER_WAIT / 1000000000 AS SIGNED)".to_owned(), "COUNT_STAR", "COALESCE(DIGEST_TEXT, '')"))
}

pub(crate) fn not_kept(store: &str, why: &str, way_out: &str) -> StoreFailure {
    StoreFailure::refused(codes::CHECK_UNFIT, format!("store `{store}` does not keep this: {why}"), way_out)
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
