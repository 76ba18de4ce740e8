//! What every action of a run can see.

use crate::job::spec::Job;
use crate::policy::dataset::DatasetName;
use crate::policy::hold::Hold;
use crate::policy::set::Policies;
use crate::store::failure::StoreFailure;
use crate::store::holds::Holds;
use crate::store::redis::holds::KeyHolds;
use crate::store::stores::Stores;
use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// What every action of a run can see.
#[derive(Debug, Clone)]
pub struct Context {
    /// The run.
    pub run: String,
    /// The job.
    pub job: Arc<Job>,
    /// All stores.
    pub stores: Arc<Stores>,
    /// The effective policies. A policy edited while the job runs does not change the running pass.
    pub policies: Arc<Policies>,
    holds: Arc<RwLock<Arc<Vec<Hold>>>>,
    underneath: Arc<BTreeMap<String, String>>,
    kept: Arc<Mutex<BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>>>,
}

impl Context {
    /// A context with the holds in force now.
    pub fn new(run: String, job: Arc<Job>, stores: Arc<Stores>, policies: Arc<Policies>, holds: Vec<Hold>) -> Self {
        let holds = Arc::new(RwLock::new(Arc::new(holds)));
        Self { run, job, stores, policies, holds, underneath: Arc::default(), kept: Arc::default() }
    }

    /// The same context, which remembers what the job's last run saw underneath its views: numbers by the view's name.
    pub fn remembering(self, underneath: BTreeMap<String, String>) -> Self {
        Self { underneath: Arc::new(underneath), ..self }
    }

    /// What the job's last run saw underneath a view when it left it fresh.
    pub fn underneath(&self, view: &str) -> Option<&str> {
        self.underneath.get(view).map(String::as_str)
    }

    /// What an action keeps for itself from one step of the run to the next, by its type; empty when it is first asked for.
    pub fn kept<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let own = kept.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        Arc::clone(own).downcast().unwrap_or_default()
    }

    /// How the stores see us: `archive-orders 0199c1d2-…`.
    pub fn who(&self) -> String {
        format!("{} {}", self.job.name, self.run)
    }

    /// Replaces the holds; the next batch honours them.
    pub fn see_holds(&self, holds: Vec<Hold>) {
        *self.holds.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(holds);
    }

    /// The holds in force now.
    pub fn all_holds(&self) -> Arc<Vec<Hold>> {
        self.holds.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The holds on a dataset, and on every dataset whose archive it is. In a graph those on every label: a node may bear
    /// several, and whether one of these bears the hold's is for the store to say.
    pub fn holds_on(&self, dataset: &DatasetName) -> Holds {
        let covered = self.policies.sources_of(dataset);
        let is_graph = self.stores.graph(&dataset.store).is_ok();
        let all = self.all_holds();
        Holds::new(all.iter().filter(|hold| {
            is_graph && hold.dataset.store == dataset.store || covered.iter().any(|source| source.may_be(&hold.dataset))
        }))
    }

    /// A hold that names this very dataset, or one whose archive it is.
    pub fn hold_naming(&self, dataset: &DatasetName) -> Option<String> {
        let covered = self.policies.sources_of(dataset);
        let all = self.all_holds();
        all.iter().find(|hold| covered.iter().any(|source| source.may_be(&hold.dataset))).map(|hold| hold.name.clone())
    }

    /// The holds on the keys of a store.
    ///
    /// # Errors
    /// One of them cannot be evaluated there; nothing may be touched.
    pub fn holds_on_keys(&self, store: &str) -> Result<KeyHolds, StoreFailure> {
        KeyHolds::new(store, self.all_holds().iter())
    }
}
