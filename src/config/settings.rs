//! The configuration, effective: defaults filled in, relative paths joined to its folder.

use super::mail::MailConfig;
use super::store::StoreConfig;
use crate::place::Place;
use crate::policy::classification::Protection;
use crate::policy::dataset::DatasetName;
use crate::policy::lifecycle::Clock;
use crate::yaml::node::At;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// What `steward.yaml` says.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The file, as it was named.
    pub file: Arc<str>,
    /// Its folder, where relative paths begin.
    pub base: PathBuf,
    /// In the order of the file.
    pub stores: Vec<StoreConfig>,
    /// Reports, spool, and the default ledger.
    pub state: PathBuf,
    /// The ledger's SQLite file.
    pub ledger: PathBuf,
    /// Folders or files of policies, each with where it was named; none for the default.
    pub policies: Vec<(PathBuf, Option<Place>)>,
    /// The folder of jobs.
    pub jobs: (PathBuf, Option<Place>),
    /// Policies in a database.
    pub policy_tables: Option<PolicyTables>,
    /// How reports are mailed; none when nobody is.
    pub mail: Option<MailConfig>,
    /// Address of `serve`'s pages.
    pub listen: SocketAddr,
    /// Names under which the pages may be asked for, beside addresses and this machine's own.
    pub hosts: Vec<String>,
}

/// Where policies are kept in a database; at least one of the two tables is there.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyTables {
    /// The table of lifecycle policies.
    pub lifecycle: Option<At<DatasetName>>,
    /// The table of classification tags.
    pub classification: Option<At<DatasetName>>,
    /// The clock of rows that no file gives one.
    pub clock: Option<At<Clock>>,
    /// What words of `protection_method` mean that are not ours.
    pub protection_methods: Vec<(String, Protection)>,
}

impl Config {
    /// The store of that name.
    pub fn store(&self, name: &str) -> Option<&StoreConfig> {
        self.stores.iter().find(|store| store.name == name)
    }
}
