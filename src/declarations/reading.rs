//! Reading all declarations, in two steps where policy tables are configured: files, then the tables' rows.

use super::files;
use crate::config::read as config_read;
use crate::config::read::ReadConfig;
use crate::config::settings::{Config, PolicyTables};
use crate::diagnostic::codes;
use crate::diagnostic::diagnosis::Diagnosis;
use crate::diagnostic::message::Diagnostic;
use crate::job::check::{self as job_check, Unknown};
use crate::job::read::{self as job_read, ReadJob};
use crate::job::registry::Registry;
use crate::job::spec::Job;
use crate::place::Place;
use crate::policy::checks::read::Kinds;
use crate::policy::condition::Language;
use crate::policy::effective::finish;
use crate::policy::known_stores::KnownStores;
use crate::policy::loaded::LoadedPolicies;
use crate::policy::policies::Policies;
use crate::policy::table::{LifecycleRow, Origin, TagRow};
use crate::yaml::node::Node;
use crate::yaml::parse::parse;
use crate::yaml::reading::Reading as ValueReading;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Everything that is declared, complete and without contradiction.
#[derive(Debug, Clone, PartialEq)]
pub struct Declarations {
    /// The configuration.
    pub config: Config,
    /// The effective policies.
    pub policies: Policies,
    /// In the order of their names.
    pub jobs: Vec<Job>,
    /// The configuration's folder: where relative paths begin.
    pub base: PathBuf,
    /// True when policy tables are configured and were not read: `policies` is then not all there is, and nothing may run by it.
    pub tables_unread: bool,
}

impl Declarations {
    /// Reads everything that files say. Where policy tables are configured they stay unread, and what may stand in them is
    /// called unknown: for running, use [`Reading`].
    ///
    /// # Errors
    /// Everything that is wrong, in all files.
    pub fn read(
        config: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
        registry: &Registry,
    ) -> Result<(Self, Diagnosis), Diagnosis> {
        Reading::files(config, variable, registry).finish()
    }

    /// The job of that name.
    pub fn job(&self, name: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.name == name)
    }
}

/// Declarations while they are read.
#[derive(Debug, Clone)]
pub struct Reading {
    config: Option<ReadConfig>,
    loaded: LoadedPolicies,
    jobs: Vec<ReadJob>,
    /// Of every file, readable or not.
    job_names: Vec<String>,
    registry: Registry,
    tables_read: bool,
    diagnosis: Diagnosis,
}

impl Reading {
    /// Reads every file. What is wrong is kept for [`Reading::finish`]; `registry` is what is built.
    ///
    /// `variable` looks names up in the environment, for `${NAME}`.
    pub fn files(config: &Path, variable: &dyn Fn(&str) -> Option<String>, registry: &Registry) -> Self {
        let mut reading = Self::empty();
        reading.registry = registry.clone();
        let base = folder_of(config);
        let mut values = ValueReading::new(variable);
        reading.read_config(config, &base, &mut values);
        // With a configuration that cannot be read the usual folders are looked at, so that all errors are told at once.
        let (policies, jobs) = match &reading.config {
            Some(read) => (read.config.policies.clone(), read.config.jobs.clone()),
            None => (usual(&base.join("policies/")), (base.join("jobs/"), None)),
        };
        let mut seen = HashSet::new();
        for (path, place) in &policies {
            reading.read_policies(path, place.as_ref(), &base, &mut seen, &mut values);
        }
        let (path, place) = jobs;
        if reading.config.is_some() || path.is_dir() {
            reading.read_jobs(&path, place.as_ref(), &base, &mut values);
        }
        reading.diagnosis.diagnostics.append(&mut values.notes);
        reading
    }

