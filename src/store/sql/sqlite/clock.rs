//! Which values of a column of SQLite are dates: its columns have no type to go by.

use crate::store::clock::ClockKind;

/// True for rows that have a date; see [`ClockKind::dated`].
pub(super) fn dated(kind: &ClockKind, clock: &str) -> String {
    match kind {
        ClockKind::Text(_) => format!("({} AND NOT {})", clock_guard(kind, clock), zero_date(clock)),
        ClockKind::Epoch(_) => format!("({} AND {clock} <> 0)", clock_guard(kind, clock)),
        ClockKind::Zoned | ClockKind::Naive(_) | ClockKind::Day(_) => format!("({clock} IS NOT NULL)"),
    }
}

/// True for a text that is written as a date and has a year, month or day of zero; false for all other values but NULL.
pub(super) fn zero_date(column: &str) -> String {
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
