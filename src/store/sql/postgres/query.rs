//! What PostgreSQL does in its own way about what checks ask.

use super::dialect::Postgres;
use crate::store::sql::query::dialect::QueryDialect;

impl QueryDialect for Postgres {}
