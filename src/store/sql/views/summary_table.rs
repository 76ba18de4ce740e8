//! A summary table: filled by the statements that people wrote, all of them or none.

use crate::diagnostic::codes;
use crate::policy::dataset::DatasetName;
use crate::store::error::StoreFailure;
use crate::store::foreign_key::OnDelete;
use crate::store::holds::Holds;
use crate::store::refresh::{Patience, Refreshed};
use crate::store::sql::schema::catalog;
use crate::store::sql::schema::table::Table;
use crate::store::sql::schema::trigger::Event;
use crate::store::sql::session::connection::Session;
use crate::store::sql::session::read_only::refuse_read_only;
use crate::store::sql::session::store::Store;
use std::time::Instant;

/// A summary table and what fills it.
#[derive(Debug, Clone)]
pub struct SummaryTable {
    store: Store,
    who: String,
    path: String,
    label: String,
    statements: Vec<String>,
}

impl SummaryTable {
    /// Finds the table and tries the statements out by EXPLAIN. Touches nothing.
    ///
    /// Each statement may fill or empty this table and no other: a hold elsewhere cannot be broken by it. Statements that
    /// commit by themselves on some engine (TRUNCATE, DDL) are none of these.
    ///
    /// # Errors
    /// The table is not there; a statement does something else or is not accepted; a hold covers the table.
    pub async fn prepare(
        store: &Store,
        who: &str,
        dataset: &DatasetName,
        statements: &[String],
        holds: &Holds,
    ) -> Result<Self, StoreFailure> {
        if let Some(hold) = holds.names().next() {
            return Err(unfit(
                format!("hold `{hold}` covers the summary table `{dataset}`, which would be filled anew; nothing was refreshed"),
                format!("wait for the release of `{hold}`"),
            ));
        }
        // MySQL and MariaDB explain no statement that writes to a session that can only read.
        let mut session = store.locking(who).await?;
        refuse_read_only(&mut session).await?;
        session.begin().await?;
        let prepared = Self::try_out(store, who, &mut session, dataset, statements).await;
        session.rollback().await;
        prepared
    }

    /// In a transaction that is rolled back: explaining may evaluate what a statement calls.
    async fn try_out(
        store: &Store,
        who: &str,
        session: &mut Session,
        dataset: &DatasetName,
        statements: &[String],
    ) -> Result<Self, StoreFailure> {
        let table = catalog::must_find(session, dataset).await?;
        table.refuse_unfit_descendants()?;
        for event in [Event::Insert, Event::Delete] {
            table.refuse_rules(event)?;
        }
        refuse_hidden(session, &table).await?;
        refuse_children(&table)?;
        for (at, statement) in statements.iter().enumerate() {
            let refused = |why: &str| {
                unfit(
                    format!("statement {} of `{dataset}` {why}; nothing was refreshed", at + 1),
                    format!(
                        "write `INSERT INTO {0} …`, `REPLACE INTO {0} …` or `DELETE FROM {0} …`, one to an entry",
                        table.name
                    ),
                )
            };
            session.dialect().language().statement(statement).map_err(|fault| refused(&fault))?;
            fills(statement, &table).map_err(&refused)?;
            match catalog::index_used(session, statement, &[]).await {
                Err(StoreFailure::Failed { text, .. }) => return Err(refused(&format!("does not work: {text}"))),
                Err(other) => return Err(other),
                Ok(_) => {}
            }
        }
        Ok(Self {
            store: store.clone(),
            who: who.to_owned(),
            path: session.dialect().table(&table),
            label: table.label(),
            statements: statements.to_vec(),
        })
    }

    /// The statements, in their order.
    pub fn statements(&self) -> &[String] {
        &self.statements
    }

    /// The query that counts its rows again.
    pub fn query(&self) -> String {
        format!("SELECT COUNT(*) FROM {}", self.path)
    }

    /// Fills it, in one transaction. Cut short it is as it was.
    ///
    /// # Errors
    /// The store's own; everything was rolled back, or the answer to the commit never came.
    pub async fn refresh(&self, patience: Patience) -> Result<Refreshed, StoreFailure> {
        let mut session = self.store.patient(&self.who, patience.lock, patience.statement).await?;
        let began = Instant::now();
        session.begin().await?;
        match self.fill(&mut session).await {
            Ok((before, after)) => {
                session.commit().await?;
                let how = format!(
                    "by {}",
                    if self.statements.len() == 1 {
                        "its statement".into()
                    } else {
                        format!("{} statements", self.statements.len())
                    }
                );
                Ok(Refreshed { how, took: began.elapsed(), before: Some(before), after: Some(after) })
            }
            Err(failure) => {
                session.rollback().await;
                Err(failure)
            }
        }
    }

