//! `steward.yaml` from its text.

use super::file::ConfigFile;
use super::mail;
use super::secret::{Source, Sourced};
use super::settings::{Config, PolicyTables};
use super::store::{self, StoreConfig, StoreKind};
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::diagnostic::suggest;
use crate::policy::condition::Language;
use crate::policy::data_model::DataModel;
use crate::policy::dataset::DatasetName;
use crate::policy::draft::clock_of;
use crate::yaml::de;
use crate::yaml::node::{At, Node, Value};
use crate::yaml::reading::Reading;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What was read: as much of the configuration as there is, so that policies and jobs can be checked too.
#[derive(Debug, Clone)]
pub struct ReadConfig {
    /// Complete only when nothing was noted.
    pub config: Config,
    /// Every store that is named, those that cannot be used included: nobody is told that they do not exist.
    pub store_names: Vec<String>,
    /// What each store that could be read holds; none where its URL is elsewhere.
    pub data_models: Vec<(String, Option<DataModel>)>,
    /// The language of each store's conditions.
    pub languages: Vec<(String, Language)>,
}

/// The configuration; what is wrong is noted. None when not even its keys could be read.
pub fn read(file: &Arc<str>, base: &Path, root: &Node, reading: &mut Reading<'_>) -> Option<ReadConfig> {
    let before = reading.notes.len();
    if root.value == Value::Null {
        let diagnostic = Diagnostic::error(codes::SIZE, "the configuration says nothing").at(&root.place);
        reading.note(diagnostic.help("it names the stores at least; `steward init` writes one to begin with"));
        return None;
    }
    // A missing `stores` alone must not hide what else is wrong: an empty one stands in for it.
    let written = de::read::<ConfigFile>(root, reading);
    let written = match written {
        Some(written) => written,
        None => {
            if reading.notes.len() == before {
                reading.wrong_kind(root, "the keys of the configuration");
            }
            return None;
        }
    };
    let store_names: Vec<String> = written.stores.0.iter().map(|(key, _)| key.text.clone()).collect();
    if store_names.is_empty() {
        reading.note(
            Diagnostic::error(codes::NO_STORES, "the configuration names no stores")
                .at(&root.place)
                .help("add one under `stores`: `core: { url: \"sqlite:company.db\" }`"),
        );
    }
    let mut stores: Vec<StoreConfig> = vec![];
    for (key, entry) in written.stores.0 {
        // What is wrong with a broken entry otherwise is told too.
        let read = entry.value.and_then(|value| store::store(&key, value, reading));
        stores.extend(read.filter(|_| !entry.broken));
    }
    let kind = |name: &String| stores.iter().find(|store| store.name == *name).and_then(StoreConfig::kind);
    let data_model = |name: &String| kind(name).map(StoreKind::data_model);
    let language = |name: &String| {
        let store = stores.iter().find(|store| store.name == *name);
        store.map_or(Language::Unknown, |store| store.language(&|variable| reading.variable(variable)))
    };
    let languages = store_names.iter().map(|name| (name.clone(), language(name))).collect();
    let data_models = store_names.iter().map(|name| (name.clone(), data_model(name))).collect();
    if let Some(keys) = &written.keys {
        let message = "`keys` comes with the action `encrypt`, which is not built yet; no key was read";
        reading
            .note(Diagnostic::error(codes::NOT_BUILT, message).at(&keys.place).help("take `keys` out until `encrypt` is there"));
    }
    let state = base.join(written.state.as_deref().unwrap_or("state/"));
    let ledger =
        written.ledger.as_ref().map_or_else(|| Some(state.join("steward.db")), |ledger| ledger_file(ledger, base, reading));
    let policy_tables = written.policy_tables.and_then(|tables| {
        let names: Vec<&str> = store_names.iter().map(String::as_str).collect();
        policy_tables(tables, &names, reading)
    });
    let mail = written.mail.and_then(|entry| mail::mail(entry, reading));
    let listen = written.listen.as_ref().map_or(Some(DEFAULT_LISTEN), |listen| address(listen, reading));
    let path = |written: At<String>| (base.join(&written.value), Some(written.place));
    Some(ReadConfig {
        config: Config {
            file: file.clone(),
            base: base.to_owned(),
            stores,
            ledger: ledger.unwrap_or_else(|| state.join("steward.db")),
            state,
            policies: written
                .policies
                .map_or_else(|| vec![(base.join("policies/"), None)], |paths| paths.into_iter().map(path).collect()),
            jobs: written.jobs.map_or_else(|| (base.join("jobs/"), None), path),
            policy_tables,
            mail,
            listen: listen.unwrap_or(DEFAULT_LISTEN),
            hosts: written.hosts.unwrap_or_default().into_iter().map(|host| host.value.to_ascii_lowercase()).collect(),
        },
        store_names,
        data_models,
        languages,
    })
}

