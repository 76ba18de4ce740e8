//! What MySQL does in its own way about batches of rows.

use super::dialect::Mysql;
use crate::store::sql::batch::dialect::BatchDialect;

impl BatchDialect for Mysql {}
