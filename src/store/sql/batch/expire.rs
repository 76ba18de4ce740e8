//! Rows that expire in place: marked by their own columns, not removed.
//!
//! The same walk, the same predicate and the same holds as for removal. A row that bears the marks already is not due, so a
//! second run does nothing.

use super::assignment::{self, Mark};
use super::key_table::Keys;
use super::rows::Rows;
use super::transfer::Carried;
use crate::diagnostic::codes;
use crate::policy::expiry::Assignment;
use crate::store::error::StoreFailure;
use crate::store::holds::Holds;
use crate::store::page::Page;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::table::Class;
use crate::store::sql::session::connection::Session;
use crate::store::value::Cell;

impl Rows {
    /// The same rows, marked instead of removed. Touches nothing.
    ///
    /// # Errors
    /// A column is not there, is computed, is part of the key or the clock, or is what foreign keys point at; a value that the
    /// column cannot take; a statement that the store does not take.
    pub async fn marking(mut self, set: &[Assignment], holds: &Holds) -> Result<Self, StoreFailure> {
        let mut session = self.store.reading(&self.who).await?;
        for assignment in set {
            let mark = self.mark_of(assignment)?;
            self.refuse_unfit(&mut session, &mark).await?;
            self.marks.push(mark);
        }
        // A row that stays takes nothing along.
        self.table.dependents.children.clear();
        let mut rows = self.seen_for_marking(&mut session).await?;
        rows.try_out(holds).await?;
        Ok(rows)
    }

    fn mark_of(&self, assignment: &Assignment) -> Result<Mark, StoreFailure> {
        let column = self.table.column(&assignment.column)?.clone();
        let unfit = |why: &str| Err(unfit(self, &column.name, why));
        if column.generated {
            return unfit("is computed from others");
        }
        if self.key.iter().any(|key| key.name == column.name) {
            return unfit("is part of the key that names a row");
        }
        if self.clock.name == column.name {
            return unfit("is the column that says when a row expires");
        }
        if self.table.dependents.children.iter().any(|child| child.parent_columns.contains(&column.name)) {
            return unfit("is what a foreign key of another table points at");
        }
        if assignment.value.is_none() && !column.nullable {
            return unfit("may not be NULL");
        }
        Ok(Mark::of(self.dialect, column, assignment.value.as_deref()))
    }

    /// Asks the store what the value would become, and refuses where it would become another.
    async fn refuse_unfit(&self, session: &mut Session, mark: &Mark) -> Result<(), StoreFailure> {
        let Some(value) = &mark.value else { return Ok(()) };
        let (column, text) = (&mark.column, assignment::literal(self.dialect, value));
        let cannot = || unfit(self, &column.name, &format!("is of type `{}` and cannot take that value", column.declared));
        let shown = mark.expression(self.dialect);
        let question = match (self.dialect, column.class) {
            (Dialect::Sqlite, _) if assignment::is_whole_number(&column.declared) => {
                format!("SELECT CAST({text} AS {}) IS {text}", column.declared)
            }
            (Dialect::Sqlite, _) => return Ok(()),
            (Dialect::Postgres, Class::Text) => format!("SELECT rtrim({shown}::text) = rtrim({text})"),
            (Dialect::Postgres, _) => format!("SELECT ({shown})::text IS NOT NULL"),
            (_, Class::Integer { .. }) => format!("SELECT CAST({shown} AS CHAR) = {text}"),
            (_, Class::Text) if longest(&column.declared).is_some_and(|most| value.chars().count() > most) => {
                return Err(cannot());
            }
            (_, Class::Choice) if !column.declared.contains(&format!("'{}'", value.replace('\'', "''"))) => return Err(cannot()),
            _ => format!("SELECT {shown} IS NOT NULL"),
        };
        match session.rows(&question, &[]).await {
            Ok(rows) if rows.first().and_then(|row| row.first()).is_some_and(Cell::as_flag) => Ok(()),
            Ok(_) | Err(StoreFailure::Failed { .. }) => Err(cannot()),
            Err(other) => Err(other),
        }
    }

