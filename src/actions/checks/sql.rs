//! A person's own question: `sql: "SELECT COUNT(*) FROM …"`.

use super::kind::Kind;
use super::target;
use crate::action::{Context, Measured};
use crate::policy::quality::check::Check;
use crate::policy::quality::shape::{Counts, On, Shape, Takes};
use crate::store::error::StoreFailure;
use futures_util::FutureExt;

/// What the query's one row says: a count, and out of how many where there is a second column. It can only read.
pub const KIND: Kind = Kind {
    shape: &Shape {
        key: "sql",
        about: "what a query of your own counts: one row, the count first, out of how many second",
        takes: Takes::Query,
        with: &[],
        on: On::TableStore,
        counts: Counts::Things,
        warns: None,
    },
    measure: |cx, check, _| measure(cx, check).boxed(),
};

async fn measure(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let query = check.given.text(check.shape.key).unwrap_or_default();
    let asked = target::store(cx, check)?.ask(&cx.who(), query).await?;
    Ok(Measured::asked(asked.value, asked.of, query.trim()))
}
