//! What the values of a check say together: each may be right, and both together a slip.

use super::interval::Interval;
use super::params::Params;
use super::spec::CheckSpec;
use super::threshold::{Threshold, Unit};
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::yaml::node::{At, Node};
use crate::yaml::reading::Reading;

/// Notes a bound that nothing can pass, and a warning that nobody could ever see.
pub(super) fn bounds(shape: &CheckSpec, warn: Option<&At<Threshold>>, fail: Option<&At<Threshold>>, reading: &mut Reading<'_>) {
    for bound in [warn, fail].into_iter().flatten() {
        if let Some((message, help)) = beyond_everything(&bound.value, shape) {
            reading.note(Diagnostic::error(codes::BOUND, message).at(&bound.place).help(help));
            return;
        }
    }
    let (Some(warn), Some(fail)) = (warn, fail) else { return };
    if Interval::of(&fail.value, shape.counts).covers(Interval::of(&warn.value, shape.counts)) {
        let message = format!("`warn` can never fire: `fail: {}` covers `warn: {}`", fail.value, warn.value);
        reading.note(
            Diagnostic::error(codes::BOUNDS_CROSS, message)
                .at(&warn.place)
                .also(&fail.place, "it fails from here on")
                .help(way_out(&warn.value, &fail.value)),
        );
    }
}

/// Why no value passes it, and what to write.
fn beyond_everything(bound: &Threshold, shape: &CheckSpec) -> Option<(String, &'static str)> {
    if bound.unit == Unit::Percent && bound.amount > 100.0 {
        return Some((
            format!("invalid threshold `{bound}`: a percentage is at most 100 %"),
            "write a number up to 100: `> 90 %`",
        ));
    }
    let is_empty = Interval::of(bound, shape.counts).is_empty();
    is_empty.then(|| match bound.unit {
        Unit::Percent => {
            (format!("`{bound}` can never be reached: a percentage is at most 100 %"), "write `>= 100 %` for all of them")
        }
        _ => (format!("`{bound}` can never be reached: a count is never below zero"), "write `= 0` or `< 1` for none at all"),
    })
}

fn way_out(warn: &Threshold, fail: &Threshold) -> String {
    if warn.unit == fail.unit && warn.than == fail.than && warn != fail {
        return format!("they may have changed places: `warn: \"{fail}\"`, `fail: \"{warn}\"`");
    }
    "let it warn before it fails, or leave `warn` out".to_owned()
}

/// Notes keys that contradict each other, or of which at least one is needed.
pub(super) fn given(shape: &CheckSpec, given: &Params, node: &Node, reading: &mut Reading<'_>) {
    let knows = |key: &str| shape.with.iter().any(|also| also.key == key);
    let at = |key: &str| node.get(key).map_or(&node.place, |value| &value.place).clone();
    if knows("min") && knows("max") {
        if let (Some(min), Some(max)) = (given.number("min"), given.number("max"))
            && min > max
        {
            let message = format!("no number is at least {min} and at most {max}, so every one would be out of this range");
            let diagnostic = Diagnostic::error(codes::CHECK_CONTRADICTS, message).at(&at("min"));
            reading.note(diagnostic.also(&at("max"), "`max` is here").help(format!("write `min: {max}`, `max: {min}`")));
        }
        if node.get("min").is_none() && node.get("max").is_none() {
            let message = format!("a check `{}` names neither `min` nor `max`, so no number is out of its range", shape.key);
            reading.note(Diagnostic::error(codes::MISSING_KEY, message).at(&node.place).help("add `min`, `max` or both"));
        }
    }
    if knows("zone") && knows("unit") && node.get("zone").is_some() && node.get("unit").is_some() {
        let message = "the clock has both a `zone` and a `unit`";
        reading.note(
            Diagnostic::error(codes::CLOCK_FORM, message)
                .at(&at("zone"))
                .also(&at("unit"), "`unit` makes it an integer")
                .help("an integer is counted in UTC: leave `zone` out; a time has no `unit`"),
        );
    }
}
