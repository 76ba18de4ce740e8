//! What MySQL does in its own way about what checks ask.

use super::dialect::Mysql;
use crate::store::sql::query::dialect::QueryDialect;

impl QueryDialect for Mysql {}
