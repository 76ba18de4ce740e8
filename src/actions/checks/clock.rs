//! The clock that a check names: a column, and the `zone` and `unit` beside it.

use crate::diagnostic::catalogue as codes;
use crate::policy::lifecycle::{Clock, ClockUnit};
use crate::policy::quality::check::Check;
use crate::policy::quality::shape::{Also, Takes};
use crate::store::error::StoreFailure;

/// The zone of a clock that carries none.
pub const ZONE: Also =
    Also { key: "zone", about: "the zone of a clock that carries none; UTC by default", takes: Takes::Zone, needed: false };
/// The unit of an integer clock.
pub const UNIT: Also =
    Also { key: "unit", about: "what an integer clock counts since 1970", takes: Takes::Word(&["s", "ms", "us"]), needed: false };

/// The clock under the kind's own key.
///
/// # Errors
/// There is no such zone.
pub fn of(check: &Check) -> Result<Clock, StoreFailure> {
    let zone = check.given.text(ZONE.key).map(|zone| {
        zone.parse().map_err(|_| {
            let text = format!("the check `{}` names the zone `{zone}`, which does not exist", check.name);
            StoreFailure::refused(codes::TIMEZONE, text, "write it as `Asia/Shanghai`")
        })
    });
    let unit = check.given.text(UNIT.key).map(|unit| match unit {
        "s" => ClockUnit::Seconds,
        "ms" => ClockUnit::Milliseconds,
        _ => ClockUnit::Microseconds,
    });
    let column = check.given.text(check.shape.key).unwrap_or_default().to_owned();
    Ok(Clock { column, zone: zone.transpose()?, unit })
}
