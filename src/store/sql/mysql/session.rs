//! What MySQL does in its own way about connections and transactions.

use super::dialect::Mysql;
use crate::store::sql::session::dialect::SessionDialect;

impl SessionDialect for Mysql {}
