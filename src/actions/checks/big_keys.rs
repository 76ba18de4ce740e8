//! Keys that take much memory: `big_keys: "*", over: 10 MB`.

use super::key_check;
use super::kind::Kind;
use crate::action::{Context, Measured};
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamSpec, ParamType};
use crate::report::format::count;
use crate::store::error::StoreFailure;
use crate::store::redis::scan::Asked;
use futures_util::FutureExt;

/// Counts keys above a size.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "big_keys",
        about: "keys that take more memory than they should",
        takes: ParamType::Keys,
        with: &[ParamSpec {
            key: "over",
            about: "the size above which a key is big: `10 MB`",
            takes: ParamType::Bytes,
            needed: true,
        }],
        on: On::KeyStore,
        counts: Counts::Things,
        warns: Some("> 0"),
    },
    measure: |cx, check, _| measure(cx, check).boxed(),
};

#[expect(clippy::cast_precision_loss, reason = "a size is a round number; a part in 2^53 changes nothing")]
async fn measure(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let over = check.params.number("over").unwrap_or(f64::MAX);
    let is_big = |bytes: u64| (bytes as f64 > over).then(|| format!(", about {} bytes", count(bytes)));
    let mut measured =
        key_check::count(cx, check, Asked { bytes: true, ..Asked::default() }, |key| key.bytes.and_then(is_big)).await?;
    measured.notes.push("sizes of lists, sets and hashes are told by five of their members".into());
    Ok(measured)
}
