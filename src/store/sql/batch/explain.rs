//! Has the store plan the statements of a batch before the first one: what a query may say and a removal may not is then known.
//!
//! Nothing is run. The statements need a session that may write, since MySQL and MariaDB plan no removal in any other; whatever
//! a condition calls was planned in one that only reads before ([`crate::store::sql::query::condition`]).

use super::key_table::Keys;
use super::rows::Rows;
use crate::diagnostic::codes;
use crate::store::error::StoreFailure;
use crate::store::holds::Holds;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::session::connection::Session;

impl Rows {
    /// Refuses what the store would not take. A right that is missing is noted: `doctor` tells all of them, and whoever only plans
    /// may lack it. A table that somebody else locks is not waited for twice.
    ///
    /// # Errors
    /// The store does not take the statement; the store is away.
    pub(crate) async fn try_out(&mut self, holds: &Holds) -> Result<(), StoreFailure> {
        let mut session = self.store.locking(&self.who).await?;
        let tried = self.try_each(&mut session, holds).await;
        if self.dialect == Dialect::Postgres {
            session.rollback().await;
        }
        match tried {
            Err(StoreFailure::Busy { .. }) => Ok(()),
            Err(StoreFailure::Refused { code: codes::DENIED, text, .. }) => {
                let help = "`steward plan JOB --sql` prints the grants that it needs".to_owned();
                self.notes.push((format!("a run with this account would be refused: {text}"), help));
                Ok(())
            }
            other => other,
        }
    }

    async fn try_each(&self, session: &mut Session, holds: &Holds) -> Result<(), StoreFailure> {
        let (keys, create) = Keys::of(self);
        if self.dialect == Dialect::Postgres {
            session.begin().await?;
        }
        session.raw(&create).await?;
        let (none, held) = (Holds::default(), holds.names().map(|name| format!("hold `{name}`")).collect::<Vec<_>>());
        let policy = "the policy's condition".to_owned();
        // What fails without the holds is the policy's.
        let rounds = [(&none, policy)].into_iter().chain((!held.is_empty()).then(|| (holds, held.join(", "))));
        for (holds, whose) in rounds {
            for sql in [self.freeze_sql(&keys, holds), self.changing_sql(&keys, holds)] {
                let answer = session.rows(&format!("EXPLAIN {sql}"), &[]).await;
                answer.map_err(|failure| self.not_taken(failure, &whose))?;
            }
        }
        Ok(())
    }

    /// The statement that removes or marks the rows of a batch.
    fn changing_sql(&self, keys: &Keys, holds: &Holds) -> String {
        if self.marks.is_empty() { self.remove_sql(keys, holds) } else { self.mark_sql(keys, holds) }
    }

    fn not_taken(&self, failure: StoreFailure, whose: &str) -> StoreFailure {
        let StoreFailure::Failed { text, .. } = failure else { return failure };
        let label = self.table.label();
        let change = if self.marks.is_empty() { "removes" } else { "changes" };
        // MySQL names the first table of the statement there, which is the keys' own.
        let reads_itself =
            self.dialect.is_mysql() && (text.contains("for update in FROM clause") || text.contains("specified twice"));
        let text = if reads_itself { format!("a subquery reads `{label}` (error 1093)") } else { text };
        let help = if self.dialect.is_mysql() {
            "a condition may not read the table that is changed, but a derived table may: `x IN (SELECT x FROM (SELECT DISTINCT x FROM t) d)`"
        } else {
            "write names with their table, and nothing that only a query may say"
        };
        StoreFailure::refused(
            codes::NOT_TAKEN,
            format!("the statement that {change} rows of `{label}` is not taken with {whose}: {text}; nothing was touched"),
            help,
        )
    }
}
