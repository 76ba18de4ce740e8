//! The table that a check names.

use crate::action::Context;
use crate::diagnostic::catalogue as codes;
use crate::policy::quality::check::{Check, Subject};
use crate::store::connect::Store;
use crate::store::failure::StoreFailure;
use crate::store::looked::Looked;

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
    Looked::at(cx.stores.get(&dataset.store)?, &cx.who(), dataset, check.r#where.as_deref()).await
}

/// The store of a check that looks at a whole store with tables. Contacts nobody.
///
/// # Errors
/// There is no such store, or it holds something else.
pub fn store<'a>(cx: &'a Context, check: &Check) -> Result<&'a Store, StoreFailure> {
    cx.stores.get(check.on.as_ref().map_or("", Subject::store))
}
