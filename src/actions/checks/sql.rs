//! A person's own question: `sql: "SELECT COUNT(*) FROM …"`.

use super::kind::Kind;
use super::target;
use crate::action::{Context, Measured};
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamType};
use crate::store::error::StoreFailure;
use futures_util::FutureExt;

/// What the query's one row says: a count, and out of how many where there is a second column. It can only read.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "sql",
        about: "what a query of your own counts: one row, the count first, out of how many second",
        takes: ParamType::Query,
        with: &[],
        on: On::TableStore,
        counts: Counts::Things,
        warns: None,
    },
    measure: |cx, check, _| measure(cx, check).boxed(),
};

async fn measure(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let query = check.params.text(check.shape.key).unwrap_or_default();
    let asked = target::store(cx, check)?.ask(&cx.application_name(), query).await?;
    Ok(Measured::asked(asked.value, asked.of, query.trim()))
}
