//! Keys that never expire: `without_ttl: "*"`.

use super::key_check;
use super::kind::Kind;
use crate::action::{Context, Measured};
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamType};
use crate::report::format::plural;
use crate::store::error::StoreFailure;
use crate::store::redis::scan::Asked;
use futures_util::FutureExt;

/// Counts keys without a time to live.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "without_ttl",
        about: "keys that never expire",
        takes: ParamType::Keys,
        with: &[],
        on: On::KeyStore,
        counts: Counts::Things,
        warns: Some("> 0"),
    },
    measure: |cx, check, _| measure(cx, check).boxed(),
};

async fn measure(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let permanent = cx.permanent_keys(key_check::store(cx, check)?.name());
    let lives_on = |name: &[u8]| permanent.iter().any(|pattern| pattern.may_mean(name));
    let (mut on_purpose, mut will_end) = (0, 0);
    let mut measured = key_check::count(cx, check, Asked::default(), |key| match (key.left, lives_on(&key.name)) {
        (None, false) => Some(String::new()),
        (None, true) => {
            on_purpose += 1;
            None
        }
        (Some(_), is_permanent) => {
            will_end += u64::from(is_permanent);
            None
        }
    })
    .await?;
    if on_purpose > 0 {
        measured
            .notes
            .push(format!("{} without a TTL on purpose, as a `permanent` policy says: not counted", plural(on_purpose, "key")));
    }
    if will_end > 0 {
        measured.notes.push(format!(
            "{} that a `permanent` policy names will expire: the application gave them a TTL",
            plural(will_end, "key")
        ));
    }
    Ok(measured)
}
