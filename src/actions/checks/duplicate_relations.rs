//! Relations that say the same twice: `duplicate_relations: [HAS_SKILL]`.

use super::kind::Kind;
use super::target;
use crate::action::{Context, Measured};
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamSpec, ParamType};
use crate::store::error::StoreFailure;
use futures_util::FutureExt;

/// Counts relations beyond the first between the same two nodes, in the same direction, of the same type.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "duplicate_relations",
        about: "relations beyond the first between the same two nodes, of one of these types",
        takes: ParamType::Names,
        with: &[ParamSpec {
            key: "by",
            about: "properties that tell relations apart: only relations that agree in them say the same",
            takes: ParamType::Names,
            needed: false,
        }],
        on: On::GraphStore,
        counts: Counts::Things,
        warns: Some("> 0"),
    },
    measure: |cx, check, _| measure(cx, check).boxed(),
};

async fn measure(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let (types, by) = (check.params.names(check.shape.key), check.params.names("by"));
    let found = target::graph(cx, check)?
        .duplicate_relations(&cx.application_name(), types, by, check.r#where.as_deref(), check.samples)
        .await?;
    Ok(Measured { samples: found.samples, ..Measured::asked(found.beyond, Some(found.of), found.query) })
}
