//! Plaintext where a tag says sealed: `unsealed: true` (M4: every such column is a finding).

use super::kind::Kind;
use super::{row_check, target};
use crate::action::{Context, Measured};
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamSpec, ParamType};
use crate::policy::classification::{Protection, Tag};
use crate::store::error::StoreFailure;
use futures_util::FutureExt;

/// Counts rows in which a column that must be sealed still holds something.
///
/// With `sealed_in` the sealed value is elsewhere, so whatever is left in the column is plaintext. Without it sealed values
/// would stand in the column itself; what a sealed value looks like is not known here, so every value counts, and a note
/// says so.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "unsealed",
        about: "rows that still hold plaintext in a column whose tag says it is sealed",
        takes: ParamType::Flag,
        with: &[ParamSpec { key: "columns", about: "only these columns", takes: ParamType::Names, needed: false }],
        on: On::Table,
        counts: Counts::Things,
        warns: Some("> 0"),
    },
    measure: |cx, check, _| measure(cx, check).boxed(),
};

async fn measure(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let mut looked = target::at(cx, check).await?;
    let tags = to_seal(cx, check);
    let columns: Vec<&str> = tags.iter().map(|tag| tag.field.as_str()).collect();
    let named = check.params.names("columns");
    let untagged = named.iter().filter(|name| !columns.contains(&name.as_str()));
    let mut notes: Vec<String> = untagged.map(|name| format!("no tag says that `{name}` is sealed")).collect();
    if columns.is_empty() {
        notes.push("no tag of this table says that a column is sealed".to_owned());
        return Ok(Measured { nothing_seen: true, notes, ..Measured::default() });
    }
    let faults = columns
        .iter()
        .map(|column| Ok(format!("NOT ({})", looked.missing(column)?)))
        .collect::<Result<Vec<_>, StoreFailure>>()?;
    for (column, fault) in columns.iter().zip(&faults) {
        let (rows, _) = looked.count(std::slice::from_ref(fault)).await?;
        notes.push(format!("{rows} rows hold plaintext in `{column}`"));
    }
    for tag in tags.iter().filter(|tag| tag.sealed_in.is_none()) {
        notes.push(format!("`{}` names no `sealed_in`: every value in it counts as plaintext", tag.field));
    }
    let measured = row_check::rows(cx, check, &mut looked, &faults.join(" OR "), &[], &columns).await?;
    // A column that was named and that no tag speaks of was not looked at.
    Ok(Measured { nothing_seen: measured.nothing_seen || columns.len() < named.len(), notes, ..measured })
}

/// The tags of the table that say a column is sealed, each column once.
fn to_seal<'a>(cx: &'a Context, check: &Check) -> Vec<&'a Tag> {
    let Some(dataset) = check.table() else { return vec![] };
    let named = check.params.names("columns");
    let sealed = |tag: &&Tag| match tag.protect {
        Some(Protection::Aes256) => true,
        Some(Protection::AlreadyHashed | Protection::SignedToken) => false,
        _ => tag.encrypt,
    };
    let wanted = |tag: &&Tag| named.is_empty() || named.contains(&tag.field);
    let mut tags: Vec<&Tag> = cx.policies.tags_of(dataset).filter(sealed).filter(wanted).collect();
    tags.sort_by(|one, other| one.field.cmp(&other.field));
    tags.dedup_by(|one, other| one.field == other.field);
    tags
}
