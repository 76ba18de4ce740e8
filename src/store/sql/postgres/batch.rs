//! What PostgreSQL does in its own way about batches of rows.

use super::dialect::Postgres;
use crate::store::sql::batch::dialect::BatchDialect;

impl BatchDialect for Postgres {}
