//! Opens what a configuration names: declarations, policy tables, stores, ledger, mail.

use super::current_user::{origin, started_by};
use super::exit::Exit;
use super::stderr;
use crate::actions;
use crate::config::mail::{MailConfig, MailRoute, Tls};
use crate::config::secret::SecretError;
use crate::config::settings::Config;
use crate::config::store::{StoreAddress as Declared, StoreConfig};
use crate::declarations::process::Process;
use crate::declarations::reading::{Declarations, Reading};
use crate::diagnostic::codes;
use crate::diagnostic::diagnosis::Diagnosis;
use crate::diagnostic::suggest;
use crate::job::origin::StartedBy;
use crate::job::outcome::Outcome;
use crate::job::spec::Job;
use crate::ledger::Ledger;
use crate::place::Place;
use crate::policy::table::{LifecycleRow, TagRow};
use crate::report::deliver::{MailKind, MailSettings};
use crate::runner::Runner;
use crate::runner::delivery::Reporting;
use crate::runner::plan::Planner;
use crate::runner::progress::{Progress, Unwatched};
use crate::store::address::{StoreAddress, StoreLocation};
use crate::store::error::StoreFailure;
use crate::store::registry::Stores;
use crate::store::sql::query::policy_tables;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::Level;

/// How long a statement waits for a lock when a store says nothing.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a statement of a batch may take when a store says nothing.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(60);
/// Connections to a store at once when it says nothing.
const CONNECTIONS: u32 = 4;
/// How often a batch is tried again while its store is busy.
const RETRIES: usize = 5;

/// Everything that is declared, and the stores it names; nothing is contacted before it is needed.
pub(crate) struct App {
    pub(crate) declarations: Declarations,
    pub(crate) stores: Arc<Stores>,
}

/// Why nothing could be opened.
#[derive(Debug)]
pub(crate) enum Closed {
    /// What is declared is wrong.
    Wrong(Diagnosis),
    /// A secret or a policy table could not be had.
    Away(Exit),
}

impl App {
    /// Reads all declarations, policy tables included; the diagnosis beside them holds warnings only.
    pub(crate) async fn look(config: &Path) -> Result<(Self, Diagnosis), Closed> {
        let reading = files(config);
        let stores = match reading.config() {
            Some(config) if !reading.has_errors() => stores(config).map_err(Closed::Away)?,
            _ => Stores::default(),
        };
        let reading = if reading.has_errors() { reading } else { tables(reading, &stores).await.map_err(Closed::Away)? };
        let (declarations, warnings) = reading.finish().map_err(Closed::Wrong)?;
        Ok((Self { declarations, stores: Arc::new(stores) }, warnings))
    }

    /// The same, telling on stderr what is wrong.
    pub(crate) async fn open(config: &Path) -> Result<Self, Exit> {
        match Self::look(config).await {
            Ok(read) => print_diagnosis(Ok(read)),
            Err(Closed::Wrong(diagnosis)) => print_diagnosis(Err(diagnosis)),
            Err(Closed::Away(end)) => Err(end),
        }
    }

    /// The configuration alone, for what needs no policies: evidence stays readable while a policy is wrong.
    pub(crate) fn config(config: &Path) -> Result<Config, Exit> {
        let read = Reading::config_alone(config, &|name| std::env::var(name).ok());
        print_diagnosis(read.map(|config| (config, Diagnosis::default())))
    }

    /// Reads what the files say and leaves policy tables unread.
    pub(crate) fn read(config: &Path) -> Result<Declarations, Exit> {
        print_diagnosis(files(config).finish())
    }

    /// Reads everything, and tells what is wrong in one file alone; what is wrong elsewhere is counted.
    pub(crate) fn read_one(config: &Path, file: &Path) -> Result<(), Exit> {
        let base = config.parent().unwrap_or(Path::new(""));
        let is_it = |place: &Place| match place {
            Place::File { file: shown, .. } => same_file(&base.join(shown.as_ref()), file),
            Place::Row { .. } => false,
        };
        let mut diagnosis = match files(config).finish() {
            Ok((_, warnings)) => warnings,
            Err(diagnosis) => diagnosis,
        };
        let all = diagnosis.errors();
        diagnosis.diagnostics.retain(|one| one.place.as_ref().is_some_and(is_it));
        stderr::diagnosis(&diagnosis);
        let elsewhere = all - diagnosis.errors();
        if diagnosis.has_errors() {
            return Err(Exit::of(Outcome::Invalid, &format!("`{}` is not valid", file.display())));
        }
        if elsewhere > 0 {
            stderr::line(Level::WARN, &format!("{elsewhere} errors in other files; `steward validate` shows them"));
        }
        Ok(())
    }

