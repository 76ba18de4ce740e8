//! What MySQL does in its own way about its health.

use super::dialect::Mysql;
use crate::store::sql::health::dialect::HealthDialect;

impl HealthDialect for Mysql {}