    /// True for rows that lack one of the marks; none where rows are removed.
    pub(crate) fn unmarked(&self) -> Option<String> {
        let path = self.dialect.table(&self.table);
        let set: Vec<String> = self.marks.iter().map(|mark| mark.is_set(self.dialect, &path)).collect();
        (!set.is_empty()).then(|| format!("NOT ({})", set.join(" AND ")))
    }

    /// Marks the rows of a page, those of them that are still due and kept by no hold; all of it or nothing.
    ///
    /// The whole predicate, holds included, is repeated in the statement, and none of the rows may be due afterwards: where a
    /// trigger takes the marks away again the batch is rolled back, or every run would mark them anew.
    pub async fn mark(&self, page: &Page, batch: &str, holds: &Holds) -> Result<Carried, StoreFailure> {
        let mut session = self.changing().await?;
        let keys = self.begin_batch(&mut session, batch).await?;
        let done = self.mark_inside(&mut session, &keys, page, holds).await;
        self.finish(session, batch, done).await
    }

    async fn mark_inside(&self, session: &mut Session, keys: &Keys, page: &Page, holds: &Holds) -> Result<Carried, StoreFailure> {
        let frozen = self.freeze(session, keys, page, holds).await?;
        let mut carried = Carried { changed: frozen.changed, locked: frozen.locked, ..Carried::default() };
        let locked = frozen.keys;
        if locked.is_empty() {
            return Ok(carried);
        }
        carried.marked = session.execute(&self.mark_sql(keys, holds), &[]).await?;
        self.must_hold(carried.marked, locked.len(), "marked")?;
        self.fire_what_waits(session).await?;
        let left = session.count(&self.still_due_sql(keys, holds), &[]).await?;
        self.must_hold(carried.marked.saturating_sub(left), locked.len(), "marked for good")?;
        let marked = session.count(&self.marked_sql(keys), &[]).await?;
        self.must_hold(marked, locked.len(), "there with their new values")?;
        Ok(carried)
    }

    /// The statements of one batch that marks, for whoever wants to read them before they are sent.
    pub fn marking_sql(&self, holds: &Holds) -> Vec<String> {
        let (keys, create) = Keys::of(self);
        let mut statements = vec![create];
        statements.extend(self.batch_mark_statements());
        statements.extend([
            self.freeze_sql(&keys, holds),
            self.mark_sql(&keys, holds),
            self.still_due_sql(&keys, holds),
            self.marked_sql(&keys),
        ]);
        statements
    }

    pub(crate) fn mark_sql(&self, keys: &Keys, holds: &Holds) -> String {
        let (path, may_go) = (self.dialect.table(&self.table), self.may_go(holds));
        let mut set: Vec<String> = self.marks.iter().map(|mark| mark.assignment(self.dialect, &path)).collect();
        if self.dialect.changes_unnamed_times() && !self.clock.generated {
            let clock = format!("{path}.{}", self.dialect.quote(&self.clock.name));
            set.push(format!("{clock} = {clock}"));
        }
        self.dialect.update(&keys.rows(self), &set.join(", "), &may_go)
    }

    /// A trigger may remove a row instead of leaving it marked.
    fn marked_sql(&self, keys: &Keys) -> String {
        let path = self.dialect.table(&self.table);
        let set: Vec<String> = self.marks.iter().map(|mark| mark.is_set(self.dialect, &path)).collect();
        format!("SELECT COUNT(*) FROM {} WHERE {}", keys.joined(self), set.join(" AND "))
    }

    fn still_due_sql(&self, keys: &Keys, holds: &Holds) -> String {
        format!("SELECT COUNT(*) FROM {} WHERE {}", keys.joined(self), self.may_go(holds))
    }
}

fn unfit(rows: &Rows, column: &str, why: &str) -> StoreFailure {
    StoreFailure::refused(
        codes::MARK_UNFIT,
        format!("column `{column}` of `{}` {why}; nothing was changed", rows.table().label()),
        "name another column or value in `set`, or leave `set` out to remove the rows",
    )
}

/// The length in `varchar(20)`.
fn longest(declared: &str) -> Option<usize> {
    declared.contains("char").then(|| declared.split_once('(')?.1.split(')').next()?.parse().ok())?
}
