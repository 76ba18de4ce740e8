//! Rows past their own end that are still there: `expired: expires_at`.

use super::kind::Kind;
use super::{clock, row_check, target};
use crate::action::{Context, Measured};
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamSpec, ParamType};
use crate::store::error::StoreFailure;
use chrono::{DateTime, Utc};
use futures_util::FutureExt;

/// Counts rows whose own end is before the instant of the run, or longer ago than `after`. NULL never ends.
///
/// No row at all is no fault: nothing is left over then.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "expired",
        about: "rows past the instant in this column that are still there",
        takes: ParamType::Text,
        with: &[
            ParamSpec { key: "after", about: "how long they may outlive it", takes: ParamType::Period, needed: false },
            clock::ZONE,
            clock::UNIT,
        ],
        on: On::Table,
        counts: Counts::Things,
        warns: Some("> 0"),
    },
    measure: |cx, check, as_of| measure(cx, check, as_of).boxed(),
};

async fn measure(cx: &Context, check: &Check, as_of: DateTime<Utc>) -> Result<Measured, StoreFailure> {
    let clock = clock::of(check)?;
    let end = check.params.period("after").map_or(as_of, |after| after.before(as_of, cx.job.timezone));
    let mut looked = target::at(cx, check).await?;
    let over = looked.before(&clock, end).await?;
    let measured = row_check::rows(cx, check, &mut looked, &over, &[], &[&clock.column]).await?;
    Ok(Measured { nothing_seen: false, ..measured })
}
