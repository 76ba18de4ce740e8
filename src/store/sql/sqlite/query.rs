//! What SQLite does in its own way about what checks ask.

use super::dialect::Sqlite;
use crate::store::sql::query::dialect::QueryDialect;

impl QueryDialect for Sqlite {}