    async fn fill(&self, session: &mut Session) -> Result<(u64, u64), StoreFailure> {
        let before = session.count(&self.query(), &[]).await?;
        for statement in &self.statements {
            session.execute(statement, &[]).await?;
        }
        Ok((before, session.count(&self.query(), &[]).await?))
    }

    /// The table, for messages.
    pub fn label(&self) -> &str {
        &self.label
    }
}

fn unfit(text: String, help: String) -> StoreFailure {
    StoreFailure::refused(codes::VIEW_UNFIT, text, help)
}

/// Foreign keys that are hidden may take rows of other tables along.
async fn refuse_hidden(session: &mut Session, table: &Table) -> Result<(), StoreFailure> {
    let missing = session.dialect().hidden(session, &[table]).await?;
    if missing.is_empty() {
        return Ok(());
    }
    Err(StoreFailure::refused(
        codes::HIDDEN,
        format!(
            "this account may not see all that filling `{}` depends on; it lacks {}; nothing was refreshed",
            table.label(),
            missing.join("; ")
        ),
        "grant these rights, or let an account that has them fill the summary",
    ))
}

/// Rows of other tables must not go along with a summary that is emptied.
fn refuse_children(table: &Table) -> Result<(), StoreFailure> {
    let Some(child) = table.dependents.children.iter().find(|child| child.on_delete != OnDelete::Refuse) else { return Ok(()) };
    Err(StoreFailure::refused(
        codes::CASCADE,
        format!(
            "rows of `{}` would go or change along with the summary table `{}`, by foreign key `{}`; nothing was refreshed",
            child.table,
            table.label(),
            child.constraint
        ),
        "a summary that others refer to cannot be filled anew: take the foreign key away",
    ))
}

/// True for a statement that puts rows into this table or takes them out of it, and no other.
fn fills(statement: &str, table: &Table) -> Result<(), &'static str> {
    const WRONG: &str = "does something else than to fill or to empty this table";
    let mut words = statement.split_whitespace();
    let verb = words.next().unwrap_or_default().to_lowercase();
    let joint = words.next().unwrap_or_default().to_lowercase();
    if !matches!((verb.as_str(), joint.as_str()), ("insert" | "replace", "into") | ("delete", "from")) {
        return Err(WRONG);
    }
    let rest = words.collect::<Vec<_>>().join(" ");
    let bare: String = rest.chars().filter(|c| !matches!(c, '"' | '`')).collect();
    let named = |name: &str| bare.strip_prefix(name).is_some_and(ends_a_name);
    let full = table.schema.as_ref().map(|schema| format!("{schema}.{}", table.name));
    if named(&table.name) || full.is_some_and(|full| named(&full)) { Ok(()) } else { Err(WRONG) }
}

/// True where a name has ended and no second table follows it.
fn ends_a_name(after: &str) -> bool {
    let next = after.chars().next();
    next.is_none_or(|c| c.is_whitespace() || c == '(') && !after.trim_start().starts_with(',')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sql::schema::table::Dependents;

    fn table() -> Table {
        Table {
            store: "core".into(),
            schema: Some("shop".into()),
            name: "daily".into(),
            columns: vec![],
            unique: vec![],
            indexes: vec![],
            prefix_keys: vec![],
            unlogged: false,
            dependents: Dependents::default(),
            estimate: None,
        }
    }

    #[test]
    fn a_statement_fills_its_own_table_or_is_refused() {
        for statement in [
            "INSERT INTO daily SELECT 1",
            "insert  into\n`shop`.`daily`(day) select 1",
            "DELETE FROM daily",
            "delete from \"daily\" where day < 3",
            "REPLACE INTO shop.daily SELECT 1",
        ] {
            assert_eq!(fills(statement, &table()), Ok(()), "{statement}");
        }
        for statement in [
            "DELETE FROM daily_users",
            "DELETE FROM users",
            "DELETE FROM daily, users USING daily JOIN users",
            "DELETE daily, users FROM daily JOIN users",
            "UPDATE daily SET a = 1",
            "TRUNCATE daily",
            "WITH gone AS (DELETE FROM users RETURNING *) INSERT INTO daily SELECT 1",
            "INSERT INTO other.daily SELECT 1",
            "",
        ] {
            assert!(fills(statement, &table()).is_err(), "{statement}");
        }
    }
}
