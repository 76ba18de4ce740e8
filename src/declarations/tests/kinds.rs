//! Kinds of checks with every sort of key, as the table of kinds might hold them.

use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamSpec, ParamType};

/// All of them.
pub(super) const ALL: &[&CheckSpec] = &[&DUPLICATE, &MEMORY, &REFERENCE, &RANGE, &REGEX, &OVERDUE];

const DUPLICATE: CheckSpec = CheckSpec {
    key: "duplicate",
    about: "rows that share what should be one row's alone",
    takes: ParamType::Names,
    with: &[ParamSpec {
        key: "normalize",
        about: "how values are compared",
        takes: ParamType::Word(&["email", "lower"]),
        needed: false,
    }],
    on: On::Table,
    counts: Counts::Things,
    warns: Some("> 0"),
};
const MEMORY: CheckSpec = CheckSpec {
    key: "memory",
    about: "how full the store is",
    takes: ParamType::Flag,
    with: &[],
    on: On::KeyStore,
    counts: Counts::Percent,
    warns: None,
};
const REFERENCE: CheckSpec = CheckSpec {
    key: "reference",
    about: "ids that lead nowhere",
    takes: ParamType::Ends,
    with: &[
        ParamSpec { key: "both_ways", about: "look from both ends", takes: ParamType::Flag, needed: false },
        ParamSpec { key: "settle", about: "what is younger is left out", takes: ParamType::Period, needed: false },
    ],
    on: On::Nothing,
    counts: Counts::Things,
    warns: Some("> 0"),
};

const RANGE: CheckSpec = CheckSpec {
    key: "range",
    about: "numbers out of their range",
    takes: ParamType::Text,
    with: &[
        ParamSpec { key: "min", about: "the smallest", takes: ParamType::Number, needed: false },
        ParamSpec { key: "max", about: "the largest", takes: ParamType::Number, needed: false },
    ],
    on: On::Table,
    counts: Counts::Things,
    warns: Some("> 0"),
};
const REGEX: CheckSpec = CheckSpec {
    key: "regex",
    about: "texts that do not match",
    takes: ParamType::Pattern,
    with: &[
        ParamSpec { key: "zone", about: "a zone", takes: ParamType::Zone, needed: false },
        ParamSpec { key: "unit", about: "a unit", takes: ParamType::Word(&["s"]), needed: false },
        ParamSpec { key: "over", about: "a time", takes: ParamType::Time, needed: false },
    ],
    on: On::Table,
    counts: Counts::Things,
    warns: Some("> 0"),
};
const OVERDUE: CheckSpec = CheckSpec {
    key: "overdue",
    about: "rows past their period",
    takes: ParamType::Policies,
    with: &[],
    on: On::Nothing,
    counts: Counts::Things,
    warns: Some("> 0"),
};
