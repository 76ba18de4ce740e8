//! Statistics of a table that changed much: the planner of every later query goes by them.

use super::rows::Rows;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::session::connection::Session;
use crate::store::value::Cell;

/// Fewer changed rows than this are no matter for statistics, whatever share of the table they are.
const FEW: u64 = 1_000;
/// More than this are, whatever share they are.
const MANY: u64 = 50_000;

impl Rows {
    /// Has the engine gather the table's statistics anew when more than a tenth of its rows changed, or more than 50,000. Gives
    /// what a person should know, with the way out: that it was done, or why it could not be. Never a failure: the work is done.
    ///
    /// The rows stay as they are; cut short, so do the statistics.
    pub async fn analyze(&self, changed: u64) -> Option<(String, String)> {
        let label = self.table.label();
        let way_out = || format!("whoever owns the table: {}", self.analyze_sql());
        match self.try_to_analyze(changed).await {
            Ok(Done::NotNeeded) => None,
            Ok(Done::Analyzed) => Some((format!("the statistics of `{label}` were gathered anew (ANALYZE)"), String::new())),
            Ok(Done::MayNot) => {
                Some((format!("the statistics of `{label}` are old: the right to gather them is missing"), way_out()))
            }
            Err(failure) => {
                Some((format!("the statistics of `{label}` are old, and could not be gathered: {failure}"), way_out()))
            }
        }
    }

    async fn try_to_analyze(&self, changed: u64) -> Result<Done, StoreFailure> {
        if changed < FEW {
            return Ok(Done::NotNeeded);
        }
        let mut session = self.store.locking(&self.who).await?;
        if changed <= MANY && changed.saturating_mul(10) <= self.rows_there(&mut session, changed).await? {
            return Ok(Done::NotNeeded);
        }
        if !self.may_analyze(&mut session).await? {
            return Ok(Done::MayNot);
        }
        if self.dialect == Dialect::Sqlite {
            // A sample, so that the only writer is not kept for long.
            session.raw("PRAGMA analysis_limit = 1000").await?;
        }
        if !self.dialect.is_mysql() {
            return session.raw(&self.analyze_sql()).await.map(|()| Done::Analyzed);
        }
        match session.rows(&self.analyze_sql(), &[]).await {
            // Its errors are rows of its answer: table, op, type, text.
            Ok(rows) if rows.iter().any(|row| row.get(2).and_then(Cell::as_text).is_some_and(|kind| kind == "Error")) => {
                Err(StoreFailure::Failed { store: self.table.store.clone(), text: "ANALYZE TABLE reports an error".into() })
            }
            Ok(_) => Ok(Done::Analyzed),
            Err(StoreFailure::Refused { .. }) => Ok(Done::MayNot),
            Err(other) => Err(other),
        }
    }

    fn analyze_sql(&self) -> String {
        let word = if self.dialect.is_mysql() { "ANALYZE TABLE" } else { "ANALYZE" };
        format!("{word} {}", self.dialect.table(&self.table))
    }

    /// Rows before the change, by the store's estimate where it has one.
    async fn rows_there(&self, session: &mut Session, changed: u64) -> Result<u64, StoreFailure> {
        match self.table.estimate.filter(|rows| *rows > 0) {
            Some(rows) => Ok(rows.max(changed)),
            None => {
                let gone = if self.marks.is_empty() { changed } else { 0 };
                Ok(gone + session.count(&format!("SELECT COUNT(*) FROM {}", self.dialect.table(&self.table)), &[]).await?)
            }
        }
    }

    /// PostgreSQL skips what it may not analyze, and says so in a warning that nobody reads.
    async fn may_analyze(&self, session: &mut Session) -> Result<bool, StoreFailure> {
        if self.dialect != Dialect::Postgres {
            return Ok(true);
        }
        let sql = format!(
            "SELECT {} FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1::text AND c.relname = $2::text",
            super::grants::MAY_MAINTAIN
        );
        let schema = Cell::text_or_null(self.table.schema.as_deref());
        let rows = session.rows(&sql, &[schema, Cell::Text(self.table.name.clone())]).await?;
        Ok(rows.first().and_then(|row| row.first()).is_some_and(Cell::as_flag))
    }
}

enum Done {
    NotNeeded,
    Analyzed,
    MayNot,
}
