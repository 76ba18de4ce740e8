//! What most kinds share: how many rows of a table have a fault, out of how many, and a few of them.

use super::sample::Sampler;
use crate::action::{Context, Measured};
use crate::policy::checks::check::Check;
use crate::store::error::StoreFailure;
use crate::store::sql::query::table_query::Looked;

/// Counts the rows that meet `fault`, among those that meet `of`; shows the key and these columns of a few, masked.
///
/// Where nothing meets `of` the check saw nothing.
///
/// # Errors
/// The store's own.
pub async fn rows(
    cx: &Context,
    check: &Check,
    looked: &mut Looked,
    fault: &str,
    of: &[String],
    columns: &[&str],
) -> Result<Measured, StoreFailure> {
    let share = looked.share(fault, of).await?;
    let samples = match share.bad {
        0 => vec![],
        _ => samples(cx, check, looked, &[of, &[fault.to_owned()]].concat(), columns).await?,
    };
    Ok(Measured { samples, ..Measured::asked(share.bad, Some(share.of), share.query) })
}

/// A few rows that meet these conditions: the key and these columns, masked by their tags.
///
/// # Errors
/// The store's own.
pub async fn samples(
    cx: &Context,
    check: &Check,
    looked: &mut Looked,
    conditions: &[String],
    columns: &[&str],
) -> Result<Vec<String>, StoreFailure> {
    let (Some(dataset), 1..) = (check.table(), check.samples) else { return Ok(vec![]) };
    let keys: Vec<String> = looked.table().key().unwrap_or_default().into_iter().map(|column| column.name.clone()).collect();
    let sampler = Sampler::new(cx, dataset).keyed_by(keys);
    let some = looked.some(conditions, columns, check.samples).await?;
    Ok(some.rows.iter().map(|row| sampler.cells(&some.columns, row)).collect())
}
