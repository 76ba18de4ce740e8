//! Stores as a check sees them, over what a test made.

use crate::support::database::Database;
use crate::support::engine::Engine;
use std::path::Path;
use std::time::Duration;
use steward::policy::dataset::DatasetName;
use steward::store::connect::{StoreAddress, StoreLocation};
use steward::store::stores::Stores;

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
        connections: 4,
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
