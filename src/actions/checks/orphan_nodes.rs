//! Nodes that nothing relates to: `orphan_nodes: [User, Skill]`.

use super::kind::Kind;
use super::{node_check, target};
use crate::action::{Context, Measured};
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamType};
use crate::policy::dataset::DatasetName;
use crate::store::error::StoreFailure;
use crate::store::neo4j::label_query::LookedLabel;
use futures_util::FutureExt;

/// Counts nodes of these labels without any relation; one that bears several of them counts once.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "orphan_nodes",
        about: "nodes of these labels without any relation",
        takes: ParamType::Names,
        with: &[],
        on: On::GraphStore,
        counts: Counts::Things,
        warns: Some("> 0"),
    },
    measure: |cx, check, _| measure(cx, check).boxed(),
};

async fn measure(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let store = target::graph(cx, check)?;
    let dataset = |label: &String| DatasetName { store: store.name().to_owned(), schema: None, table: label.clone() };
    let labels: Vec<DatasetName> = check.params.names(check.shape.key).iter().map(dataset).collect();
    let [label, others @ ..] = labels.as_slice() else { return Ok(Measured { nothing_seen: true, ..Measured::default() }) };
    let looked = LookedLabel::any_of(store, &cx.application_name(), label, others, check.r#where.as_deref()).await?;
    node_check::faulty(cx, check, &looked, "NOT (n)--()", &[], &[]).await
}
