//! What declarations cover in the stores themselves: a hold, a minimum, a tag or a policy is about rows, whatever name, parent,
//! partition or second store name leads to them.

mod claims;
mod covered;
mod places;

pub use claims::{refuse_early_removal, refuse_removal_along, refuse_unarchived};
pub use covered::Covered;
pub use places::check_declared;

use super::context::Context;
use crate::policy::dataset::DatasetName;
use crate::policy::hold::Hold;
use crate::store::error::StoreFailure;
use places::Places;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What a run found out about the datasets that it acts on.
#[derive(Debug, Default)]
pub struct Scope {
    covered: Mutex<BTreeMap<DatasetName, Arc<Covered>>>,
    /// Where the declared names are, by the store that was asked about.
    places: Mutex<BTreeMap<String, Known>>,
}

/// Where the declared names are, and the holds that were among them.
#[derive(Debug, Clone)]
struct Known {
    holds: Arc<Vec<Hold>>,
    places: Places,
}

impl Scope {
    /// What was found out about a dataset by [`cover`]; none before.
    pub fn of(&self, dataset: &DatasetName) -> Option<Arc<Covered>> {
        self.covered.lock().unwrap_or_else(PoisonError::into_inner).get(dataset).cloned()
    }

    /// Looked for once a run, and again when the holds have changed.
    async fn places(&self, cx: &Context, dataset: &DatasetName) -> Result<Places, StoreFailure> {
        let holds = cx.all_holds();
        let known = self.places.lock().unwrap_or_else(PoisonError::into_inner).get(&dataset.store).cloned();
        let places = match known {
            Some(known) if *known.holds == *holds => Box::pin(known.places.with(cx, dataset)).await?,
            _ => Box::pin(Places::find(cx, dataset)).await?,
        };
        let kept = Known { holds, places: places.clone() };
        self.places.lock().unwrap_or_else(PoisonError::into_inner).insert(dataset.store.clone(), kept);
        Ok(places)
    }
}

/// Finds out which of the declared names share rows with a dataset, and keeps it for [`Context::holds_on`]. Reads only.
///
/// Called before anything is decided about the dataset, and again when the holds have changed.
///
/// # Errors
/// A hold, a tag or a minimum of the same database names what is not there: whatever it was meant for may be this dataset.
pub async fn cover(cx: &Context, dataset: &DatasetName) -> Result<Arc<Covered>, StoreFailure> {
    let scope: Arc<Scope> = cx.run_state();
    let places = scope.places(cx, dataset).await?;
    places.refuse_missing(cx, dataset)?;
    let covered = Arc::new(Covered::of(cx, dataset, &places));
    scope.covered.lock().unwrap_or_else(PoisonError::into_inner).insert(dataset.clone(), Arc::clone(&covered));
    Ok(covered)
}
