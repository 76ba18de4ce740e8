//! References that lead nowhere within one store: `dangling: user_id, to: core.users.id`.

use super::kind::Kind;
use super::{row_check, target};
use crate::action::{Context, Measured};
use crate::diagnostic::codes;
use crate::policy::checks::check::Check;
use crate::policy::checks::field::ReferenceEnd;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamSpec, ParamType};
use crate::store::error::StoreFailure;
use futures_util::FutureExt;

/// Counts rows whose value has no row at the other end. NULL refers to nothing and is not counted.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "dangling",
        about: "rows whose reference leads to no row of another table of the same store",
        takes: ParamType::Text,
        with: &[ParamSpec {
            key: "to",
            about: "where it should lead: `core.users.id`",
            takes: ParamType::ReferenceEnd,
            needed: true,
        }],
        on: On::Table,
        counts: Counts::Things,
        warns: Some("> 0"),
    },
    measure: |cx, check, _| measure(cx, check).boxed(),
};

async fn measure(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let column = check.params.text(check.shape.key).unwrap_or_default();
    let (to, to_column) = other_end(check)?;
    let mut looked = target::at(cx, check).await?;
    let nowhere = looked.leads_nowhere(column, &to.field.dataset, to_column, to.r#where.as_deref()).await?;
    let known = format!("{} IS NOT NULL", looked.column(column)?);
    row_check::rows(cx, check, &mut looked, &nowhere, &[known], &[column]).await
}

fn other_end(check: &Check) -> Result<(&ReferenceEnd, &str), StoreFailure> {
    let refused = |text: String, help: &str| Err(StoreFailure::refused(codes::CHECK_UNFIT, text, help));
    let Some(to) = check.params.end("to") else {
        return refused(format!("the check `{}` names no `to`", check.name), "write `to: core.users.id`");
    };
    if check.table().map(|table| &table.store) != Some(&to.field.dataset.store) {
        let text = format!("the check `{}` leads from one store to another: `{}`", check.name, to.field);
        return refused(text, "use the kind `reference`, which compares across stores");
    }
    match &to.field.column {
        Some(column) => Ok((to, column)),
        None => refused(format!("`{}` names no column", to.field), "write `to: core.users.id`"),
    }
}
