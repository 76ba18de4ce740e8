//! What every action of a run can see.

use super::scope::Scope;
use crate::job::spec::Job;
use crate::policy::dataset::DatasetName;
use crate::policy::expiry::Expiring;
use crate::policy::hold::Hold;
use crate::policy::key_pattern::KeyPattern;
use crate::policy::policies::Policies;
use crate::store::error::StoreFailure;
use crate::store::holds::Holds;
use crate::store::redis::holds::KeyHolds;
use crate::store::registry::Stores;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::table_location::Share;
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
    source_stats: Arc<BTreeMap<String, String>>,
    run_state: Arc<Mutex<BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>>>,
}

impl Context {
    /// A context with the holds in force now.
    pub fn new(run: String, job: Arc<Job>, stores: Arc<Stores>, policies: Arc<Policies>, holds: Vec<Hold>) -> Self {
        let holds = Arc::new(RwLock::new(Arc::new(holds)));
        Self { run, job, stores, policies, holds, source_stats: Arc::default(), run_state: Arc::default() }
    }

    /// The same context, which remembers what the job's last run saw underneath its views: numbers by the view's name.
    pub fn remembering(self, source_stats: BTreeMap<String, String>) -> Self {
        Self { source_stats: Arc::new(source_stats), ..self }
    }

    /// What the job's last run saw underneath a view when it left it fresh.
    pub fn source_stats(&self, view: &str) -> Option<&str> {
        self.source_stats.get(view).map(String::as_str)
    }

    /// What an action keeps for itself from one step of the run to the next, by its type; empty when it is first asked for.
    pub fn run_state<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut run_state = self.run_state.lock().unwrap_or_else(PoisonError::into_inner);
        let own = run_state.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        Arc::clone(own).downcast().unwrap_or_default()
    }

    /// How the stores see us: `archive-orders 0199c1d2-…`.
    pub fn application_name(&self) -> String {
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

    /// The holds on a dataset: on its rows by whatever name, and on everything whose archive it is. In a graph those on every
    /// label: a node may bear several, and whether one of these bears the hold's is for the store to say.
    ///
    /// Names alone decide until [`super::scope::cover`] has looked into the store.
    pub fn holds_on(&self, dataset: &DatasetName) -> Holds {
        let is_graph = self.stores.graph(&dataset.store).is_ok();
        let all = self.all_holds();
        Holds::within(all.iter().filter_map(|hold| {
            if is_graph && self.stores.are_at_one_address(&hold.dataset.store, &dataset.store) {
                return Some((hold, None));
            }
            match self.share(&hold.dataset, dataset) {
                Share::None => None,
                Share::All => Some((hold, None)),
                Share::Part(numbers) => {
                    let path = Dialect::Postgres.path(dataset.schema.as_deref(), &dataset.table);
                    Some((hold, Some(format!("{path}.tableoid IN ({})", numbers.join(", ")))))
                }
            }
        }))
    }

    /// A hold that is about rows of this very dataset, or of one whose archive it is.
    pub fn hold_naming(&self, dataset: &DatasetName) -> Option<String> {
        let all = self.all_holds();
        all.iter().find(|hold| self.share(&hold.dataset, dataset) != Share::None).map(|hold| hold.name.clone())
    }

    /// Which of a dataset's rows a declared name is about.
    fn share(&self, name: &DatasetName, dataset: &DatasetName) -> Share {
        let covered = self.run_state::<Scope>().of(dataset);
        let known = covered.and_then(|covered| covered.share(name).cloned());
        known.unwrap_or_else(|| {
            let by_name = self.policies.sources_of(dataset).iter().any(|source| source.may_be(name));
            if by_name { Share::All } else { Share::None }
        })
    }

    /// The holds on the keys of a store.
    ///
    /// # Errors
    /// One of them cannot be evaluated there; nothing may be touched.
    pub fn holds_on_keys(&self, store: &str) -> Result<KeyHolds, StoreFailure> {
        let of_store = |hold: &&Hold| self.stores.are_at_one_address(&hold.dataset.store, store);
        let named =
            |hold: &Hold| Hold { dataset: DatasetName { store: store.to_owned(), ..hold.dataset.clone() }, ..hold.clone() };
        let holds: Vec<Hold> = self.all_holds().iter().filter(of_store).map(named).collect();
        KeyHolds::new(store, &holds)
    }

    /// The keys of a store that live on purpose.
    pub fn permanent_keys(&self, store: &str) -> Vec<KeyPattern> {
        let all = self.policies.cache.iter().filter_map(|expiry| match &expiry.of {
            Expiring::Permanent(keys) if self.stores.are_at_one_address(&keys.store, store) => Some(keys.keys.clone()),
            _ => None,
        });
        all.collect()
    }
}
