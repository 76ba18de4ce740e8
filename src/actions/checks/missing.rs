//! Rows that lack something: `missing: [email, name]`.

use super::kind::Kind;
use super::{node_check, row_check, target};
use crate::action::{Context, Measured};
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamType};
use crate::store::error::StoreFailure;
use futures_util::FutureExt;

/// Counts rows in which any of the columns holds nothing: NULL, an empty text, or spaces alone.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "missing",
        about: "rows or nodes in which any of these columns is NULL, empty or spaces alone",
        takes: ParamType::Names,
        with: &[],
        on: On::TableOrLabel,
        counts: Counts::Things,
        warns: Some("> 0"),
    },
    measure: |cx, check, _| measure(cx, check).boxed(),
};

async fn measure(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let columns: Vec<&str> = check.params.names(check.shape.key).iter().map(String::as_str).collect();
    if let Some(looked) = target::label(cx, check).await? {
        let mut faults = vec![];
        for column in &columns {
            faults.push(looked.missing(column).await?);
        }
        return node_check::faulty(cx, check, &looked, &faults.join(" OR "), &[], &columns).await;
    }
    let mut looked = target::at(cx, check).await?;
    let faults = columns.iter().map(|column| looked.missing(column)).collect::<Result<Vec<_>, _>>()?;
    row_check::rows(cx, check, &mut looked, &faults.join(" OR "), &[], &columns).await
}
