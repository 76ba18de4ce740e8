//! The rows of one dataset under one policy: which are due, how many, and the next few of them.

use super::assignment::Mark;
use super::keyset::Keyset;
use crate::diagnostic::codes;
use crate::policy::dataset::DatasetName;
use crate::policy::lifecycle::{Clock, Guard};
use crate::store::batch_mark::LastBatch;
use crate::store::clock::{ClockKind, looks_wrong};
use crate::store::cutoff::{CheckedCutoff, Cutoff};
use crate::store::error::StoreFailure;
use crate::store::foreign_key::Blocker;
use crate::store::foreign_key::{Child, OnDelete};
use crate::store::holds::Holds;
use crate::store::page::{Keeps, Page};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::query::condition;
use crate::store::sql::schema::catalog;
use crate::store::sql::schema::effects;
use crate::store::sql::schema::effects::Effects;
use crate::store::sql::schema::table::{Class, Column, Table};
use crate::store::sql::schema::trigger::{Event, Trigger};
use crate::store::sql::session::connection::Session;
use crate::store::sql::session::store::Store;
use crate::store::survey::{ChildRows, Survey};
use crate::store::value::{Cell, Cursor};

/// The rows of one dataset that a policy dates by a clock and cuts at an instant.
#[derive(Debug, Clone)]
pub struct Rows {
    pub(crate) store: Store,
    pub(crate) who: String,
    pub(crate) dialect: Dialect,
    pub(crate) table: Table,
    pub(crate) key: Vec<Column>,
    pub(crate) clock: Column,
    kind: ClockKind,
    cutoff: String,
    pub(crate) time: CheckedCutoff,
    pub(crate) condition: Option<String>,
    walks_clock: bool,
    index: Option<String>,
    pub(crate) notes: Vec<(String, String)>,
    /// What is written into a row instead of removing it; empty where rows go.
    pub(crate) marks: Vec<Mark>,
    /// Where batches leave their mark; none for what is only looked at.
    pub(crate) batches: Option<LastBatch>,
    /// What a count of all rows is held against, where anything is.
    guard: Option<Guard>,
    /// What happens beside; none until the rows were made ready to be removed or marked.
    pub(crate) effects: Option<Effects>,
    /// Foreign keys whose rows keep these; none until the rows were made ready to be removed.
    pub(crate) blockers: Vec<Blocker>,
    /// The store's own audit table, in the account's sight.
    pub(crate) log: Option<DatasetName>,
}

/// Above this many rows the store's own estimate stands in for a count (design: guards).
const COUNTED_UP_TO: u64 = 1_000_000;
/// Below this many rows a full read is no news.
const SMALL: u64 = 10_000;

impl Rows {
    /// Finds the table, its key and clock, and checks every condition; touches nothing.
    pub async fn prepare(
        store: &Store,
        who: &str,
        dataset: &DatasetName,
        clock: &Clock,
        cutoff: Cutoff,
        condition: Option<&str>,
        holds: &Holds,
    ) -> Result<Self, StoreFailure> {
        let mut session = store.reading(who).await?;
        let table = catalog::must_find(&mut session, dataset).await?;
        table.refuse_unfit_descendants()?;
        let key: Vec<Column> = table.key()?.into_iter().cloned().collect();
        refuse_unnamed_rows(&mut session, &table, &key).await?;
        let column = table.column(&clock.column)?.clone();
        let kind = catalog::clock_kind(&mut session, &table, clock).await?;
        if let Some(text) = condition {
            condition::check(&mut session, &table, text, "the policy").await?;
        }
        for (name, text) in holds.conditions() {
            condition::check(&mut session, &table, text, &format!("hold `{name}`")).await?;
        }
        let dialect = session.dialect();
        let time = cutoff.checked(store.name(), session.now().await?, crate::clock::now());
        let mut rows = Self {
            store: store.clone(),
            who: who.to_owned(),
            dialect,
            cutoff: kind.cutoff(dialect, &column, time.at()),
            time,
            walks_clock: table.index_on(&column.name).is_some(),
            clock: column,
            table,
            key,
            kind,
            condition: condition.map(str::to_owned),
            index: None,
            notes: vec![],
            marks: vec![],
            batches: None,
            guard: None,
            effects: None,
            blockers: vec![],
            log: None,
        };
        rows.look_at_the_walk(&mut session, holds).await?;
        rows.look_at_the_unit(&mut session).await?;
        Ok(rows)
    }

