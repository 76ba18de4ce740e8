//! Values that do not look as they should: `regex: "^[^@]+@[^@]+$", column: email`.

use super::kind::Kind;
use super::sample::Sampler;
use super::target;
use crate::action::{Context, Measured};
use crate::diagnostic::codes;
use crate::policy::checks::check::Check;
use crate::policy::checks::pattern;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamSpec, ParamType};
use crate::store::error::StoreFailure;
use crate::store::value::Cell;
use futures_util::FutureExt;
use regex::Regex;

/// Counts rows whose text a pattern does not match, or does, where it must not. NULL has no text and is not counted.
///
/// Every store has a pattern language of its own, or none: so the texts come here in pages along the key, and one language
/// decides, in time that grows with the text and never faster.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "regex",
        about: "rows whose text this pattern does not match (Rust's `regex` syntax; anchor it with `^` and `$`)",
        takes: ParamType::Pattern,
        with: &[
            ParamSpec { key: "column", about: "the column that holds the text", takes: ParamType::Text, needed: true },
            ParamSpec {
                key: "match",
                about: "whether a match is what is wanted (required, the default) or what is wrong (forbidden)",
                takes: ParamType::Word(&["required", "forbidden"]),
                needed: false,
            },
        ],
        on: On::Table,
        counts: Counts::Things,
        warns: Some("> 0"),
    },
    measure: |cx, check, _| measure(cx, check).boxed(),
};

async fn measure(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let pattern = compiled(check)?;
    let wrong_if = check.params.text("match") == Some("forbidden");
    let column = check.params.text("column").unwrap_or_default();
    let mut looked = target::at(cx, check).await?;
    let (at, names) = (looked.column(column)?, [looked.key_names(), vec![column.to_owned()]].concat());
    let text = looked.text_of(column)?;
    let mut walk = looked.scan(&[format!("{at} IS NOT NULL")], &[text]).await?;
    let (mut seen, mut measured) = (0_u64, Measured::default());
    while let Some(page) = walk.next(&mut looked).await? {
        for row in page {
            let Some(cell) = row.cells.first().filter(|cell| **cell != Cell::Null) else { continue };
            seen += 1;
            if pattern.is_match(&cell.shown()) != wrong_if {
                continue;
            }
            measured.value += 1;
            if let (true, Some(dataset)) = (measured.samples.len() < check.samples as usize, check.table()) {
                let sampler = Sampler::new(cx, dataset).keyed_by(looked.key_names());
                measured.samples.push(sampler.cells(&names, &[row.key.as_slice(), row.cells.as_slice()].concat()));
            }
        }
    }
    measured.of = Some(seen);
    measured.nothing_seen = seen == 0;
    measured
        .notes
        .push(format!("the texts were compared in the worker: SELECT {at}{}", looked.from_where(&[format!("{at} IS NOT NULL")])));
    Ok(measured)
}

/// What is declared compiled when it was read; policies that are kept elsewhere are not taken at their word.
fn compiled(check: &Check) -> Result<Regex, StoreFailure> {
    pattern::compiled(check.params.text(check.shape.key).unwrap_or_default()).map_err(|reason| {
        let text = format!("the pattern of the check `{}` cannot be used: {reason}", check.name);
        StoreFailure::refused(codes::CHECK_UNFIT, text, pattern::SYNTAX)
    })
}
