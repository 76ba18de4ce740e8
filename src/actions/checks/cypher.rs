//! A person's own question to a graph: `cypher: "MATCH (n:User) WHERE … RETURN count(n)"`.

use super::kind::Kind;
use super::target;
use crate::action::{Context, Measured};
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamType};
use crate::store::error::StoreFailure;
use futures_util::FutureExt;

/// What the query's one row says: a count, and out of how many where a column is called `total`. It can only read.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "cypher",
        about: "what a query of your own counts: one row with a count, and out of how many in a column `total`",
        takes: ParamType::Query,
        with: &[],
        on: On::GraphStore,
        counts: Counts::Things,
        warns: None,
    },
    measure: |cx, check, _| measure(cx, check).boxed(),
};

async fn measure(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let query = check.params.text(check.shape.key).unwrap_or_default();
    let asked = target::graph(cx, check)?.ask(&cx.application_name(), query).await?;
    Ok(Measured::asked(asked.value, asked.of, query.trim()))
}