/// Seen from this machine only.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);

fn address(listen: &At<String>, reading: &mut Reading<'_>) -> Option<SocketAddr> {
    let text = &listen.value;
    let parsed = text.parse().ok().or_else(|| {
        text.strip_prefix("localhost:")
            .and_then(|port| port.parse().ok())
            .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    });
    if parsed.is_none() {
        let diagnostic =
            Diagnostic::error(codes::UNREADABLE_VALUE, format!("`{text}` is not an address to listen on")).at(&listen.place);
        reading.note(diagnostic.help("an IP address and a port: `127.0.0.1:9464`, `[::]:9464`"));
    }
    parsed
}

/// The ledger's file; only SQLite is built.
fn ledger_file(ledger: &At<Sourced>, base: &Path, reading: &mut Reading<'_>) -> Option<PathBuf> {
    let url = match &ledger.value {
        Sourced::Here(url) => url.as_str(),
        Sourced::Elsewhere(Source::Env(_) | Source::File(_) | Source::Credential(_)) => {
            let diagnostic =
                Diagnostic::error(codes::NOT_BUILT, "a ledger whose URL is elsewhere is not built yet").at(&ledger.place);
            reading.note(diagnostic.help("write `ledger: \"sqlite:state/steward.db\"`"));
            return None;
        }
    };
    let parts = super::address::split(url);
    let path = parts.as_ref().map(|parts| format!("{}{}", parts.host, parts.path)).unwrap_or_default();
    match parts.as_ref().map(|parts| parts.scheme.to_ascii_lowercase()).as_deref() {
        Some("sqlite") if !path.is_empty() => Some(base.join(path)),
        Some("postgres" | "postgresql" | "mysql" | "mariadb") => {
            let diagnostic =
                Diagnostic::error(codes::NOT_BUILT, "a ledger on a server is not built yet; runs are recorded in SQLite")
                    .at(&ledger.place);
            reading.note(diagnostic.help("write `ledger: \"sqlite:state/steward.db\"`, or leave the key out"));
            None
        }
        _ => {
            reading.note(
                Diagnostic::error(codes::URL, "this is not a ledger's URL")
                    .at(&ledger.place)
                    .help("write `sqlite:state/steward.db`, or leave the key out"),
            );
            None
        }
    }
}

fn policy_tables(tables: At<super::file::PolicyTablesEntry>, stores: &[&str], reading: &mut Reading<'_>) -> Option<PolicyTables> {
    let notes = reading.notes.len();
    let At { value: tables, place } = tables;
    for dataset in [&tables.lifecycle, &tables.classification].into_iter().flatten() {
        known_store(dataset, stores, reading);
    }
    if tables.lifecycle.is_none() && tables.classification.is_none() {
        reading.note(
            Diagnostic::error(codes::POLICY_TABLES, "`policy_tables` names no table")
                .at(&place)
                .help("add `lifecycle` or `classification`, each `store.table`"),
        );
    }
    if let Some(clock) = tables.clock.as_ref().filter(|_| tables.lifecycle.is_none()) {
        let diagnostic = Diagnostic::error(codes::POLICY_TABLES, "`clock` is for the rows of `lifecycle`, which is not there")
            .at(&clock.place);
        reading.note(diagnostic.help("leave it out, or name the lifecycle table"));
    }
    let clock = tables.clock.as_ref().and_then(|clock| clock_of(clock, reading));
    (reading.notes.len() == notes).then_some(PolicyTables {
        lifecycle: tables.lifecycle,
        classification: tables.classification,
        clock,
        protection_methods: tables.protection_methods.map(|methods| methods.0).unwrap_or_default(),
    })
}

fn known_store(dataset: &At<DatasetName>, stores: &[&str], reading: &mut Reading<'_>) {
    let store = dataset.value.store.as_str();
    if !stores.contains(&store) {
        let message = format!("unknown store `{store}` in `{}`", dataset.value);
        reading.note(
            Diagnostic::error(codes::POLICY_TABLES, message)
                .at(&dataset.place)
                .help_if(suggest::suggestion(store, stores.iter().copied())),
        );
    }
}
