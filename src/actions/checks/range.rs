//! Numbers out of their range: `range: silicon_level, min: 0, max: 5`.

use super::kind::Kind;
use super::{node_check, row_check, target};
use crate::action::{Context, Measured};
use crate::diagnostic::codes;
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamSpec, ParamType};
use crate::store::error::StoreFailure;
use futures_util::FutureExt;

/// Counts rows whose number is below `min` or above `max`. NULL is no number and not counted; in SQLite, text is.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "range",
        about: "rows or nodes whose number is below `min` or above `max`",
        takes: ParamType::Text,
        with: &[
            ParamSpec { key: "min", about: "the smallest that is right", takes: ParamType::Number, needed: false },
            ParamSpec { key: "max", about: "the largest that is right", takes: ParamType::Number, needed: false },
        ],
        on: On::TableOrLabel,
        counts: Counts::Things,
        warns: Some("> 0"),
    },
    measure: |cx, check, _| measure(cx, check).boxed(),
};

async fn measure(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let (min, max) = (check.params.number("min"), check.params.number("max"));
    if (min, max) == (None, None) {
        let text = format!("the check `{}` names neither `min` nor `max`, so no number is out of its range", check.name);
        return Err(StoreFailure::refused(codes::CHECK_UNFIT, text, "add `min`, `max` or both"));
    }
    let column = check.params.text(check.shape.key).unwrap_or_default();
    if let Some(looked) = target::label(cx, check).await? {
        let (outside, known) =
            (looked.outside(column, min, max).await?, format!("{} IS NOT NULL", looked.property(column).await?));
        return node_check::faulty(cx, check, &looked, &outside, &[known], &[column]).await;
    }
    let mut looked = target::at(cx, check).await?;
    let (outside, known) = (looked.outside(column, min, max)?, format!("{} IS NOT NULL", looked.column(column)?));
    row_check::rows(cx, check, &mut looked, &outside, &[known], &[column]).await
}
