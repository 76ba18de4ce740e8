//! One store of the configuration, and what it takes to connect to it.

use super::address::{self, Address};
use super::file::StoreEntry;
use super::secret::{SecretError, SecretRef, Source, Sourced, Surroundings, refuse_inline};
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::diagnostic::suggest;
use crate::place::Place;
use crate::policy::condition::Language;
use crate::policy::data_model::DataModel;
use crate::policy::period::Period;
use crate::yaml::node::{At, Key, Node, Value};
use crate::yaml::reading::Reading;
use secrecy::{ExposeSecret, SecretString};
use std::path::{Path, PathBuf};

/// The kinds of stores that are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// MySQL and MariaDB: the same driver.
    Mysql,
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
    /// Redis and Valkey: one server, a cluster, or found through Sentinel.
    Redis,
    /// Neo4j.
    Neo4j,
}

impl StoreKind {
    /// The language of its conditions.
    pub const fn language(self) -> Language {
        match self {
            Self::Mysql => Language::Mysql,
            Self::Postgres => Language::Postgres,
            Self::Sqlite => Language::Sqlite,
            Self::Neo4j => Language::Cypher,
            Self::Redis => Language::Unknown,
        }
    }

    /// What such a store holds.
    pub const fn data_model(self) -> DataModel {
        match self {
            Self::Mysql | Self::Postgres | Self::Sqlite => DataModel::Tables,
            Self::Redis => DataModel::Keys,
            Self::Neo4j => DataModel::Graph,
        }
    }
}

/// One store as declared.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreConfig {
    /// The name that datasets begin with.
    pub name: String,
    /// The URL, or where it is.
    pub url: At<Sourced>,
    /// The user, where the URL names none.
    pub user: Option<At<Sourced>>,
    /// Where the password is.
    pub password: Option<SecretRef>,
    /// A private certificate authority; relative to the configuration.
    pub ca: Option<PathBuf>,
    /// How long a statement waits for a lock.
    pub lock_timeout: Option<Period>,
    /// How long a statement may take.
    pub statement_timeout: Option<Period>,
    /// The most connections at once.
    pub connections: Option<u32>,
    /// Where it was declared.
    pub place: Place,
}

/// What it takes to connect.
#[derive(Debug, Clone)]
pub struct StoreAddress {
    /// Which driver.
    pub kind: StoreKind,
    /// The URL; secret because one that came from elsewhere may hold a password. Its scheme is the driver's own:
    /// `mysql`, `postgres` or `sqlite`. A SQLite path is absolute when the configuration's folder is.
    pub url: SecretString,
    /// The user, where the URL names none.
    pub user: Option<String>,
    /// The password, where the URL holds none.
    pub password: Option<SecretString>,
    /// The database file, for SQLite.
    pub path: Option<PathBuf>,
}

/// What a scheme stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Built(StoreKind),
    /// Known, and its name in a sentence.
    NotBuilt(&'static str),
}

const SCHEMES: &[(&str, Scheme)] = &[
    ("mysql", Scheme::Built(StoreKind::Mysql)),
    ("mariadb", Scheme::Built(StoreKind::Mysql)),
    ("postgres", Scheme::Built(StoreKind::Postgres)),
    ("postgresql", Scheme::Built(StoreKind::Postgres)),
    ("sqlite", Scheme::Built(StoreKind::Sqlite)),
    ("redis", Scheme::Built(StoreKind::Redis)),
    ("rediss", Scheme::Built(StoreKind::Redis)),
    ("redis+sentinel", Scheme::Built(StoreKind::Redis)),
    ("rediss+sentinel", Scheme::Built(StoreKind::Redis)),
    ("bolt", Scheme::Built(StoreKind::Neo4j)),
    ("bolt+s", Scheme::Built(StoreKind::Neo4j)),
    ("bolt+ssc", Scheme::Built(StoreKind::Neo4j)),
    ("neo4j", Scheme::NotBuilt("Neo4j with routing")),
    ("neo4j+s", Scheme::NotBuilt("Neo4j with routing")),
    ("mongodb", Scheme::NotBuilt("MongoDB")),
    ("mongodb+srv", Scheme::NotBuilt("MongoDB")),
    ("qdrant", Scheme::NotBuilt("Qdrant")),
];

