//! The SQL engines that there are.

use super::dialect::{Dialect, Engine};
use super::mysql::dialect::Mysql;
use super::postgres::dialect::Postgres;
use super::sqlite::dialect::Sqlite;
use std::ops::Deref;

impl Deref for Dialect {
    type Target = dyn Engine;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Sqlite => &Sqlite,
            Self::Postgres => &Postgres,
            Self::Mysql => &Mysql { is_mariadb: false },
            Self::Mariadb => &Mysql { is_mariadb: true },
        }
    }
}

/// The dialects that a driver of this scheme speaks.
pub(crate) fn speaking(scheme: &str) -> &'static [Dialect] {
    match scheme {
        "sqlite" => &[Dialect::Sqlite],
        _ if scheme.starts_with("postgres") => &[Dialect::Postgres],
        _ => &[Dialect::Mysql, Dialect::Mariadb],
    }
}
