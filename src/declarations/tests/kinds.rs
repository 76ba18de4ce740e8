//! Kinds of checks with every sort of key, as the table of kinds might hold them.

use crate::policy::quality::shape::{Also, Counts, On, Shape, Takes};

/// All of them.
pub(super) const ALL: &[&Shape] = &[&DUPLICATE, &MEMORY, &REFERENCE, &RANGE, &REGEX, &OVERDUE];

const DUPLICATE: Shape = Shape {
    key: "duplicate",
    about: "rows that share what should be one row's alone",
    takes: Takes::Names,
    with: &[Also { key: "normalize", about: "how values are compared", takes: Takes::Word(&["email", "lower"]), needed: false }],
    on: On::Table,
    counts: Counts::Things,
    warns: Some("> 0"),
};
const MEMORY: Shape = Shape {
    key: "memory",
    about: "how full the store is",
    takes: Takes::Flag,
    with: &[],
    on: On::KeyStore,
    counts: Counts::Percent,
    warns: None,
};
const REFERENCE: Shape = Shape {
    key: "reference",
    about: "ids that lead nowhere",
    takes: Takes::Ends,
    with: &[
        Also { key: "both_ways", about: "look from both ends", takes: Takes::Flag, needed: false },
        Also { key: "settle", about: "what is younger is left out", takes: Takes::Period, needed: false },
    ],
    on: On::Nothing,
    counts: Counts::Things,
    warns: Some("> 0"),
};

const RANGE: Shape = Shape {
    key: "range",
    about: "numbers out of their range",
    takes: Takes::Text,
    with: &[
        Also { key: "min", about: "the smallest", takes: Takes::Number, needed: false },
        Also { key: "max", about: "the largest", takes: Takes::Number, needed: false },
    ],
    on: On::Table,
    counts: Counts::Things,
    warns: Some("> 0"),
};
const REGEX: Shape = Shape {
    key: "regex",
    about: "texts that do not match",
    takes: Takes::Pattern,
    with: &[
        Also { key: "zone", about: "a zone", takes: Takes::Zone, needed: false },
        Also { key: "unit", about: "a unit", takes: Takes::Word(&["s"]), needed: false },
        Also { key: "over", about: "a time", takes: Takes::Time, needed: false },
    ],
    on: On::Table,
    counts: Counts::Things,
    warns: Some("> 0"),
};
const OVERDUE: Shape = Shape {
    key: "overdue",
    about: "rows past their period",
    takes: Takes::Policies,
    with: &[],
    on: On::Nothing,
    counts: Counts::Things,
    warns: Some("> 0"),
};
