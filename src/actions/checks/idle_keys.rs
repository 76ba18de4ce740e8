//! Keys that nobody uses any more: `idle_keys: "cache:*", over: 30 days`.

use super::key_check;
use super::kind::Kind;
use crate::action::{Context, Measured};
use crate::diagnostic::codes;
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamSpec, ParamType};
use crate::store::error::StoreFailure;
use crate::store::redis::scan::Asked;
use futures_util::FutureExt;

/// Counts keys that were not used for a while.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "idle_keys",
        about: "keys neither read nor written for a while",
        takes: ParamType::Keys,
        with: &[ParamSpec { key: "over", about: "for how long", takes: ParamType::Period, needed: true }],
        on: On::KeyStore,
        counts: Counts::Things,
        warns: Some("> 0"),
    },
    measure: |cx, check, _| measure(cx, check).boxed(),
};

async fn measure(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let store = key_check::store(cx, check)?;
    let eviction = store.nodes(&cx.application_name()).await?.about().eviction.clone();
    if eviction.ends_with("-lfu") {
        return Err(StoreFailure::refused(
            codes::IDLE_UNKNOWN,
            format!("store `{}` does not tell how long keys were idle: its `maxmemory-policy` is {eviction}", store.name()),
            "take the check out, or ask for `without_ttl`",
        ));
    }
    let over = check.params.period("over").map_or(i64::MAX, |over| over.duration().num_seconds());
    let is_idle = |idle: u64| i64::try_from(idle).is_ok_and(|idle| idle >= over);
    key_check::count(cx, check, Asked { idle: true, ..Asked::default() }, |key| key.idle.is_some_and(is_idle).then(String::new))
        .await
}
