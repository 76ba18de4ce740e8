//! How old the newest row is: `freshness: created_at, warn: "> 24 h"`.

use super::kind::Kind;
use super::{clock, target};
use crate::action::{Context, Measured};
use crate::policy::checks::check::Check;
use crate::policy::checks::spec::{CheckSpec, Counts, On, ParamType};
use crate::store::error::StoreFailure;
use chrono::{DateTime, Utc};
use futures_util::FutureExt;

/// The age of the newest row, in milliseconds. Rows dated in the future are left out, and told.
pub const KIND: Kind = Kind {
    shape: &CheckSpec {
        key: "freshness",
        about: "how old the newest row is",
        takes: ParamType::Text,
        with: &[clock::ZONE, clock::UNIT],
        on: On::Table,
        counts: Counts::Time,
        warns: None,
    },
    measure: |cx, check, as_of| measure(cx, check, as_of).boxed(),
};

async fn measure(cx: &Context, check: &Check, as_of: DateTime<Utc>) -> Result<Measured, StoreFailure> {
    let clock = clock::of(check)?;
    let mut looked = target::at(cx, check).await?;
    let newest = looked.newest(&clock, as_of).await?;
    let mut measured = Measured { query: Some(newest.query), nothing_seen: newest.instant.is_none(), ..Measured::default() };
    if let Some(instant) = newest.instant {
        measured.value = u64::try_from((as_of - instant).num_milliseconds()).unwrap_or(0);
        measured.notes.push(format!("the newest row is of {}; the query gives it again", instant.to_rfc3339()));
    }
    if newest.later > 0 {
        measured.notes.push(format!("{} rows are dated in the future and were left out", newest.later));
    }
    Ok(measured)
}
