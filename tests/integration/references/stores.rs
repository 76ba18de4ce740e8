//! Stores as a check sees them, over what a test made.

use crate::support::database::Database;
use crate::support::engine::Engine;
use crate::support::graph::Graph;
use crate::support::keyspace::Keyspace;
use chrono::{DateTime, Utc};
use std::path::Path;
use std::time::Duration;
use steward::policy::checks::field::{Field, ReferenceEnd};
use steward::policy::dataset::DatasetName;
use steward::reference::compare::{Asked, Compared, Told, compare};
use steward::reference::side::Side;
use steward::store::address::{StoreAddress, StoreLocation};
use steward::store::error::StoreFailure;
use steward::store::registry::Stores;

/// Opens a store of that name at a URL with its password.
pub fn address(name: &str, url: &str) -> StoreAddress {
    let at = match url.strip_prefix("sqlite:") {
        Some(path) => StoreLocation::File(Path::new(path).to_owned()),
        None => StoreLocation::Server { url: url.to_owned().into(), user: None, password: None, ca: None },
    };
    StoreAddress {
        name: name.into(),
        at,
        lock_timeout: Duration::from_secs(2),
        statement_timeout: Duration::from_secs(20),
        // The least that a store may be given: nothing may wait for a second one while it holds the first.
        connections: 1,
    }
}

/// The store `core` over a database.
pub fn core(database: &Database) -> Stores {
    Stores::new([address("core", &database.url())]).unwrap()
}

/// A table of the store `core`.
pub fn table(name: &str) -> DatasetName {
    format!("core.{name}").parse().unwrap()
}

/// A text as this engine writes it between quotes.
pub fn literal(engine: Engine, text: &str) -> String {
    let text = if engine.is_mysql() { text.replace('\\', "\\\\") } else { text.to_owned() };
    format!("'{}'", text.replace('\'', "''"))
}

/// Two databases, as the stores `core` and `other`.
pub struct Two {
    pub core: Database,
    pub other: Database,
    // Dropped last: SQLite's files are in there.
    _folders: [tempfile::TempDir; 2],
}

impl Two {
    pub fn new(core: Engine, other: Engine) -> Self {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let (core, other) = (Database::new(core, folders[0].path()), Database::new(other, folders[1].path()));
        Self { core, other, _folders: folders }
    }

    /// Both, opened. Within a runtime: pools live in it.
    pub fn stores(&self) -> Stores {
        Stores::new([address("core", &self.core.url()), address("other", &self.other.url())]).unwrap()
    }

    /// Compares two fields.
    pub fn compare(&self, from: &str, to: &str, asked: Asked) -> Compared {
        self.try_compare(&end(from), &end(to), asked, None).unwrap_or_else(|failure| panic!("{from} → {to}: {failure}"))
    }

    /// Compares two ends; what is not older than `before` does not count.
    pub fn try_compare(
        &self,
        from: &ReferenceEnd,
        to: &ReferenceEnd,
        asked: Asked,
        before: Option<DateTime<Utc>>,
    ) -> Result<Compared, StoreFailure> {
        compared(vec![address("core", &self.core.url()), address("other", &self.other.url())], (from, to), asked, before)
    }
}

/// Compares two ends of these stores.
pub fn compared(
    addresses: Vec<StoreAddress>,
    (from, to): (&ReferenceEnd, &ReferenceEnd),
    asked: Asked,
    before: Option<DateTime<Utc>>,
) -> Result<Compared, StoreFailure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let stores = Stores::new(addresses).unwrap();
        let from = Side::at(&stores, "test", from, before).await?;
        let to = Side::at(&stores, "test", to, before).await?;
        compare(&from, &to, asked).await
    })
}

/// Both ways, at once, with all samples.
pub const BOTH: Asked = Asked { both_ways: true, settle: None, samples: usize::MAX };

/// The end that a text names.
pub fn end(text: &str) -> ReferenceEnd {
    ReferenceEnd { field: Field::read(text, |store| store == "cache").unwrap(), r#where: None, clock: None }
}

/// What one side lacks, in the order of the text.
pub fn sorted(told: &Told) -> Vec<String> {
    assert_eq!(told.missing, told.samples.len() as u64);
    let mut ids = told.samples.clone();
    ids.sort();
    ids
}

/// Puts ids into a column, and nothing else.
pub fn fill(database: &Database, table: &str, column: &str, ids: impl IntoIterator<Item = impl AsRef<str>>) {
    let rows: Vec<String> = ids.into_iter().map(|id| format!("({})", literal(database.engine, id.as_ref()))).collect();
    for chunk in rows.chunks(5_000) {
        database.sql(&format!("INSERT INTO {table} ({column}) VALUES {}", chunk.join(", ")));
    }
}

/// The store `graph` over nodes of a test's own.
pub fn graph_address(graph: &Graph) -> StoreAddress {
    let (user, password) = (graph.address.user.clone(), graph.address.password.clone());
    let at = StoreLocation::Server { url: graph.url().into(), user: Some(user), password: Some(password.into()), ca: None };
    StoreAddress { at, ..address("graph", "") }
}

/// The store `cache` over keys of a test's own.
pub fn cache_address(keys: &Keyspace) -> StoreAddress {
    let (user, password) = (keys.address.user.clone(), keys.address.password.clone());
    let user = (!user.is_empty()).then_some(user);
    let at = StoreLocation::Server { url: keys.url().into(), user, password: Some(password.into()), ca: None };
    StoreAddress { at, ..address("cache", "") }
}
