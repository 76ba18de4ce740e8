//! What servers say of their own health: connections, cache, lag, slow statements, room, idle indexes (M14).

use super::kind::Kind;
use super::target;
use crate::action::{Context, Measured};
use crate::diagnostic::codes;
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamSpec, ParamType};
use crate::policy::checks::threshold::{Threshold, Unit};
use crate::store::address::StoreLocation;
use crate::store::error::StoreFailure;
use crate::store::sql::health::dialect::Lag;
use crate::store::sql::health::metrics::{self, Vital};
use futures_util::FutureExt;

const fn shape(key: &'static str, about: &'static str, counts: Counts, warns: Option<&'static str>) -> CheckSpec {
    CheckSpec { key, about, takes: ParamType::Flag, with: &[], on: On::TableStore, counts, warns }
}

/// How many of the allowed connections are taken, in percent.
pub const CONNECTIONS: Kind = Kind {
    shape: &shape("connections", "how many of the allowed connections are taken, in percent", Counts::Percent, Some("> 80 %")),
    measure: |cx, check, _| connections(cx, check).boxed(),
};

/// How many wanted pages stood in memory already, in percent.
pub const CACHE_HIT: Kind = Kind {
    shape: &shape("cache_hit", "how many wanted pages stood in memory already, in percent", Counts::Percent, Some("< 80 %")),
    measure: |cx, check, _| cache_hit(cx, check).boxed(),
};

/// How far the replica furthest behind lags. A lag that is not known is no pass.
pub const REPLICATION_LAG: Kind = Kind {
    shape: &shape("replication_lag", "how far the replica furthest behind lags", Counts::Time, Some("> 10 s")),
    measure: |cx, check, _| replication_lag(cx, check).boxed(),
};

/// Statements that take longer than `over` on average.
pub const SLOW_STATEMENTS: Kind = Kind {
    shape: &CheckSpec {
        with: &[ParamSpec {
            key: "over",
            about: "what is long: `1000 ms` (the default), `2 s`",
            takes: ParamType::Time,
            needed: false,
        }],
        ..shape("slow_statements", "kinds of statements that take longer than `over` on average", Counts::Things, Some("> 0"))
    },
    measure: |cx, check, _| slow_statements(cx, check).boxed(),
};

/// The largest table of the store's own schema, indexes included.
pub const TABLE_SIZE: Kind = Kind {
    shape: &shape("table_size", "the size of the largest table of a store's own schema, indexes included", Counts::Bytes, None),
    measure: |cx, check, _| table_size(cx, check).boxed(),
};

/// Indexes that nobody reads and that keep nothing unique.
pub const UNUSED_INDEXES: Kind = Kind {
    shape: &shape("unused_indexes", "indexes that no query has read and that keep nothing unique", Counts::Things, Some("> 0")),
    measure: |cx, check, _| unused_indexes(cx, check).boxed(),
};

async fn connections(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    Ok(measured(target::store(cx, check)?.connections_taken(&cx.application_name()).await?))
}

async fn cache_hit(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    Ok(measured(target::store(cx, check)?.cache_hits(&cx.application_name()).await?))
}

async fn replication_lag(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let store = target::store(cx, check)?;
    if matches!(store.location(), StoreLocation::File(_)) {
        return Err(metrics::makes_no_sense(store, "replicas", "it has none"));
    }
    match store.replica_lag(&cx.application_name()).await? {
        Lag::Known(lag) => Ok(Measured { value: u64::try_from(lag.as_millis()).unwrap_or(u64::MAX), ..Measured::default() }),
        Lag::Unknown(why) => {
            let text = format!("the lag of the replicas of store `{}` is not known: {why}", store.name());
            Err(StoreFailure::refused(codes::CHECK_UNFIT, text, "an unknown lag is no pass; ask a server that knows it"))
        }
    }
}

async fn slow_statements(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    let over = over(check)?;
    let mut measured = measured(target::store(cx, check)?.slow_statements(&cx.application_name(), over, check.samples).await?);
    measured.notes.push(format!("slow is more than {over} ms on average"));
    Ok(measured)
}

async fn table_size(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    Ok(measured(target::store(cx, check)?.largest_table(&cx.application_name(), check.samples).await?))
}

async fn unused_indexes(cx: &Context, check: &Check) -> Result<Measured, StoreFailure> {
    Ok(measured(target::store(cx, check)?.unused_indexes(&cx.application_name(), check.samples).await?))
}

/// `over` in milliseconds, written as a bound is.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bound is never negative, and a part of a millisecond is none"
)]
fn over(check: &Check) -> Result<u64, StoreFailure> {
    let Some(text) = check.params.text("over") else { return Ok(1_000) };
    match format!("> {text}").parse::<Threshold>() {
        Ok(bound) if bound.unit == Unit::Time => Ok(bound.amount as u64),
        _ => {
            let text = format!("`{text}` under `over` of the check `{}` is no time", check.name);
            Err(StoreFailure::refused(codes::CHECK_UNFIT, text, "write `1000 ms` or `2 s`"))
        }
    }
}

fn measured(vital: Vital) -> Measured {
    Measured {
        value: vital.value,
        of: vital.of,
        samples: vital.samples,
        query: Some(vital.query),
        notes: vital.notes,
        nothing_seen: vital.nothing_seen,
    }
}
