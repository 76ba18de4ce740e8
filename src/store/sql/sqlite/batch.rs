//! What SQLite does in its own way about batches of rows.

use super::dialect::Sqlite;
use crate::store::sql::batch::dialect::BatchDialect;

impl BatchDialect for Sqlite {}