/// A store's entry into a store; none, with notes, when it cannot be used.
pub(super) fn store(key: &Key, entry: StoreEntry, reading: &mut Reading<'_>) -> Option<StoreConfig> {
    let notes = reading.notes.len();
    if key.text.is_empty() || !key.text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_')) {
        let message = format!("`{}` cannot be a store's name", key.text);
        reading.note(
            Diagnostic::error(codes::STORE_NAME, message)
                .at(&key.place)
                .help("letters, digits, `-` and `_`: datasets are written `store.table`"),
        );
    }
    if let Sourced::Here(url) = &entry.url.value {
        check_url(url, &entry.url.place, reading);
    }
    for (what, timeout) in [("lock_timeout", &entry.lock_timeout), ("statement_timeout", &entry.statement_timeout)] {
        if let Some(timeout) = timeout.as_ref().filter(|timeout| timeout.value.is_zero()) {
            reading.note(
                Diagnostic::error(codes::LIMIT, format!("`{what}` is zero"))
                    .at(&timeout.place)
                    .help("leave the key out for the default"),
            );
        }
    }
    let connections = entry.connections.as_ref().and_then(|count| {
        let fits = u32::try_from(count.value).ok().filter(|count| (1..=1000).contains(count));
        if fits.is_none() {
            reading.note(
                Diagnostic::error(codes::LIMIT, format!("`connections` is {}; it is 1 to 1000", count.value)).at(&count.place),
            );
        }
        fits
    });
    (reading.notes.len() == notes).then(|| StoreConfig {
        name: key.text.clone(),
        url: entry.url,
        user: entry.user,
        password: entry.password,
        ca: entry.ca.map(|ca| ca.value.into()),
        lock_timeout: entry.lock_timeout.map(|timeout| timeout.value),
        statement_timeout: entry.statement_timeout.map(|timeout| timeout.value),
        connections,
        place: key.place.clone(),
    })
}

/// Notes what is wrong with a URL that stands in the file. The URL itself is never repeated: it may hold a password.
fn check_url(url: &str, place: &Place, reading: &mut Reading<'_>) {
    let known = || SCHEMES.iter().filter(|(_, scheme)| matches!(scheme, Scheme::Built(_))).map(|(name, _)| *name);
    // Of what cannot be taken apart rather too much is taken for a password.
    let before_at = url.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@')).map(|(info, _)| info);
    let seems = before_at.is_some_and(|info| info.contains(':'));
    let has_password = super::address::split(url).map_or(seems, |address| address.has_password);
    if has_password {
        refuse_inline(&Node { place: place.clone(), value: Value::Null }, reading);
    }
    let Some(address) = address::split(url) else {
        let help = "such as `mysql://user@host/database`, `postgres://user@host/database`, `sqlite:file.db`";
        if url.contains(char::is_whitespace) {
            let message = "there is white space in this URL; the store was not opened";
            reading
                .note(Diagnostic::error(codes::URL, message).at(place).help("take it out; in a name a space is written `%20`"));
        } else if !has_password {
            reading.note(Diagnostic::error(codes::URL, "this is not a store's URL").at(place).help(help));
        }
        return;
    };
    match scheme(address.scheme) {
        Some(Scheme::NotBuilt(name)) => {
            let message = format!("the store kind {name} (`{}`) is not built yet; the store was not opened", address.scheme);
            reading.note(Diagnostic::error(codes::NOT_BUILT, message).at(place).help("take the store out until it is there"));
        }
        None => {
            let message = format!("`{}` is not a kind of store", address.scheme);
            reading.note(Diagnostic::error(codes::URL, message).at(place).help_if(suggest::suggestion(address.scheme, known())));
        }
        Some(Scheme::Built(kind)) => {
            if let Some(what) = lacks(kind, &address) {
                reading.note(Diagnostic::error(codes::URL, format!("this URL names no {what}")).at(place).help(match kind {
                    StoreKind::Sqlite => "such as `sqlite:company.db`",
                    StoreKind::Mysql => "such as `mysql://user@host/database`",
                    StoreKind::Postgres => "such as `postgres://user@host/database`",
                    StoreKind::Redis => "such as `redis://host:6379/0`, `redis+sentinel://host:26379/service`",
                    StoreKind::Neo4j => "such as `bolt://host:7687`",
                }));
            }
        }
    }
}

fn scheme(written: &str) -> Option<Scheme> {
    SCHEMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(written)).map(|(_, scheme)| *scheme)
}

