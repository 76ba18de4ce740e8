//! What kinds that look at nodes share: how many have a fault, out of how many, and a few of them.

use super::sample::Sampler;
use crate::action::{Context, Measured};
use crate::policy::checks::check::Check;
use crate::store::error::StoreFailure;
use crate::store::neo4j::label_query::LookedLabel;

/// Counts the nodes that meet `fault`, among those that meet `of`; shows the key and these properties of a few, masked.
///
/// Where nothing meets `of` the check saw nothing.
///
/// # Errors
/// The store's own.
pub async fn faulty(
    cx: &Context,
    check: &Check,
    looked: &LookedLabel,
    fault: &str,
    of: &[String],
    properties: &[&str],
) -> Result<Measured, StoreFailure> {
    let share = looked.share(fault, of).await?;
    let mut samples = vec![];
    if share.bad > 0 && check.samples > 0 {
        let conditions = [of, &[fault.to_owned()]].concat();
        for (dataset, some) in looked.some(&conditions, properties, check.samples).await? {
            // The store's own id of a node says nothing of whom the node is about.
            let sampler = Sampler::new(cx, &dataset).keyed_by(some.columns.first().cloned());
            samples.extend(some.rows.iter().map(|(node, cells)| format!("node {node} {}", sampler.cells(&some.columns, cells))));
        }
        samples.truncate(usize::try_from(check.samples).unwrap_or(usize::MAX));
    }
    let samples = samples.into_iter().map(|sample| sample.trim_end().to_owned()).collect();
    Ok(Measured { samples, ..Measured::asked(share.bad, Some(share.of), share.query) })
}
