//! Conditions that are true for rows with a fault in one column, in each dialect's own words.
//!
//! None of them leans on a column's collation: under some of them a zero-width space is nothing, and `é` is `e`.

use super::table_query::Looked;
use crate::diagnostic::codes;
use crate::policy::lifecycle::Clock;
use crate::store::clock::{ClockKind, TextShape};
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::catalog;
use crate::store::sql::schema::table::{Class, Column};
use chrono::{DateTime, Duration, Utc};

impl Looked {
    /// True where the column holds nothing: NULL, an empty text, or spaces alone.
    ///
    /// # Errors
    /// There is no such column.
    pub fn missing(&self, name: &str) -> Result<String, StoreFailure> {
        let at = self.column(name)?;
        let empty = match (self.dialect(), self.table().column(name)?.class) {
            (Dialect::Sqlite, _) => format!("trim({at}) = ''"),
            (Dialect::Postgres, Class::Text) => format!("octet_length(btrim({at}::text)) = 0"),
            (Dialect::Postgres, Class::Bytes) => format!("octet_length({at}) = 0"),
            (Dialect::Mysql | Dialect::Mariadb, Class::Text) => format!("LENGTH(TRIM({at})) = 0"),
            (Dialect::Mysql | Dialect::Mariadb, Class::Bytes) => format!("LENGTH({at}) = 0"),
            // MySQL keeps a choice that was none of the choices as number 0.
            (Dialect::Mysql | Dialect::Mariadb, Class::Choice) => format!("{at} + 0 = 0"),
            // A date with a year, month or day of zero says nothing either.
            (dialect @ (Dialect::Mysql | Dialect::Mariadb), Class::Date | Class::Naive | Class::Zoned) => {
                return Ok(format!("NOT {}", ClockKind::Zoned.dated(dialect, &at)));
            }
            _ => return Ok(format!("{at} IS NULL")),
        };
        Ok(format!("{at} IS NULL OR {empty}"))
    }

    /// The column's value as text.
    ///
    /// # Errors
    /// There is no such column; it holds bytes.
    pub fn text_of(&self, name: &str) -> Result<String, StoreFailure> {
        let (at, column) = (self.column(name)?, self.table().column(name)?);
        if column.class == Class::Bytes {
            let text =
                format!("column `{name}` of `{}` is of type `{}`, which holds no text", self.table().label(), column.declared);
            return Err(StoreFailure::refused(codes::CHECK_UNFIT, text, "name a column of text"));
        }
        Ok(match self.dialect() {
            Dialect::Sqlite => format!("CAST({at} AS TEXT)"),
            Dialect::Postgres => format!("{at}::text"),
            _ => format!("CONVERT({at} USING utf8mb4)"),
        })
    }

    /// True where the column holds a number below `min` or above `max`, or no number at all; NULL is neither.
    ///
    /// # Errors
    /// There is no such column; it holds no numbers.
    pub fn outside(&self, name: &str, min: Option<f64>, max: Option<f64>) -> Result<String, StoreFailure> {
        let (at, column) = (self.column(name)?, self.table().column(name)?);
        let dialect = self.dialect();
        let odd = match (dialect, column.class) {
            (Dialect::Sqlite, _) => Some(format!("typeof({at}) NOT IN ('integer', 'real')")),
            (Dialect::Postgres, Class::Float | Class::Decimal) => Some(format!("{at} = 'NaN'")),
            (_, Class::Integer { .. } | Class::Float | Class::Decimal) => None,
            _ => return Err(no_numbers(self, column)),
        };
        let limit = |number: f64| match (dialect, column.declared.as_str()) {
            // A bound of 0.1 is the 0.1 that such a column can hold.
            (Dialect::Postgres, "real") => format!("({number})::real"),
            (Dialect::Mysql | Dialect::Mariadb, declared) if declared.starts_with("float") => format!("CAST({number} AS FLOAT)"),
            _ => format!("({number})"),
        };
        let below = min.map(|min| format!("{at} < {}", limit(min)));
        let above = max.map(|max| format!("{at} > {}", limit(max)));
        Ok(odd.into_iter().chain(below).chain(above).collect::<Vec<_>>().join(" OR "))
    }

    /// True where the clock says an instant before this one.
    ///
    /// # Errors
    /// There is no such column, or it dates nothing.
    pub async fn before(&mut self, clock: &Clock, instant: DateTime<Utc>) -> Result<String, StoreFailure> {
        let (kind, at) = (self.clock_kind(clock).await?, self.column(&clock.column)?);
        Ok(self.dated_before(&kind, &at, self.table().column(&clock.column)?, instant))
    }

    fn dated_before(&self, kind: &ClockKind, at: &str, column: &Column, instant: DateTime<Utc>) -> String {
        format!("{at} < {} AND {}", kind.cutoff(self.dialect(), column, instant), kind.dated(self.dialect(), at))
    }

    async fn clock_kind(&mut self, clock: &Clock) -> Result<ClockKind, StoreFailure> {
        let table = self.table().clone();
        catalog::clock_kind(self.session(), &table, clock).await
    }

    /// The newest row that is not dated in the future, by its clock, and how many are.
    ///
    /// A row from the future would make the table look fresh for years. A minute of difference between two clocks is none,
    /// and a day that has begun is not the future.
    ///
    /// # Errors
    /// There is no such column, or it dates nothing; a date cannot be read.
    pub async fn newest(&mut self, clock: &Clock, as_of: DateTime<Utc>) -> Result<Newest, StoreFailure> {
        let (kind, at) = (self.clock_kind(clock).await?, self.column(&clock.column)?);
        let by_day = matches!(kind, ClockKind::Day(_) | ClockKind::Text(TextShape { separator: None, .. }));
        let slack = if by_day { Duration::days(1) } else { Duration::minutes(1) };
        let past = self.dated_before(&kind, &at, self.table().column(&clock.column)?, as_of + slack);
        let newest = format!("MAX(CASE WHEN {past} THEN {at} END)");
        let newest = match self.dialect() {
            Dialect::Sqlite => newest,
            Dialect::Postgres => format!("{newest}::text"),
            _ => format!("CAST({newest} AS CHAR)"),
        };
        let query = format!(
            "SELECT {newest}, COUNT(*) - COUNT(CASE WHEN {past} THEN 1 END){}",
            self.from_where(&[kind.dated(self.dialect(), &at)])
        );
        let row = self.rows(&query, &[]).await?.into_iter().next().unwrap_or_default();
        let instant = match row.first() {
            None | Some(crate::store::value::Cell::Null) => None,
            Some(cell) => Some(kind.instant(cell).ok_or_else(|| no_date(self, &clock.column))?),
        };
        Ok(Newest { instant, later: row.get(1).map_or(0, crate::store::value::Cell::as_count), query })
    }
}

/// The newest row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// When it is dated; none where there is no row.
    pub instant: Option<DateTime<Utc>>,
    /// Rows dated in the future, which were left out.
    pub later: u64,
    /// Gives it again.
    pub query: String,
}

fn no_numbers(looked: &Looked, column: &Column) -> StoreFailure {
    StoreFailure::refused(
        codes::CHECK_UNFIT,
        format!(
            "column `{}` of `{}` is of type `{}`, which holds no numbers",
            column.name,
            looked.table().label(),
            column.declared
        ),
        "name a column of numbers",
    )
}

fn no_date(looked: &Looked, column: &str) -> StoreFailure {
    StoreFailure::refused(
        codes::CLOCK_UNFIT,
        format!("the newest `{column}` of `{}` is no date that can be read", looked.table().label()),
        "bring the column to one form, such as `2026-05-21T13:45:00Z`",
    )
}
