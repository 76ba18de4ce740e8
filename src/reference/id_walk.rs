//! All ids of a column, page by page: short statements, each behind the last row of the one before.

use super::order::Key;
use super::page::IdPage;
use super::stream::{IdSink, Keyed};
use crate::store::error::StoreFailure;
use crate::store::sql::batch::keyset::Keyset;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::id_column::{self, IdKind};
use crate::store::sql::schema::table::{Class, Column, Table};
use crate::store::sql::session::connection::Session;
use crate::store::sql::session::store::Store;
use crate::store::value::Cell;
use tokio::sync::mpsc::error::TrySendError;

/// Rows of one statement: at first, while nobody knows how long ids are, at least, at most.
const FIRST: usize = 1_000;
const LEAST: usize = 50;
const MOST: usize = 10_000;
/// The same of whole numbers, which come in one text: some milliseconds of the store's time.
const MOST_NUMBERS: usize = 50_000;
/// The name of the column of numbers.
const NUMBER: &str = "steward_i";
/// Bytes of ids that one statement should give.
const FULL: usize = 512 * 1024;

/// How a column is read.
#[derive(Debug, Clone)]
pub(crate) struct Walk {
    store: Store,
    who: String,
    dialect: Dialect,
    path: String,
    condition: Option<String>,
    column: Column,
    id: IdKind,
    by: By,
}

/// What pages follow.
#[derive(Debug, Clone)]
enum By {
    /// The column itself: ids come in order.
    Id {
        /// Each once, so that nothing needs to be grouped.
        unique: bool,
    },
    /// The table's key.
    Key(Vec<Column>),
    /// The text of the ids: for a table without a key. The store sorts it for every page.
    Text,
}

impl Walk {
    /// Decides how the column is read best.
    pub(crate) fn of(
        store: &Store,
        who: &str,
        dialect: Dialect,
        table: &Table,
        column: &Column,
        condition: Option<&str>,
    ) -> Self {
        let id = IdKind::of(column);
        let by = match (table.index_on(&column.name), table.key()) {
            (Some(_), _) if is_in_order(dialect, table, column, id) => By::Id { unique: table.is_unique_over(&[column]) },
            (_, Ok(key)) => By::Key(key.into_iter().cloned().collect()),
            (_, Err(_)) => By::Text,
        };
        Self {
            store: store.clone(),
            who: who.to_owned(),
            dialect,
            path: dialect.table(table),
            condition: condition.map(str::to_owned),
            column: column.clone(),
            id,
            by,
        }
    }

    /// True when ids come in the order that both sides share.
    pub(crate) const fn is_in_order(&self) -> bool {
        matches!(self.by, By::Id { .. })
    }

    /// What a person should know about the reading.
    pub(crate) fn note(&self) -> Option<String> {
        match self.by {
            By::Text => Some(format!(
                "`{}.{}` has no key: it is sorted again for every page of at most {MOST} rows",
                self.path, self.column.name
            )),
            _ => None,
        }
    }

    /// Reads all of it into the sink. Ends early when nobody listens any more.
    pub(crate) async fn run(self, keyed: Keyed, sink: IdSink) {
        if let Err(failure) = self.walk(keyed, &sink).await {
            // Nobody listens: nobody needs to know.
            let _ = sink.send(Err(failure)).await;
        }
    }