    /// The same without a word on stderr.
    pub(crate) fn quietly(config: &Path) -> Result<Declarations, Diagnosis> {
        files(config).finish().map(|(declarations, _)| declarations)
    }

    /// A job by name; near names are suggested.
    pub(crate) fn job(&self, name: &str) -> Result<Arc<Job>, Exit> {
        if let Some(job) = self.declarations.job(name) {
            return Ok(Arc::new(job.clone()));
        }
        let names: Vec<&str> = self.declarations.jobs.iter().map(|job| job.name.as_str()).collect();
        let near = suggest::suggestion(name, names.iter().copied());
        let known = near.unwrap_or_else(|| format!("there are: {}", names.join(", ")));
        Err(Exit::usage(&format!("there is no job `{name}`; {known}")))
    }

    /// What planning stands on.
    pub(crate) async fn planner(&self) -> Result<Planner, Exit> {
        let policies = Arc::new(self.declarations.policies.clone());
        let ledger = ledger_if_any(&self.declarations.config).await?;
        Ok(Planner { stores: self.stores.clone(), policies, ledger, progress: Arc::new(Unwatched) })
    }

    /// What running stands on.
    pub(crate) async fn runner(&self, stop: CancellationToken, progress: Arc<dyn Progress>) -> Result<Runner, Exit> {
        self.runner_on(ledger(&self.declarations.config).await?, stop, progress, started_by(origin()))
    }