    /// Asks the store how it would find a page, and notes what a person should know.
    async fn look_at_the_walk(&mut self, session: &mut Session, holds: &Holds) -> Result<(), StoreFailure> {
        let (sql, binds) = self.page_sql(None, 1_000, holds);
        self.index = catalog::index_used(session, &sql, &binds).await?;
        let path = self.dialect.table(&self.table);
        if !self.walks_clock {
            let hint = format!("CREATE INDEX ON {path} ({});", self.dialect.quote(&self.clock.name));
            let hint = if self.dialect == Dialect::Postgres {
                hint.replace("CREATE INDEX", "CREATE INDEX CONCURRENTLY")
            } else {
                hint.replace(
                    "CREATE INDEX ON",
                    &format!("CREATE INDEX {} ON", self.dialect.quote(&format!("{}_{}", self.table.name, self.clock.name))),
                )
            };
            self.notes.push((
                format!("`{}` has no index that starts with `{}`: the key is walked", self.table.label(), self.clock.name),
                hint,
            ));
        } else if self.index.is_none() && self.table.estimate.unwrap_or(0) > SMALL {
            self.notes.push((
                format!("the store reads all of `{}` although an index starts with `{}`", self.table.label(), self.clock.name),
                "refresh its statistics (ANALYZE)".into(),
            ));
        }
        Ok(())
    }

    /// Notes a clock of numbers whose dates are all in 1970 or beyond the year 3000: its unit is another, as a rule.
    async fn look_at_the_unit(&mut self, session: &mut Session) -> Result<(), StoreFailure> {
        let ClockKind::Epoch(unit) = self.kind else { return Ok(()) };
        if !self.walks_clock && self.table.estimate.is_some_and(|rows| rows > COUNTED_UP_TO) {
            return Ok(());
        }
        let (path, name) = (self.dialect.table(&self.table), self.dialect.quote(&self.clock.name));
        let sql = format!("SELECT (SELECT MIN({name}) FROM {path}), (SELECT MAX({name}) FROM {path})");
        let row = session.rows(&sql, &[]).await?.into_iter().next().unwrap_or_default();
        let numbers: Vec<i64> = row.iter().filter_map(|cell| cell.shown().parse().ok()).collect();
        let [oldest, newest] = numbers.as_slice() else { return Ok(()) };
        let Some((when, likely)) = looks_wrong(unit, *oldest, *newest) else { return Ok(()) };
        let help = likely.map_or_else(
            || "look at what the column counts, and from when".to_owned(),
            |unit| format!("write `unit: {}` in `clock`, where it counts {}", unit.word(), unit.name()),
        );
        let text = format!("all dates in `{}` of `{}` lie {when}, read as {}", self.clock.name, self.table.label(), unit.name());
        self.notes.push((text, help));
        Ok(())
    }

    /// The same rows, counted well enough for a guard: an estimate is then trusted as far as rows are surely there.
    #[must_use]
    pub fn guarded_by(self, guard: Guard) -> Self {
        Self { guard: Some(guard), ..self }
    }

    /// The index that finds the rows, by the store's own word.
    pub fn index(&self) -> Option<&str> {
        self.index.as_deref()
    }

    /// What a person should know before it runs, each with the way out if there is one.
    pub fn notes(&self) -> Vec<(String, String)> {
        let (event, what) = if self.marks.is_empty() { (Event::Delete, "removed") } else { (Event::Update, "changed") };
        let label = self.table.label();
        let fires = |trigger: &Trigger| {
            let at = trigger.partition.as_ref().map(|partition| format!(" of partition `{partition}`")).unwrap_or_default();
            (format!("trigger `{}`{at} fires when rows of `{label}` are {what}", trigger.name), String::new())
        };
        let own = self.table.dependents.triggers.iter().filter(|trigger| trigger.fires_on(event));
        self.notes.iter().cloned().chain(own.map(fires)).collect()
    }

