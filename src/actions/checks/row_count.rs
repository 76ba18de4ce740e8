//! How many rows a table has: `row_count: true, fail: "< 100"`.

use super::kind::Kind;
use super::target;
use crate::action::{Context, Measured};
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamType};
use crate::store::error::StoreFailure;
use futures_util::FutureExt;

/// Counts rows.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "row_count",
        about: "how many rows a table has, or nodes a label",
        takes: ParamType::Flag,
        with: &[],
        on: On::TableOrLabel,
        counts: Counts::Things,
        warns: None,
    },
    measure: |cx, check, _| measure(cx, check).boxed(),
};

async fn measure(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    if let Some(looked) = target::label(cx, check).await? {
        let (nodes, query) = looked.count(&[]).await?;
        return Ok(Measured { value: nodes, query: Some(query), ..Measured::default() });
    }
    let mut looked = target::at(cx, check).await?;
    let (rows, query) = looked.count(&[]).await?;
    Ok(Measured { value: rows, query: Some(query), ..Measured::default() })
}
