//! The table that a check names.

use crate::action::Context;
use crate::diagnostic::catalogue as codes;
use crate::policy::quality::check::Check;
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
