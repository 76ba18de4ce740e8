//! Keys that no `cache` or `sessions` policy covers: `uncovered_keys: true`.

use super::key_check;
use super::kind::Kind;
use crate::action::{Context, Measured};
use crate::actions::expire::uncovered;
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamType};
use crate::report::format::{count, plural};
use crate::store::error::StoreFailure;
use futures_util::FutureExt;

/// Counts keys that nobody decided about.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "uncovered_keys",
        about: "keys that no `cache` or `sessions` policy covers",
        takes: ParamType::Flag,
        with: &[],
        on: On::KeyStore,
        counts: Counts::Things,
        warns: Some("> 0"),
    },
    measure: |cx, check, _| measure(cx, check).boxed(),
};

async fn measure(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let store = key_check::store(cx, check)?;
    let covered = uncovered::covered(&cx.policies, store.name());
    let (total, prefixes, is_about) = uncovered::measure(store, &cx.application_name(), &covered).await?;
    let told = prefixes.told();
    let value = told.iter().map(|(_, sum)| sum.keys).sum();
    let sample = |(prefix, sum): &(String, crate::policy::key_name::Sum)| {
        format!("{prefix}: {}, about {} bytes", plural(sum.keys, "key"), count(sum.bytes))
    };
    Ok(Measured {
        value,
        of: Some(total),
        samples: told.iter().take(check.samples as usize).map(sample).collect(),
        notes: is_about
            .then(|| "counts are approximate: over 2,000,000 keys, or keys moved between nodes".into())
            .into_iter()
            .collect(),
        nothing_seen: total == 0,
        ..Measured::default()
    })
}
