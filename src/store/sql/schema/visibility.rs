//! Whether the account sees everything that a removal depends on. What it cannot see is never taken for absent.

use super::table::Table;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::mysql::privileges::Privileges;
use crate::store::sql::mysql::schema;
use crate::store::sql::session::connection::Session;

/// The rights without which the catalogue leaves out foreign keys, triggers or columns of these tables, as
/// `TRIGGER on core.shop.orders`; empty when all is seen. PostgreSQL and SQLite show their catalogues to everybody.
pub(crate) async fn hidden(session: &mut Session, tables: &[&Table]) -> Result<Vec<String>, StoreFailure> {
    if !session.dialect().is_mysql() {
        return Ok(vec![]);
    }
    let privileges = Privileges::read(session).await?;
    let mut missing = vec![];
    // MariaDB shows the rules of foreign keys by other rights than MySQL: there PROCESS alone is enough.
    let reads_all = session.dialect() == Dialect::Mysql && privileges.allow_everywhere("SELECT") && privileges.are_whole();
    if !reads_all && !schema::shows_all_keys(session).await? {
        missing.push("PROCESS, without which foreign keys of other tables are hidden".to_owned());
    }
    for table in tables {
        let schema = table.schema.as_deref().unwrap_or_default();
        for (right, what) in [("SELECT", "columns"), ("TRIGGER", "triggers")] {
            if !privileges.allow(right, schema, &table.name) {
                missing.push(format!("{right} on `{}`, without which its {what} are hidden", table.label()));
            }
        }
    }
    Ok(missing)
}
