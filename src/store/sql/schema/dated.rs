//! Which rows have a date at all: the one notion of it that counting, removing, checks and references share.

use crate::store::clock::ClockKind;
use crate::store::sql::dialect::Dialect;

impl ClockKind {
    /// True for rows that have a date, false for all others, never unknown.
    ///
    /// Beside NULL these are no date: MySQL's zero dates and those with a year, month or day of zero, which are before every
    /// other and mean "never" or "not known"; PostgreSQL's `infinity` and `-infinity`; 0 where a clock counts; on SQLite a zero
    /// date as text, and any value of another form than the column's. A row that has none is never due.
    pub fn dated(&self, dialect: Dialect, clock: &str) -> String {
        match (self, dialect) {
            (Self::Text(_), _) => {
                let zero = zero_date(clock);
                format!("({} AND NOT {zero})", clock_guard(self, clock))
            }
            (Self::Epoch(_), Dialect::Sqlite) => format!("({} AND {clock} <> 0)", clock_guard(self, clock)),
            (Self::Epoch(_), _) => format!("(COALESCE({clock}, 0) <> 0)"),
            (_, Dialect::Postgres) => format!("COALESCE(isfinite({clock}), false)"),
            (_, Dialect::Mysql | Dialect::Mariadb) => {
                format!("(COALESCE(YEAR({clock}) * MONTH({clock}) * DAYOFMONTH({clock}), 0) > 0)")
            }
            (_, Dialect::Sqlite) => format!("({clock} IS NOT NULL)"),
        }
    }
}

/// True for a text that is written as a date and has a year, month or day of zero; false for all other values but NULL.
pub(crate) fn zero_date(column: &str) -> String {
    let digit = |n: usize| "[0-9]".repeat(n);
    let zero = ["0000-*", "????-00-*", "????-??-00*"].map(|zero| format!("{column} GLOB '{zero}'")).join(" OR ");
    format!("(typeof({column}) = 'text' AND {column} GLOB '{}-{}-{}*' AND ({zero}))", digit(4), digit(2), digit(2))
}

/// True for values of the kind that was seen when the run began; a row of another form that arrives later stays.
fn clock_guard(kind: &ClockKind, column: &str) -> String {
    match kind {
        ClockKind::Text(shape) => {
            let digit = |n: usize| "[0-9]".repeat(n);
            let mut pattern = format!("{}-{}-{}", digit(4), digit(2), digit(2));
            if let Some(separator) = shape.separator {
                pattern += &format!("{separator}{}:{}:{}", digit(2), digit(2), digit(2));
                if shape.fraction > 0 {
                    pattern += &format!(".{}", digit(shape.fraction));
                }
                pattern += &shape.suffix;
            }
            format!("(typeof({column}) = 'text' AND {column} GLOB '{pattern}')")
        }
        _ => format!("(typeof({column}) = 'integer')"),
    }
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
