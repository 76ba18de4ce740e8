//! The property that dates a node: what it holds, and how a cutoff is written for it.

use super::catalog::Label;
use super::identifier::property;
use super::session::Reading;
use crate::diagnostic::codes;
use crate::policy::lifecycle::Clock;
use crate::store::clock::ClockKind;
use crate::store::clock::day_before;
use crate::store::clock::units_before;
use crate::store::clock::wall_before;
use crate::store::error::StoreFailure;
use crate::store::value::Cell;
use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use chrono_tz::Tz;

/// The furthest west that Neo4j knows, in seconds.
const WEST: i32 = 18 * 3600;

/// What a clock holds. No property promises a type, so the values decide, all of them: mixed types do not compare.
///
/// # Errors
/// Values of several types, or of one that dates nothing; a `unit` too many or too few; the store's own.
pub async fn kind(session: &Reading, label: &Label, clock: &Clock) -> Result<ClockKind, StoreFailure> {
    let name = property(&clock.column);
    let asked = format!("MATCH {} WHERE {name} IS NOT NULL RETURN DISTINCT valueType({name}) AS c0 ORDER BY c0", label.pattern());
    let found = session.rows(&asked, vec![]).await?;
    let types: Vec<String> = found.iter().flatten().map(|cell| cell.shown().replace(" NOT NULL", "")).collect();
    let about = |text: String, help: &str| {
        let text = format!("clock `{}` of `{}` {text}", clock.column, label.shown());
        StoreFailure::refused(codes::CLOCK_UNFIT, text, help)
    };
    let zone = clock.zone.unwrap_or(Tz::UTC);
    let kind = match (types.as_slice(), clock.unit) {
        // Without a value nothing is due, whatever the values will be.
        ([], Some(unit)) => ClockKind::Epoch(unit),
        ([], None) => ClockKind::Zoned,
        ([only], unit) => match (only.as_str(), unit) {
            ("ZONED DATETIME", None) => ClockKind::Zoned,
            ("LOCAL DATETIME", None) => ClockKind::Naive(zone),
            ("DATE", None) => ClockKind::Day(zone),
            ("INTEGER", Some(unit)) => ClockKind::Epoch(unit),
            ("INTEGER", None) => {
                let help = format!("write `clock: {{ column: {}, unit: s }}` (or ms, us)", clock.column);
                return Err(about("holds integers, and nothing says what they count".into(), &help));
            }
            ("ZONED DATETIME" | "LOCAL DATETIME" | "DATE", Some(_)) => {
                return Err(about(format!("holds {only}s and has no `unit`"), "leave `unit` out: it belongs to integer clocks"));
            }
            _ => {
                let help = "date nodes by a DATETIME, LOCALDATETIME or DATE, or by an integer with its `unit`; `SET n.x = datetime(n.x)` makes \
                            one of an ISO text";
                return Err(about(format!("holds {only}s, which date nothing"), help));
            }
        },
        (several, _) => {
            let help = "give all nodes a clock of one type: what cannot be compared would never be due";
            return Err(about(format!("holds values of several types: {}", several.join(", ")), help));
        }
    };
    Ok(kind)
}

/// The cutoff as an expression that `clock < …` compares with.
pub fn cutoff(kind: &ClockKind, cutoff: DateTime<Utc>) -> String {
    match kind {
        // Of two equal instants Neo4j takes the one further west for the smaller: seen from there none is before it.
        ClockKind::Zoned => {
            let west =
                FixedOffset::west_opt(WEST).map(|west| cutoff.with_timezone(&west).to_rfc3339_opts(SecondsFormat::Nanos, false));
            format!("datetime('{}')", west.unwrap_or_else(|| cutoff.to_rfc3339_opts(SecondsFormat::Nanos, false)))
        }
        ClockKind::Naive(zone) => format!("localdatetime('{}')", wall_before(cutoff, *zone).format("%Y-%m-%dT%H:%M:%S%.9f")),
        ClockKind::Day(zone) => format!("date('{}')", day_before(cutoff, *zone).format("%Y-%m-%d")),
        ClockKind::Epoch(unit) => units_before(cutoff, *unit).to_string(),
        // Texts are refused above; were one here, nothing would be before it.
        ClockKind::Text(_) => "null".to_owned(),
    }
}

/// True for nodes that have a date, false for all others: where a clock counts, 0 is none.
pub fn dated(kind: &ClockKind, expression: &str) -> String {
    match kind {
        ClockKind::Epoch(_) => format!("(coalesce({expression}, 0) <> 0)"),
        _ => format!("({expression} IS NOT NULL)"),
    }
}

/// A clock's value on its way out, as text where it is no number: nothing of it is lost, its zone included.
pub fn outgoing(kind: &ClockKind, expression: &str) -> String {
    match kind {
        ClockKind::Epoch(_) => expression.to_owned(),
        _ => format!("toString({expression})"),
    }
}

/// A parameter on its way in, of the clock's own type again.
pub fn incoming(kind: &ClockKind, parameter: &str) -> String {
    match kind {
        ClockKind::Zoned => format!("datetime({parameter})"),
        ClockKind::Naive(_) => format!("localdatetime({parameter})"),
        ClockKind::Day(_) => format!("date({parameter})"),
        ClockKind::Epoch(_) | ClockKind::Text(_) => parameter.to_owned(),
    }
}

/// A clock's value as people and programs read it: RFC 3339 in UTC.
pub fn shown(kind: &ClockKind, cell: &Cell) -> String {
    let text = cell.shown();
    let instant = text.split('[').next().unwrap_or_default();
    match (kind, DateTime::parse_from_rfc3339(instant)) {
        (ClockKind::Zoned, Ok(instant)) => instant.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true),
        _ => kind.shown(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::lifecycle::ClockUnit;

    #[test]
    fn a_cutoff_is_written_in_the_clocks_own_type() {
        let at: DateTime<Utc> = "2026-05-21T01:02:03.25Z".parse().unwrap();
        assert_eq!(cutoff(&ClockKind::Zoned, at), "datetime('2026-05-20T07:02:03.250000000-18:00')");
        assert_eq!(cutoff(&ClockKind::Naive(Tz::Asia__Shanghai), at), "localdatetime('2026-05-21T09:02:03.250000000')");
        assert_eq!(cutoff(&ClockKind::Day(Tz::UTC), at), "date('2026-05-21')");
        assert_eq!(cutoff(&ClockKind::Epoch(ClockUnit::Seconds), at), "1779325324");
    }

    #[test]
    fn a_value_is_shown_in_utc() {
        let show = |kind: &ClockKind, text: &str| shown(kind, &Cell::Text(text.into()));
        assert_eq!(show(&ClockKind::Zoned, "2020-01-01T00:00:00-05:00"), "2020-01-01T05:00:00Z");
        assert_eq!(show(&ClockKind::Zoned, "2020-01-01T00:00:00Z[Europe/London]"), "2020-01-01T00:00:00Z");
        assert_eq!(show(&ClockKind::Naive(Tz::Asia__Shanghai), "2020-01-01T08:00:00.5"), "2020-01-01T00:00:00.500Z");
        assert_eq!(show(&ClockKind::Day(Tz::UTC), "2020-01-01"), "2020-01-02T00:00:00Z");
    }
}