    /// A session that may change rows: the one way to get one here.
    ///
    /// # Errors
    /// The cutoff is counted from a time that has not come: nothing is changed by it.
    pub(crate) async fn changing(&self) -> Result<Session, StoreFailure> {
        self.time.must_have_come()?;
        self.store.session(&self.who).await
    }

    /// The table.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The columns that name a row.
    pub fn key_columns(&self) -> impl Iterator<Item = &str> {
        self.key.iter().map(|column| column.name.as_str())
    }

    /// True when the walk follows the clock, so that a cursor begins with it.
    pub const fn walks_clock(&self) -> bool {
        self.walks_clock
    }

    /// Which places of the walk may be written down: numbers and dates by type, never text that could be anything.
    pub fn keeps(&self, is_secret: impl Fn(&str) -> bool) -> Keeps {
        let walk = self.walk();
        if walk.iter().any(|column| is_secret(&column.name)) {
            return Keeps::Nothing;
        }
        let by_type = |column: &&Column| {
            matches!(column.class, Class::Integer { .. } | Class::Decimal | Class::Date | Class::Naive | Class::Zoned)
                || column.declared.eq_ignore_ascii_case("uuid")
        };
        match self.dialect {
            Dialect::Sqlite => Keeps::PlainValues,
            _ if walk.iter().all(by_type) => Keeps::Everything,
            _ => Keeps::Nothing,
        }
    }

    /// What must stay the same for a stopped pass to go on: the columns, the clock's kind, the condition.
    pub fn fingerprint(&self) -> String {
        let marks = if self.marks.is_empty() { String::new() } else { format!("|{:?}", self.marks) };
        format!("{:?}|{:?}|{:?}|{:?}|{}{marks}", self.table.columns, self.key, self.kind, self.condition, self.walks_clock)
    }

    /// True for rows past the cutoff that match the condition.
    fn due(&self) -> String {
        let clock = self.dialect.quote(&self.clock.name);
        let clock = format!("{}.{clock}", self.dialect.table(&self.table));
        let mut due = format!("{clock} < {} AND {}", self.cutoff, self.kind.dated(self.dialect, &clock));
        if let Some(condition) = &self.condition {
            due += &format!(" AND (\n{condition}\n)");
        }
        if let Some(unmarked) = self.unmarked() {
            due += &format!(" AND {unmarked}");
        }
        due
    }

    /// True for rows that may go: due, and kept by no hold. Every statement that removes uses this one.
    pub(crate) fn may_go(&self, holds: &Holds) -> String {
        format!("{} AND {}", self.due(), holds.free(self.dialect))
    }

    /// The statement that counts `due` again, to show beside the number (promise 12).
    pub fn due_query(&self) -> String {
        format!("SELECT COUNT(*) FROM {} WHERE {}", self.dialect.table(&self.table), self.due())
    }

    /// Counts what is there. Reads only.
    pub async fn count(&self, holds: &Holds) -> Result<Survey, StoreFailure> {
        let mut session = self.store.reading(&self.who).await?;
        let mut counts = Survey::default();
        if let Err(failure) = self.count_due(&mut session, holds, &mut counts).await {
            return Err(self.whose_fault(&mut session, holds, failure).await);
        }
        self.total(&mut session, &mut counts).await?;
        counts.undated = session.count(&self.undated_sql(), &[]).await?;
        for child in self.table.dependents.children.iter().filter(|child| child.on_delete != OnDelete::Refuse) {
            let rows = session.count(&self.child_sql(child, holds), &[]).await?;
            counts.children.push(ChildRows { child: child.clone(), rows });
        }
        Ok(counts)
    }

