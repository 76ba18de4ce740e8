//! What SQLite does in its own way about its health.

use super::dialect::Sqlite;
use crate::store::sql::health::dialect::HealthDialect;

impl HealthDialect for Sqlite {}