/// What a URL of that kind cannot do without.
fn lacks(kind: StoreKind, address: &Address<'_>) -> Option<&'static str> {
    match kind {
        StoreKind::Sqlite => (sqlite_path(address).is_empty()).then_some("file"),
        // A socket may take the host's place, in a parameter.
        StoreKind::Mysql | StoreKind::Postgres if address.host.is_empty() && address.query.is_none() => Some("host"),
        StoreKind::Mysql | StoreKind::Postgres if address.path.trim_matches('/').is_empty() => Some("database"),
        StoreKind::Redis | StoreKind::Neo4j if address.host.is_empty() => Some("host"),
        StoreKind::Redis if address.scheme.ends_with("sentinel") && address.path.trim_matches('/').is_empty() => {
            Some("service that Sentinel watches")
        }
        StoreKind::Mysql | StoreKind::Postgres | StoreKind::Redis | StoreKind::Neo4j => None,
    }
}

/// `sqlite:a.db`, `sqlite://a.db` and `sqlite:///a.db` name a file.
fn sqlite_path(address: &Address<'_>) -> String {
    format!("{}{}", address.host, address.path)
}

impl StoreConfig {
    /// What it takes to connect: URL, user and password fetched from where they are named.
    ///
    /// # Errors
    /// A secret that cannot be had; a URL from elsewhere that is no store's. Never repeats the URL.
    pub fn address(&self, base: &Path, around: &dyn Surroundings) -> Result<StoreAddress, SecretError> {
        let place = &self.url.place;
        let url = match &self.url.value {
            Sourced::Here(url) => SecretString::from(url.clone()),
            Sourced::Elsewhere(source) => source.fetch(base, place, around)?,
        };
        let written = url.expose_secret().trim();
        let parts = address::split(written)
            .ok_or_else(|| SecretError::new(format!("the URL of the store `{}` cannot be understood", self.name), place))?;
        let kind = match scheme(parts.scheme) {
            Some(Scheme::Built(kind)) => kind,
            Some(Scheme::NotBuilt(name)) => {
                return Err(SecretError::new(format!("the store `{}` is {name}, which is not built yet", self.name), place));
            }
            None => return Err(SecretError::new(format!("the URL of the store `{}` is of an unknown kind", self.name), place)),
        };
        if let Some(what) = lacks(kind, &parts) {
            return Err(SecretError::new(format!("the URL of the store `{}` names no {what}", self.name), place));
        }
        let after_scheme = &written[parts.scheme.len()..];
        let path = (kind == StoreKind::Sqlite).then(|| base.join(sqlite_path(&parts)));
        let rebuilt = match (&path, kind) {
            (Some(path), _) => {
                format!("sqlite:{}{}", path.display(), parts.query.map(|query| format!("?{query}")).unwrap_or_default())
            }
            (None, StoreKind::Postgres) => format!("postgres{after_scheme}"),
            (None, StoreKind::Redis | StoreKind::Neo4j) => written.to_owned(),
            (None, _) => format!("mysql{after_scheme}"),
        };
        let user = match self.user.as_ref() {
            None => None,
            Some(user) => Some(match &user.value {
                Sourced::Here(user) => user.clone(),
                Sourced::Elsewhere(source) => source.fetch(base, &user.place, around)?.expose_secret().to_owned(),
            }),
        };
        let password = self.password.as_ref().map(|password| password.source.fetch(base, &password.place, around)).transpose()?;
        Ok(StoreAddress { kind, url: SecretString::from(rebuilt), user, password, path })
    }

    /// The language of its conditions; also where the URL is in a variable, of which only the scheme is read.
    pub fn language(&self, variable: &dyn Fn(&str) -> Option<String>) -> Language {
        let url = match &self.url.value {
            Sourced::Elsewhere(Source::Env(name)) => variable(name),
            _ => None,
        };
        let of_variable = || match scheme(url?.trim().split_once(':')?.0)? {
            Scheme::Built(kind) => Some(kind),
            Scheme::NotBuilt(_) => None,
        };
        self.kind().or_else(of_variable).map_or(Language::Unknown, StoreKind::language)
    }

    /// The kind, when the URL stands in the file.
    pub fn kind(&self) -> Option<StoreKind> {
        match &self.url.value {
            Sourced::Here(url) => match scheme(address::split(url)?.scheme)? {
                Scheme::Built(kind) => Some(kind),
                Scheme::NotBuilt(_) => None,
            },
            Sourced::Elsewhere(_) => None,
        }
    }
}