    async fn walk(&self, keyed: Keyed, sink: &IdSink) -> Result<(), StoreFailure> {
        let (mut after, mut rows, mut session) = (None::<Vec<Cell>>, FIRST, None::<Session>);
        loop {
            let open = match &mut session {
                Some(open) => open,
                none => none.insert(self.store.reading(&self.who).await?),
            };
            let (page, last) = self.page(open, after.as_deref(), rows, keyed).await?;
            rows = next_rows(&page, if self.is_numbers() { MOST_NUMBERS } else { MOST });
            let Some(last) = last else {
                drop(session);
                let _ = sink.send(Ok(page)).await;
                return Ok(());
            };
            after = Some(last);
            match sink.try_send(Ok(page)) {
                Ok(()) => {}
                Err(TrySendError::Closed(_)) => return Ok(()),
                Err(TrySendError::Full(page)) => {
                    // Whoever is to take it may wait for the other side, and that side for the one connection that there is.
                    session = None;
                    if sink.send(page).await.is_err() {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// A page, and where the next one begins; none behind the last.
    async fn page(
        &self,
        session: &mut Session,
        after: Option<&[Cell]>,
        limit: usize,
        keyed: Keyed,
    ) -> Result<(IdPage, Option<Vec<Cell>>), StoreFailure> {
        let (sql, binds) = self.sql(after, limit);
        let (mut page, mut key) = (IdPage::default(), vec![]);
        if self.is_numbers() {
            let numbers = session.numbers(&sql, NUMBER, &binds).await?;
            numbers.iter().for_each(|number| page.push(Key::of_number(*number, &mut key)));
            let place = |number: &i128| vec![i64::try_from(*number).map_or_else(|_| Cell::Text(number.to_string()), Cell::Int)];
            return Ok((page, numbers.last().map(place).filter(|_| numbers.len() >= limit)));
        }
        let rows = session.rows(&sql, &binds).await?;
        let last = rows.last().filter(|_| rows.len() >= limit);
        let last = last.map(|row| if row.len() > 1 { row[1..].to_vec() } else { row.clone() });
        for id in rows.into_iter().filter_map(|row| id_column::of_cell(row.into_iter().next()?)) {
            page.push(keyed.key(id.as_bytes(), &mut key));
        }
        Ok((page, last))
    }

    /// True when rows are one whole number each, which no side writes in another way.
    const fn is_numbers(&self) -> bool {
        matches!((&self.by, self.id), (By::Id { .. }, IdKind::Integer { .. }))
    }

    fn sql(&self, after: Option<&[Cell]>, limit: usize) -> (String, Vec<Cell>) {
        let id = self.name(&self.column);
        let text = match self.id {
            IdKind::Integer { .. } => id.clone(),
            kind => kind.text(self.dialect, &id),
        };
        let mut binds = vec![];
        let behind = match after {
            Some(after) => format!(" AND {}", self.behind(after, &text, &mut binds)),
            None => String::new(),
        };
        let (wanted, order, group) = match &self.by {
            By::Id { unique } => {
                let named = if self.is_numbers() { format!("{text} AS {NUMBER}") } else { text };
                (named, id.clone(), if *unique { String::new() } else { format!(" GROUP BY {id}") })
            }
            By::Text => (text.clone(), text.clone(), format!(" GROUP BY {text}")),
            By::Key(key) => {
                let places: Vec<String> = key.iter().map(|column| self.dialect.outgoing(&self.path, column)).collect();
                let order: Vec<String> = key.iter().map(|column| self.name(column)).collect();
                (format!("{text}, {}", places.join(", ")), order.join(", "), String::new())
            }
        };
        let own = self.condition.iter().map(|own| format!("({own}) AND ")).collect::<String>();
        let sql = format!(
            "SELECT {wanted} FROM {} WHERE {own}{id} IS NOT NULL{behind}{group} ORDER BY {order} LIMIT {limit}",
            self.path
        );
        (sql, binds)
    }

    fn behind(&self, after: &[Cell], text: &str, binds: &mut Vec<Cell>) -> String {
        let columns = match &self.by {
            By::Id { .. } => vec![&self.column],
            By::Key(key) => key.iter().collect(),
            By::Text => {
                binds.extend(after.first().cloned());
                return format!("{text} > {}", self.id.bare(self.dialect, &self.dialect.bind(binds.len())));
            }
        };
        Keyset { dialect: self.dialect, path: &self.path, columns: &columns }.behind(after, binds)
    }

    fn name(&self, column: &Column) -> String {
        format!("{}.{}", self.path, self.dialect.quote(&column.name))
    }
}

/// As many rows as should fill a page, going by the last one.
fn next_rows(page: &IdPage, most: usize) -> usize {
    (FULL * page.len()).checked_div(page.bytes()).unwrap_or(FIRST).clamp(LEAST, most)
}

/// True when an index on the column is in the order of [`super::order`]: integers, and UUIDs where the store compares their
/// bytes as they are written. Text is not, whatever its collation: "10" stands behind "9" there only by value.
fn is_in_order(dialect: Dialect, table: &Table, column: &Column, id: IdKind) -> bool {
    match (dialect, id) {
        // Any value may stand in a SQLite column, except where it is the row's own number.
        (Dialect::Sqlite, _) => {
            let is_key = table.key().is_ok_and(|key| key.len() == 1 && key[0].name == column.name);
            is_key && column.declared.eq_ignore_ascii_case("integer") && column.class == Class::Dynamic
        }
        (Dialect::Postgres, IdKind::Uuid) | (_, IdKind::Integer { .. }) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_fewer_ids_the_longer_they_are() {
        let rows = |length: usize| {
            let mut page = IdPage::default();
            (0..100).for_each(|_| page.push(Key::Other(&vec![b'x'; length])));
            next_rows(&page, MOST)
        };
        assert_eq!((rows(9), rows(512), rows(1_000_000)), (MOST, 1_024, LEAST));
        assert_eq!(next_rows(&IdPage::default(), MOST), FIRST);
    }
}
