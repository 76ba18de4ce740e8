//! The steps that make a ledger's tables.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// The tables, step by step. Files that were released are never edited.
pub(super) fn migrator() -> Migrator {
    let ledger = include_str!("../migrations/sqlite/0001_ledger.sql");
    Migrator::with_migrations(vec![Migration::new(1, "ledger".into(), MigrationType::Simple, ledger.into_sql_str(), false)])
}
