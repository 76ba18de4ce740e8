//! How full a store of keys is: `memory: true, warn: "> 85 %", fail: "> 90 %"`.

use super::key_check;
use super::kind::Kind;
use crate::action::{Context, Measured};
use crate::diagnostic::codes;
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamType};
use crate::report::format::count;
use crate::store::error::StoreFailure;
use futures_util::FutureExt;

/// The share of memory in use; of a cluster that of its fullest server.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "memory",
        about: "how much of the memory that a store of keys may use is in use",
        takes: ParamType::Flag,
        with: &[],
        on: On::KeyStore,
        counts: Counts::Percent,
        warns: None,
    },
    measure: |cx, check, _| measure(cx, check).boxed(),
};

async fn measure(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let store = key_check::store(cx, check)?;
    let servers = store.memory(&cx.application_name()).await?;
    let shares: Option<Vec<u64>> = servers.iter().map(|server| server.percent()).collect();
    let Some(value) = shares.and_then(|shares| shares.into_iter().max()) else {
        return Err(StoreFailure::refused(
            codes::NO_LIMIT,
            format!("store `{}` has no memory limit, so there is no share of it in use", store.name()),
            "set `maxmemory` in the server's configuration: without it the machine's memory is the limit, and nobody is asked before",
        ));
    };
    let note = |server: &crate::store::redis::server_info::Memory| {
        format!("{}: {} of {} bytes", server.server, count(server.used), count(server.most))
    };
    Ok(Measured { value, query: Some("INFO memory".into()), notes: servers.iter().map(note).collect(), ..Measured::default() })
}
