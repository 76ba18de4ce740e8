//! What PostgreSQL does in its own way about its health.

use super::dialect::Postgres;
use crate::store::sql::health::dialect::HealthDialect;

impl HealthDialect for Postgres {}