    /// How many rows there are. An estimate may be years old, so as many as the guard asks for are counted before it is taken.
    async fn total(&self, session: &mut Session, counts: &mut Survey) -> Result<(), StoreFailure> {
        let path = self.dialect.table(&self.table);
        let Some(estimate) = self.table.estimate.filter(|rows| *rows > COUNTED_UP_TO) else {
            counts.total = session.count(&format!("SELECT COUNT(*) FROM {path}"), &[]).await?;
            return Ok(());
        };
        (counts.total, counts.total_is_estimate) = (estimate, true);
        let Some(guard) = &self.guard else { return Ok(()) };
        let wanted = guard.rows_for(counts.going());
        let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM {path} LIMIT {wanted}) steward_t");
        let there = session.count(&sql, &[]).await?;
        counts.total = estimate.max(there);
        if there < wanted {
            (counts.total, counts.total_is_estimate) = (there, false);
        }
        counts.surely = Some(there);
        Ok(())
    }

    async fn count_due(&self, session: &mut Session, holds: &Holds, counts: &mut Survey) -> Result<(), StoreFailure> {
        let clock = format!("{}.{}", self.dialect.table(&self.table), self.dialect.quote(&self.clock.name));
        let free = holds.free(self.dialect);
        let sum = |condition: &str| match self.dialect {
            Dialect::Sqlite | Dialect::Postgres => format!("COUNT(*) FILTER (WHERE {condition})"),
            _ => format!("COUNT(CASE WHEN {condition} THEN 1 END)"),
        };
        let oldest = format!("MIN(CASE WHEN {free} THEN {clock} END)");
        let oldest = match self.dialect {
            Dialect::Sqlite => oldest,
            Dialect::Postgres => format!("{oldest}::text"),
            _ => format!("CAST({oldest} AS CHAR)"),
        };
        let mut wanted = vec!["COUNT(*)".to_owned(), oldest, sum(&holds.held(self.dialect))];
        let names: Vec<String> = holds.each(self.dialect).map(|(name, _)| name.to_owned()).collect();
        wanted.extend(holds.each(self.dialect).map(|(_, held)| sum(&held)));
        let refusers: Vec<(&Blocker, String)> = self.refusers().collect();
        wanted.extend(refusers.iter().map(|(_, refers)| sum(&format!("{free} AND {refers}"))));
        let by_others: Vec<_> = refusers.iter().filter(|(blocker, _)| !blocker.own).map(|(_, refers)| refers.as_str()).collect();
        if !by_others.is_empty() {
            wanted.push(sum(&format!("{free} AND ({})", by_others.join(" OR "))));
        }
        let sql = format!("SELECT {} FROM {} WHERE {}", wanted.join(", "), self.dialect.table(&self.table), self.due());
        let row = session.rows(&sql, &[]).await?.into_iter().next().unwrap_or_default();
        let count = |at: usize| row.get(at).map_or(0, Cell::as_count);
        counts.due = count(0);
        counts.oldest = row.get(1).filter(|cell| **cell != Cell::Null).map(|cell| self.kind.shown(cell));
        counts.held = count(2);
        let behind = 3 + names.len();
        counts.by_hold = names.into_iter().enumerate().map(|(at, name)| (name, count(at + 3))).collect();
        let by_key = refusers.iter().enumerate().map(|(at, (blocker, _))| self.blocked_rows(blocker, count(behind + at)));
        counts.by_key = by_key.filter(|blocked| blocked.rows > 0).collect();
        counts.blocked = count(behind + refusers.len());
        Ok(())
    }

    /// Names the hold whose condition fails for some rows, where it is one that does.
    async fn whose_fault(&self, session: &mut Session, holds: &Holds, failure: StoreFailure) -> StoreFailure {
        if !matches!(failure, StoreFailure::Failed { .. }) {
            return failure;
        }
        for (name, condition) in holds.conditions() {
            if let Err(refused) = condition::check_rows(session, &self.table, condition, &format!("hold `{name}`")).await {
                return refused;
            }
        }
        failure
    }

    /// How many rows that are due also match another condition, or may: it is not false for them. Reads only.
    ///
    /// # Errors
    /// The condition does not work here; the store's own.
    pub async fn count_due_unless_false(&self, condition: &str) -> Result<u64, StoreFailure> {
        let mut session = self.store.reading(&self.who).await?;
        condition::check(&mut session, &self.table, condition, "the other policy").await?;
        let (path, due) = (self.dialect.table(&self.table), self.due());
        session.count(&format!("SELECT COUNT(*) FROM {path} WHERE {due} AND NOT {}", self.dialect.is_false(condition)), &[]).await
    }

    fn undated_sql(&self) -> String {
        let condition = self.condition.as_ref().map(|condition| format!(" AND (\n{condition}\n)")).unwrap_or_default();
        let path = self.dialect.table(&self.table);
        let dated = self.kind.dated(self.dialect, &format!("{path}.{}", self.dialect.quote(&self.clock.name)));
        format!("SELECT COUNT(*) FROM {path} WHERE NOT {dated}{condition}")
    }

    /// Children of rows that may go. The rows' own names stand in the inner query, where nothing else can answer to them.
    fn child_sql(&self, child: &Child, holds: &Holds) -> String {
        let list = |names: &[String]| names.iter().map(|name| self.dialect.quote(name)).collect::<Vec<_>>().join(", ");
        format!(
            "SELECT COUNT(*) FROM {} WHERE ({}) IN (SELECT {} FROM {} WHERE {})",
            self.dialect.path(child.schema.as_deref(), &child.table),
            list(&child.columns),
            list(&child.parent_columns),
            self.dialect.table(&self.table),
            self.may_go(holds)
        )
    }

    /// Every table whose rows would go or change along, by foreign keys, at any depth. Reads only.
    pub async fn taken_along(&self) -> Result<Vec<DatasetName>, StoreFailure> {
        if self.table.dependents.children.is_empty() {
            return Ok(vec![]);
        }
        if let Some(effects) = &self.effects {
            return Ok(effects.along.clone());
        }
        let mut session = self.store.reading(&self.who).await?;
        effects::of_removal(&mut session, &self.table).await.map(|effects| effects.along)
    }

    /// Every table whose rows would be removed along, once these were made ready to be removed.
    pub fn removed_along(&self) -> &[DatasetName] {
        self.effects.as_ref().map_or(&[], |effects| effects.removed.as_slice())
    }

    /// The next due rows behind `cursor`, at most `limit`; `None` when there are no more. Reads only.
    pub async fn page(&self, cursor: Option<&Cursor>, limit: u64, holds: &Holds) -> Result<Option<Page>, StoreFailure> {
        let (sql, binds) = self.page_sql(cursor, limit, holds);
        let mut session = self.store.reading(&self.who).await?;
        let places = session.rows(&sql, &binds).await?;
        Ok(Page::of(places, usize::from(self.walks_clock)))
    }

    /// The statement that finds a page; shown by `plan --sql`.
    pub fn page_sql(&self, cursor: Option<&Cursor>, limit: u64, holds: &Holds) -> (String, Vec<Cell>) {
        let path = self.dialect.table(&self.table);
        let walk = self.walk();
        let mut binds = vec![];
        let along = Keyset { dialect: self.dialect, path: &path, columns: &walk };
        let behind = match cursor {
            Some(cursor) => format!(" AND {}", along.behind(cursor, &mut binds)),
            None => String::new(),
        };
        let wanted: Vec<_> = walk.iter().map(|column| self.dialect.outgoing(&path, column)).collect();
        let order: Vec<_> = walk.iter().map(|column| format!("{path}.{}", self.dialect.quote(&column.name))).collect();
        let sql = format!(
            "SELECT {} FROM {path} WHERE {}{}{behind} ORDER BY {} LIMIT {limit}",
            wanted.join(", "),
            self.may_go(holds),
            self.unblocked(),
            order.join(", ")
        );
        (sql, binds)
    }

    fn walk(&self) -> Vec<&Column> {
        self.walks_clock.then_some(&self.clock).into_iter().chain(&self.key).collect()
    }
}

/// SQLite lets a primary key be NULL, and such a row has no name to move it by.
pub(crate) async fn refuse_unnamed_rows(session: &mut Session, table: &Table, key: &[Column]) -> Result<(), StoreFailure> {
    if session.dialect() != Dialect::Sqlite || !key.iter().any(|column| column.nullable) {
        return Ok(());
    }
    let unnamed: Vec<_> = key.iter().map(|column| format!("{} IS NULL", session.dialect().quote(&column.name))).collect();
    let rows = session
        .count(&format!("SELECT COUNT(*) FROM {} WHERE {}", session.dialect().table(table), unnamed.join(" OR ")), &[])
        .await?;
    if rows == 0 {
        return Ok(());
    }
    Err(StoreFailure::refused(
        codes::NO_KEY,
        format!(
            "{rows} rows of `{}` have NULL in their key and cannot be told apart; nothing is moved or removed",
            table.label()
        ),
        "give them a key, and declare the key's columns NOT NULL",
    ))
}
