//! The table that a check names.

use crate::action::Context;
use crate::diagnostic::codes;
use crate::policy::checks::check::{Check, Subject};
use crate::store::error::StoreFailure;
use crate::store::neo4j::label_query::LookedLabel;
use crate::store::neo4j::store::GraphStore;
use crate::store::registry::AnyStore;
use crate::store::sql::query::table_query::Looked;
use crate::store::sql::session::store::Store;

/// Finds the table of a check and tries its condition out.
///
/// # Errors
/// The store is away; there is no such table; the condition does not work there.
pub async fn at(cx: &Context, check: &Check) -> Result<Looked, StoreFailure> {
    let Some(dataset) = check.table() else {
        return Err(StoreFailure::refused(
            codes::NOT_THERE,
            format!("the check `{}` names no table", check.name),
            "add `dataset`",
        ));
    };
    Looked::at(cx.stores.get(&dataset.store)?, &cx.application_name(), dataset, check.r#where.as_deref()).await
}

/// The label of a check, its condition tried out; none where the check's store holds no nodes.
///
/// # Errors
/// The store is away; a label that is near another; the condition does not work there.
pub async fn label(cx: &Context, check: &Check) -> Result<Option<LookedLabel>, StoreFailure> {
    match check.table().map(|dataset| (dataset, cx.stores.any(&dataset.store))) {
        Some((dataset, Ok(AnyStore::Graph(store)))) => {
            LookedLabel::at(store, &cx.application_name(), dataset, check.r#where.as_deref()).await.map(Some)
        }
        _ => Ok(None),
    }
}

/// The store of a check that looks at a whole store with nodes. Contacts nobody.
///
/// # Errors
/// There is no such store, or it holds something else.
pub fn graph<'a>(cx: &'a Context, check: &Check) -> Result<&'a GraphStore, StoreFailure> {
    cx.stores.graph(check.on.as_ref().map_or("", Subject::store))
}

/// The store of a check that looks at a whole store with tables. Contacts nobody.
///
/// # Errors
/// There is no such store, or it holds something else.
pub fn store<'a>(cx: &'a Context, check: &Check) -> Result<&'a Store, StoreFailure> {
    cx.stores.get(check.on.as_ref().map_or("", Subject::store))
}
