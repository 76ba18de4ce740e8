//! The keys that a check looks at.

use crate::action::{Context, Measured};
use crate::diagnostic::codes;
use crate::policy::checks::check::{Check, Subject};
use crate::policy::key_name::masked;
use crate::policy::key_pattern::KeyPattern;
use crate::store::error::StoreFailure;
use crate::store::redis::scan::{Asked, Key, Place, Walk};
use crate::store::redis::store::KeyStore;

/// The store with keys that a check names.
///
/// # Errors
/// There is none of that name, or it holds something else.
pub fn store<'a>(cx: &'a Context, check: &Check) -> Result<&'a KeyStore, StoreFailure> {
    match check.on.as_ref().map(Subject::store) {
        Some(store) => cx.stores.keys(store),
        None => Err(StoreFailure::refused(
            codes::NOT_THERE,
            format!("the check `{}` names no store", check.name),
            "add `dataset` with the store's name",
        )),
    }
}

/// Counts the keys of a check's pattern that are as they should not be, with a few of them by their masked names. Reads only, and makes
/// no key look used.
///
/// # Errors
/// The store is away, or refuses.
pub async fn count(
    cx: &Context,
    check: &Check,
    asked: Asked,
    mut is_wrong: impl FnMut(&Key) -> Option<String>,
) -> Result<Measured, StoreFailure> {
    let all = KeyPattern::all();
    let pattern = check.params.keys(check.shape.key).unwrap_or(&all);
    let mut walk = Walk::from(store(cx, check)?, &cx.application_name(), pattern.clone(), asked, Place::start()).await?;
    let mut measured = Measured::default();
    let mut of = 0;
    while let Some(page) = walk.page().await? {
        of += page.len() as u64;
        for (key, why) in page.iter().filter_map(|key| Some((key, is_wrong(key)?))) {
            measured.value += 1;
            if measured.samples.len() < check.samples as usize {
                measured.samples.push(format!("{}{why}", masked(pattern, &key.name)));
            }
        }
    }
    if walk.is_about() {
        measured.notes.push("counts are approximate: over 2,000,000 keys, or keys moved between nodes".into());
    }
    let glob: String = String::from_utf8_lossy(&pattern.glob()).chars().filter(|c| !c.is_control()).collect();
    measured.query = Some(format!("SCAN 0 MATCH {glob} COUNT 500, then {} of each key", question(asked)));
    Ok(Measured { of: Some(of), nothing_seen: of == 0, ..measured })
}

const fn question(asked: Asked) -> &'static str {
    match (asked.bytes, asked.idle) {
        (true, _) => "MEMORY USAGE",
        (_, true) => "OBJECT IDLETIME",
        _ => "PTTL",
    }
}
