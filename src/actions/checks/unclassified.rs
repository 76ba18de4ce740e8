//! Columns that nobody classified: `unclassified: true`.

use super::kind::Kind;
use super::target;
use crate::action::{Context, Measured};
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamType};
use crate::store::error::StoreFailure;
use futures_util::FutureExt;

/// Counts columns of the connection's own schema that no tag speaks of. Their values are hidden everywhere until one does.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "unclassified",
        about: "columns of a store's own schema that no tag classifies",
        takes: ParamType::Flag,
        with: &[],
        on: On::TableStore,
        counts: Counts::Things,
        warns: Some("> 0"),
    },
    measure: |cx, check, _| measure(cx, check).boxed(),
};

async fn measure(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let (columns, sql) = target::store(cx, check)?.all_columns(&cx.application_name()).await?;
    let bare = columns.iter().filter(|(dataset, column)| !cx.policies.tags_of(dataset).any(|tag| tag.field == *column));
    let bare: Vec<String> = bare.map(|(dataset, column)| format!("{}.{column}", dataset.table)).collect();
    Ok(Measured {
        value: bare.len() as u64,
        of: Some(columns.len() as u64),
        samples: bare.into_iter().take(check.samples as usize).collect(),
        query: None,
        notes: vec![format!("held against all columns, which this lists: {sql}")],
        nothing_seen: columns.is_empty(),
    })
}
