//! The column that dates a row: what it holds, how a cutoff is written for it, and which rows have a date at all.

use super::table::{Class, Column, Table};
use crate::diagnostic::codes;
use crate::policy::lifecycle::Clock;
use crate::store::clock::{ClockKind, day_before, units_before, wall_before};
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

impl ClockKind {
    /// Decides from type and declaration. SQLite's columns have no type to trust: their values decide (`sqlite::clock`).
    pub fn of(table: &Table, column: &Column, clock: &Clock) -> Result<Self, StoreFailure> {
        let zone = clock.zone.unwrap_or(Tz::UTC);
        let kind = match column.class {
            Class::Zoned => Self::Zoned,
            Class::Naive => Self::Naive(zone),
            Class::Date => Self::Day(zone),
            Class::Integer { .. } => {
                let unit = clock.unit.ok_or_else(|| unit_missing(table, &column.name))?;
                return Ok(Self::Epoch(unit));
            }
            _ => {
                return Err(StoreFailure::refused(
                    codes::CLOCK_UNFIT,
                    format!(
                        "clock `{}` of `{}` is of type `{}`, which dates nothing",
                        column.name,
                        table.label(),
                        column.declared
                    ),
                    "name a date, datetime or timestamp column, or an integer with its `unit`",
                ));
            }
        };
        if clock.unit.is_some() {
            return Err(StoreFailure::refused(
                codes::CLOCK_UNFIT,
                format!("clock `{}` of `{}` is of type `{}` and has no `unit`", column.name, table.label(), column.declared),
                "leave `unit` out: it belongs to integer clocks",
            ));
        }
        Ok(kind)
    }

    /// The cutoff as an SQL expression that `clock < …` compares with.
    pub fn cutoff(&self, dialect: Dialect, column: &Column, cutoff: DateTime<Utc>) -> String {
        match self {
            Self::Zoned => dialect.instant(&cutoff.format("%Y-%m-%d %H:%M:%S%.6f").to_string()),
            Self::Naive(zone) => {
                let wall = wall_before(cutoff, *zone).format("%Y-%m-%d %H:%M:%S%.6f");
                format!("TIMESTAMP '{wall}'")
            }
            Self::Day(zone) => format!("DATE '{}'", day_before(cutoff, *zone).format("%Y-%m-%d")),
            Self::Epoch(unit) => match column.class {
                Class::Integer { unsigned: true } => units_before(cutoff, *unit).max(0).to_string(),
                _ => units_before(cutoff, *unit).to_string(),
            },
            Self::Text(shape) => format!("'{}'", shape.cutoff(cutoff)),
        }
    }

    /// True for rows that have a date, false for all others, never unknown: the one notion of it that counting, removing, checks
    /// and references share.
    ///
    /// Beside NULL these are no date: MySQL's zero dates and those with a year, month or day of zero, which are before every
    /// other and mean "never" or "not known"; PostgreSQL's `infinity` and `-infinity`; 0 where a clock counts; on SQLite a zero
    /// date as text, and any value of another form than the column's. A row that has none is never due.
    pub fn dated(&self, dialect: Dialect, clock: &str) -> String {
        dialect.dated(self, clock)
    }
}

/// A SQLite integer clock, or any store's, without its unit.
pub fn unit_missing(table: &Table, column: &str) -> StoreFailure {
    StoreFailure::refused(
        codes::CLOCK_UNFIT,
        format!("clock `{column}` of `{}` holds integers, and nothing says what they count", table.label()),
        format!("write `clock: {{ column: {column}, unit: s }}` (or ms, us)"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::lifecycle::ClockUnit;

    #[test]
    fn what_is_no_date_is_known_in_each_dialect() {
        let naive = ClockKind::Naive(chrono_tz::Tz::UTC);
        assert_eq!(naive.dated(Dialect::Postgres, "c"), "COALESCE(isfinite(c), false)");
        assert_eq!(naive.dated(Dialect::Mysql, "c"), "(COALESCE(YEAR(c) * MONTH(c) * DAYOFMONTH(c), 0) > 0)");
        assert_eq!(ClockKind::Epoch(ClockUnit::Seconds).dated(Dialect::Mariadb, "c"), "(COALESCE(c, 0) <> 0)");
    }
}