    /// The same on a ledger that is open already.
    pub(crate) fn runner_on(
        &self,
        ledger: Ledger,
        stop: CancellationToken,
        progress: Arc<dyn Progress>,
        started_by: StartedBy,
    ) -> Result<Runner, Exit> {
        let config = &self.declarations.config;
        Ok(Runner {
            stores: self.stores.clone(),
            policies: Arc::new(self.declarations.policies.clone()),
            ledger,
            stop,
            progress,
            reporting: reporting(config)?,
            retries: RETRIES,
            started_by,
        })
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    real(one).is_some() && real(one) == real(other)
}

/// The ledger, made when there is none.
pub(crate) async fn ledger(config: &Config) -> Result<Ledger, Exit> {
    Ledger::open(&config.ledger).await.map_err(|error| no_ledger(&error))
}

/// The ledger, if there is one yet; for reading only.
pub(crate) async fn ledger_if_any(config: &Config) -> Result<Option<Ledger>, Exit> {
    Ledger::open_existing(&config.ledger).await.map_err(|error| no_ledger(&error))
}

/// Where reports go. A secret that cannot be had makes the configuration invalid.
pub(crate) fn reporting(config: &Config) -> Result<Reporting, Exit> {
    Ok(Reporting {
        reports: config.state.join("reports"),
        spool: config.state.join("spool"),
        mail: config.mail.as_ref().map(|declared| mail(declared, &config.base)).transpose()?,
    })
}

/// A ledger that cannot be opened refuses everything.
pub(crate) fn no_ledger(error: &crate::ledger::error::LedgerError) -> Exit {
    let outcome = match () {
        () if error.is_busy() => Outcome::Temporary,
        () if error.is_misplaced() => Outcome::Invalid,
        () => Outcome::Partial,
    };
    Exit::of(outcome, &error.to_string()).with_help(error.help())
}

/// What the files say, wrong or not.
pub(crate) fn files(config: &Path) -> Reading {
    Reading::files(config, &|name| std::env::var(name).ok(), &actions::registry())
}

/// Prints warnings, or everything that is wrong.
pub(crate) fn print_diagnosis<T>(read: Result<(T, Diagnosis), Diagnosis>) -> Result<T, Exit> {
    match read {
        Ok((read, warnings)) => {
            stderr::diagnosis(&warnings);
            Ok(read)
        }
        Err(diagnosis) => {
            stderr::diagnosis(&diagnosis);
            Err(Exit::of(Outcome::Invalid, "the declarations are not valid; nothing was run"))
        }
    }
}

/// Fetches the rows of the policy tables. One that cannot be reached is temporary, never "no policies".
async fn tables(reading: Reading, stores: &Stores) -> Result<Reading, Exit> {
    let Some(tables) = reading.tables() else { return Ok(reading) };
    let unread = |failure: StoreFailure| {
        let outcome = if failure.is_temporary() { Outcome::Temporary } else { Outcome::Invalid };
        let end = Exit::of(outcome, &format!("the policy tables were not read, so nothing was run: {failure}"));
        end.with_help(failure.help())
    };
    let mut lifecycle: Vec<LifecycleRow> = vec![];
    if let Some(table) = &tables.lifecycle {
        let store = stores.get(&table.value.store).map_err(unread)?;
        lifecycle = policy_tables::lifecycle(store, &table.value).await.map_err(unread)?;
    }
    let mut tags: Vec<TagRow> = vec![];
    if let Some(table) = &tables.classification {
        let store = stores.get(&table.value.store).map_err(unread)?;
        tags = policy_tables::tags(store, &table.value).await.map_err(unread)?;
    }
    Ok(reading.merge_tables(&lifecycle, &tags))
}

/// The stores of a configuration. One whose secret cannot be had is in the way of those alone who ask for it.
pub(crate) fn stores(config: &Config) -> Result<Stores, Exit> {
    let (mut addresses, mut closed) = (vec![], vec![]);
    for store in &config.stores {
        match address(store, &config.base) {
            Ok(address) => addresses.push(address),
            Err(end) => {
                let bare = StoreConfig { user: None, password: None, ..store.clone() };
                let (code, text, help) = (codes::SECRET, end.why().to_owned(), end.help().to_owned());
                let why = StoreFailure::Misdeclared { code, text: format!("store `{}`: {text}", store.name), help };
                closed.push((store.name.clone(), address(&bare, &config.base).ok(), why));
            }
        }
    }
    let mut stores = Stores::new(addresses).map_err(|failure| Exit::of(Outcome::Invalid, &failure.to_string()))?;
    for (name, bare, why) in closed {
        stores.close(&name, bare.as_ref().map(|bare| &bare.at), why);
    }
    Ok(stores)
}

/// Where a store is, with its secrets.
pub(crate) fn address(store: &StoreConfig, base: &Path) -> Result<StoreAddress, Exit> {
    let Declared { url, user, password, path, .. } = store.address(base, &Process).map_err(|error| no_secret(&error))?;
    let at = match path {
        Some(path) => StoreLocation::File(path),
        None => StoreLocation::Server { url, user, password, ca: store.ca.as_ref().map(|ca| base.join(ca)) },
    };
    let limit = |period: &Option<crate::policy::period::Period>, default| {
        period.and_then(|p| p.duration().to_std().ok()).unwrap_or(default)
    };
    Ok(StoreAddress {
        name: store.name.clone(),
        at,
        lock_timeout: limit(&store.lock_timeout, LOCK_TIMEOUT),
        statement_timeout: limit(&store.statement_timeout, STATEMENT_TIMEOUT),
        connections: store.connections.unwrap_or(CONNECTIONS),
    })
}

fn no_secret(error: &SecretError) -> Exit {
    Exit::of(Outcome::Invalid, &error.to_string()).with_help(error.help())
}

/// How mail travels, with its secrets.
pub(crate) fn mail(declared: &MailConfig, base: &Path) -> Result<MailSettings, Exit> {
    let invalid = |text: String| Exit::of(Outcome::Invalid, &text);
    let blank = |kind| MailSettings {
        kind,
        host: String::new(),
        port: None,
        user: None,
        password: None,
        ca: None,
        from: declared.from.clone(),
        to: declared.to.clone(),
    };
    let route = declared.route(base, &Process).map_err(|error| no_secret(&error))?;
    let smtp = match route {
        MailRoute::Folder(folder) => return Ok(blank(MailKind::Folder(folder))),
        MailRoute::Smtp(smtp) => smtp,
    };
    let kind = match smtp.tls {
        Tls::Implicit => MailKind::Tls,
        Tls::Required => MailKind::StartTls,
        Tls::IfOffered if smtp.ca.is_some() => MailKind::StartTls,
        Tls::IfOffered => MailKind::Local,
        Tls::Off => MailKind::Plain,
    };
    let ca = smtp
        .ca
        .as_ref()
        .map(|path| std::fs::read(path).map_err(|error| invalid(format!("`mail.ca` `{}`: {error}", path.display()))));
    Ok(MailSettings {
        host: smtp.host,
        port: Some(smtp.port),
        user: smtp.user,
        password: smtp.password,
        ca: ca.transpose()?,
        ..blank(kind)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shipped is an example: sound to the last warning, and it only looks until somebody edits it.
    #[test]
    fn the_shipped_declarations_are_sound() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (declarations, warnings) =
            files(&root.join("steward.yaml")).finish().unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
        assert!(warnings.diagnostics.is_empty(), "{warnings}");
        assert_eq!(declarations.jobs.len(), 7);
        assert!(declarations.jobs.iter().all(|job| job.mode == crate::job::spec::Mode::Observe));
        assert_eq!(declarations.policies.tags.len(), 19);
    }
}
