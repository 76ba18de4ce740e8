//! Rows that rows of another table keep: a foreign key refuses their removal, or would take the other rows along where the
//! policy does not allow that. Known before anything is tried, so that no batch fails of them and the others go.

use super::grants;
use super::key_table::Keys;
use super::rows::Rows;
use crate::policy::lifecycle::Cascade;
use crate::store::error::StoreFailure;
use crate::store::foreign_key::OnDelete;
use crate::store::foreign_key::{BlockedRows, Blocker};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::postgres;
use crate::store::sql::session::connection::Session;
use crate::store::value::Cell;

impl Rows {
    /// Finds the foreign keys that keep rows. One whose table the account may not read is told: its rows are found by trying.
    pub(crate) async fn see_blockers(&mut self, session: &mut Session, cascade: Cascade) -> Result<(), StoreFailure> {
        let mut blockers = vec![];
        for child in self.table.dependents.children.clone() {
            if child.on_delete != OnDelete::Refuse {
                // That the table can be read was made sure of.
                if cascade == Cascade::Refuse {
                    blockers.push(Blocker { child, own: false });
                }
                continue;
            }
            let path = self.dialect.path(child.schema.as_deref(), &child.table);
            let is_seen = match self.dialect {
                Dialect::Postgres => !matches!(
                    postgres::refuse_hidden_rows(session, child.schema.as_deref(), &child.table).await,
                    Err(StoreFailure::Refused { .. })
                ),
                _ => true,
            };
            if is_seen && grants::is_allowed(session, &format!("SELECT 1 FROM {path} WHERE 1 = 0")).await? {
                let own = crate::store::sql::schema::effects::is_same(&self.table, &child);
                blockers.push(Blocker { child, own });
                continue;
            }
            let text = format!(
                "rows of `{}` may refer to these by foreign key `{}`, and this account may not read them: rows that they keep are \
                 found by trying, which takes longer",
                child.table, child.constraint
            );
            let help = self.store.user().map(|user| {
                grants::grants(self.dialect, child.schema.as_deref(), &child.table, grants::Use::default(), &user).join(";\n")
            });
            self.notes.push((text, help.unwrap_or_default()));
        }
        self.blockers = blockers;
        Ok(())
    }

    /// True where what was removed may have freed rows before it: the table refers to itself.
    pub fn frees_its_own(&self) -> bool {
        self.blockers.iter().any(|blocker| blocker.own)
    }

    /// ` AND …` for rows that no row of another table keeps; empty where there is no such foreign key.
    pub(crate) fn unblocked(&self) -> String {
        self.blockers.iter().map(|blocker| format!(" AND NOT {}", self.refers(blocker))).collect()
    }

    /// True for rows that a row of another table refers to.
    fn refers(&self, blocker: &Blocker) -> String {
        self.refers_as(blocker, "steward_c", &self.dialect.table(&self.table), self.dialect)
    }

    fn refers_as(&self, Blocker { child, own }: &Blocker, alias: &str, path: &str, quotes: Dialect) -> String {
        let quote = |name: &String| quotes.quote(name);
        // Ours first: in SQLite its collation decides.
        let pairs = child.parent_columns.iter().zip(&child.columns);
        let mut alike: Vec<String> =
            pairs.map(|(ours, theirs)| format!("{path}.{} = {alias}.{}", quote(ours), quote(theirs))).collect();
        if *own {
            // A row may refer to itself.
            let same = self.key.iter().map(|key| format!("{path}.{0} = {alias}.{0}", quotes.quote(&key.name)));
            alike.push(format!("NOT ({})", same.collect::<Vec<_>>().join(" AND ")));
        }
        let of = quotes.path(child.schema.as_deref(), &child.table);
        format!("EXISTS (SELECT 1 FROM {of} {alias} WHERE {})", alike.join(" AND "))
    }

    /// Foreign keys that refuse, each with the condition that is true for the rows it keeps.
    pub(crate) fn refusers(&self) -> impl Iterator<Item = (&Blocker, String)> {
        let refuse = self.blockers.iter().filter(|blocker| blocker.child.on_delete == OnDelete::Refuse);
        refuse.map(|blocker| (blocker, self.refers(blocker)))
    }

    /// What the survey says of one.
    pub(crate) fn blocked_rows(&self, blocker: &Blocker, rows: u64) -> BlockedRows {
        // In a condition for SQLite, a name in double quotes may only be one of the table's own: it could be a text.
        let quotes = if self.dialect == Dialect::Sqlite { Dialect::Mysql } else { self.dialect };
        let leaves_out = format!("NOT {}", self.refers_as(blocker, "c", &quotes.quote(&self.table.name), quotes));
        BlockedRows { blocker: blocker.clone(), rows, leaves_out }
    }

    /// Looks again at rows that are locked now, where rows of another table would go or change along without leave: one that came
    /// after the rows were read, and before they were locked, keeps its row. From here on none can come.
    pub(crate) async fn without_blocked(
        &self,
        session: &mut Session,
        keys: &Keys,
        locked: Vec<Vec<Cell>>,
    ) -> Result<Vec<Vec<Cell>>, StoreFailure> {
        if self.blockers.iter().all(|blocker| blocker.child.on_delete == OnDelete::Refuse) || locked.is_empty() {
            return Ok(locked);
        }
        let sql = format!("SELECT {} FROM {} WHERE 1 = 1{}", keys.outgoing(), keys.joined(self), self.unblocked());
        let free = session.rows(&sql, &[]).await?;
        if free.len() != locked.len() {
            keys.fill(session, &free).await?;
        }
        Ok(free)
    }
}