    /// The configuration alone: evidence can be read, and a hold put down, while a policy is wrong.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn config_alone(config: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Result<Config, Diagnosis> {
        let mut reading = Self::empty();
        let mut values = ValueReading::new(variable);
        reading.read_config(config, &folder_of(config), &mut values);
        reading.diagnosis.diagnostics.append(&mut values.notes);
        reading.diagnosis.sort();
        match reading.config {
            Some(read) if !reading.diagnosis.has_errors() => Ok(read.config),
            _ => Err(reading.diagnosis),
        }
    }

    /// The policy tables to be read before [`Reading::finish`]; none when none are configured or the configuration is wrong.
    pub fn tables(&self) -> Option<&PolicyTables> {
        self.config.as_ref()?.config.policy_tables.as_ref()
    }

    /// The configuration, if its file could be read; what is wrong in it is told by [`Reading::finish`].
    pub fn config(&self) -> Option<&Config> {
        self.config.as_ref().map(|read| &read.config)
    }

    /// The job of that name, if its file could be read.
    pub fn job(&self, name: &str) -> Option<&Job> {
        self.jobs.iter().map(|read| &read.job).find(|job| job.name == name)
    }

    /// True when something is wrong already: no need to ask a database.
    pub fn has_errors(&self) -> bool {
        self.diagnosis.has_errors()
    }

    /// Adds the rows of the policy tables. Both at once: an unread one would be taken for an empty one.
    #[must_use]
    pub fn merge_tables(mut self, lifecycle: &[LifecycleRow], tags: &[TagRow]) -> Self {
        let Some(read) = &self.config else { return self };
        let Some(tables) = &read.config.policy_tables else { return self };
        let stores: Vec<&str> = read.store_names.iter().map(String::as_str).collect();
        let notes = &mut self.diagnosis.diagnostics;
        if let Some(table) = &tables.lifecycle {
            let origin = Origin { table: &table.value, stores: &stores, methods: &tables.protection_methods };
            for (draft, unread) in lifecycle.iter().filter_map(|row| origin.lifecycle(row, notes)) {
                self.loaded.lifecycle_rows.push(draft);
                self.loaded.unread_minimums.extend(unread);
            }
        }
        if let Some(table) = &tables.classification {
            let origin = Origin { table: &table.value, stores: &stores, methods: &tables.protection_methods };
            for (tag, unread) in tags.iter().filter_map(|row| origin.tag(row, notes)) {
                self.loaded.tag_rows.push(tag);
                self.loaded.unread_minimums.extend(unread);
            }
        }
        self.tables_read = true;
        self
    }

    /// Holds everything against everything.
    ///
    /// # Errors
    /// Everything that is wrong; else the declarations, and a diagnosis that holds warnings only.
    pub fn finish(mut self) -> Result<(Declarations, Diagnosis), Diagnosis> {
        let Some(read) = self.config else {
            self.diagnosis.sort();
            return Err(self.diagnosis);
        };
        let unread: Vec<&str> = match &read.config.policy_tables {
            Some(tables) if !self.tables_read => {
                [&tables.lifecycle].into_iter().flatten().map(|table| table.value.store.as_str()).collect()
            }
            _ => vec![],
        };
        let known_stores = KnownStores {
            stores: read.data_models.iter().map(|(name, data_model)| (name.as_str(), *data_model)).collect(),
            languages: read.languages.iter().map(|(name, language)| (name.as_str(), *language)).collect(),
            table_clock: read.config.policy_tables.as_ref().and_then(|tables| tables.clock.as_ref()),
            unread_tables: unread.clone(),
        };
        let incomplete = self.loaded.incomplete;
        let (policies, broken) = finish(self.loaded, &known_stores, &mut self.diagnosis.diagnostics);
        let unknown = Unknown { broken: &broken, incomplete, tables_unread: !unread.is_empty() };
        for job in &self.jobs {
            job_check::pauses(job, &known_stores, &mut self.diagnosis.diagnostics);
            let Some(section) = self.registry.section(&job.job.action) else { continue };
            job_check::patterns(job, section, &policies, unknown, &mut self.diagnosis.diagnostics);
        }
        job_check::named_by_checks(&policies, unknown, &mut self.diagnosis.diagnostics);
        let names: Vec<&str> = self.job_names.iter().map(String::as_str).collect();
        job_check::order(&self.jobs, &names, &mut self.diagnosis.diagnostics);
        self.diagnosis.sort();
        if self.diagnosis.has_errors() {
            return Err(self.diagnosis);
        }
        let base = read.config.base.clone();
        let jobs = self.jobs.into_iter().filter(|read| !read.broken).map(|read| read.job).collect();
        let tables_unread = read.config.policy_tables.is_some() && !self.tables_read;
        Ok((Declarations { config: read.config, policies, jobs, base, tables_unread }, self.diagnosis))
    }

    fn empty() -> Self {
        let loaded = LoadedPolicies::default();
        let (jobs, job_names, registry) = (vec![], vec![], Registry::default());
        Self { config: None, loaded, jobs, job_names, registry, tables_read: false, diagnosis: Diagnosis::default() }
    }

    fn read_config(&mut self, config: &Path, base: &Path, values: &mut ValueReading<'_>) {
        if !config.exists() {
            let diagnostic = Diagnostic::error(codes::FILE, format!("there is no configuration `{}`", config.display()));
            self.diagnosis.push(
                diagnostic.help("`steward init` writes one to begin with; `--config FILE` or `STEWARD_CONFIG` names another"),
            );
        } else if let Some((file, root)) = self.parsed(config, base) {
            self.config = config_read::read(&file, base, &root, values);
        }
    }

    /// A file as a tree; none, with a diagnostic, when it cannot be read.
    fn parsed(&mut self, path: &Path, base: &Path) -> Option<(Arc<str>, Node)> {
        let file = files::shown(path, base);
        let root = files::text(path, &file).and_then(|text| {
            self.diagnosis.sources.add(file.clone(), &text);
            parse(&file, &text)
        });
        match root {
            Ok(root) => Some((file, root)),
            Err(diagnostic) => {
                self.diagnosis.push(*diagnostic);
                None
            }
        }
    }

    fn listed(&mut self, path: &Path, place: Option<&Place>) -> Vec<PathBuf> {
        files::listed(path, place).unwrap_or_else(|diagnostic| {
            self.diagnosis.push(*diagnostic);
            vec![]
        })
    }

    fn read_policies(
        &mut self,
        path: &Path,
        place: Option<&Place>,
        base: &Path,
        seen: &mut HashSet<PathBuf>,
        values: &mut ValueReading<'_>,
    ) {
        // Nothing at the usual place is nothing declared, as long as nobody named the place.
        if place.is_none() && !path.exists() && self.config.as_ref().is_none_or(|read| read.config.policy_tables.is_some()) {
            return;
        }
        for path in self.listed(path, place) {
            // A file inside a folder that is named too is read once.
            if !seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) {
                continue;
            }
            match self.parsed(&path, base) {
                Some((_, root)) => self.add_policies(&root, values),
                None => self.loaded.incomplete = true,
            }
        }
    }

    fn add_policies(&mut self, root: &Node, values: &mut ValueReading<'_>) {
        let data_models = self.config.as_ref().map(|read| read.data_models.as_slice()).unwrap_or_default();
        let data_model = |store: &str| data_models.iter().find(|(name, _)| name == store).and_then(|(_, data_model)| *data_model);
        let languages = self.config.as_ref().map(|read| read.languages.as_slice()).unwrap_or_default();
        let language =
            |store: &str| languages.iter().find(|(name, _)| name == store).map_or(Language::Unknown, |(_, language)| *language);
        let kinds = Kinds { shapes: &self.registry.checks, data_model: &data_model, language: &language };
        self.loaded.add_file(root, kinds, values);
    }

    fn read_jobs(&mut self, path: &Path, place: Option<&Place>, base: &Path, values: &mut ValueReading<'_>) {
        let mut names: HashMap<String, Place> = HashMap::new();
        let actions: Vec<&str> = self.registry.actions().collect();
        for path in self.listed(path, place) {
            let file = files::shown(&path, base);
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let here = Place::File { file: file.clone(), line: 1, column: 1 };
            let Some((_, root)) = self.parsed(&path, base) else { continue };
            let name = match job_read::name_of(&file, &stem) {
                Ok(name) => name,
                Err(diagnostic) => {
                    self.diagnosis.push(*diagnostic);
                    continue;
                }
            };
            if let Some(earlier) = names.get(&name) {
                let diagnostic = Diagnostic::error(codes::JOB_TWICE, format!("the job `{name}` is declared by two files"));
                self.diagnosis.push(diagnostic.at(&here).also(earlier, "the first is here").help("keep one of them"));
                continue;
            }
            names.insert(name.clone(), here);
            self.job_names.push(name.clone());
            self.jobs.extend(job_read::read(&name, &root, &actions, values));
        }
    }
}

/// Where relative paths begin.
fn folder_of(config: &Path) -> PathBuf {
    match config.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn usual(path: &Path) -> Vec<(PathBuf, Option<Place>)> {
    if path.is_dir() { vec![(path.to_owned(), None)] } else { vec![] }
}
