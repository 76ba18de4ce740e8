//! The clock that a check names: a column, and the `zone` and `unit` beside it.

use crate::diagnostic::codes;
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::{ParamSpec, ParamType};
use crate::policy::lifecycle::{Clock, ClockUnit};
use crate::store::error::StoreFailure;

/// The zone of a clock that carries none.
pub const ZONE: ParamSpec = ParamSpec {
    key: "zone",
    about: "the zone of a clock that carries none; UTC by default",
    takes: ParamType::Zone,
    needed: false,
};
/// The unit of an integer clock.
pub const UNIT: ParamSpec = ParamSpec {
    key: "unit",
    about: "what an integer clock counts since 1970",
    takes: ParamType::Word(&["s", "ms", "us"]),
    needed: false,
};

/// The clock under the kind's own key.
///
/// # Errors
/// There is no such zone.
pub fn of(check: &Check) -> Result<Clock, StoreFailure> {
    let zone = check.params.text(ZONE.key).map(|zone| {
        zone.parse().map_err(|_| {
            let text = format!("the check `{}` names the zone `{zone}`, which does not exist", check.name);
            StoreFailure::refused(codes::TIMEZONE, text, "write it as `Asia/Shanghai`")
        })
    });
    let unit = check.params.text(UNIT.key).map(|unit| match unit {
        "s" => ClockUnit::Seconds,
        "ms" => ClockUnit::Milliseconds,
        _ => ClockUnit::Microseconds,
    });
    let column = check.params.text(check.shape.key).unwrap_or_default().to_owned();
    Ok(Clock { column, zone: zone.transpose()?, unit })
}
