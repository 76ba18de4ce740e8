//! Whether batches can leave their mark ([`super::mark_table`]): asked before a run, which would go on without.

use crate::store::batch_mark::BATCH_TABLE;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::mysql::privileges::Privileges;
use crate::store::sql::session::connection::Session;
use crate::store::value::Cell;

/// The rights that are missing, as `CREATE on core.public.steward_batches`; empty when nothing is. Reads only.
pub(crate) async fn missing(session: &mut Session, schema: Option<&str>) -> Result<Vec<String>, StoreFailure> {
    let schema = schema.unwrap_or_default();
    let lacks = match session.dialect() {
        Dialect::Sqlite => return Ok(vec![]),
        Dialect::Postgres => postgres(session, schema).await?,
        Dialect::Mysql | Dialect::Mariadb => mysql(session, schema).await?,
    };
    let label = format!("{}.{schema}.{BATCH_TABLE}", session.store());
    Ok(lacks.into_iter().map(|right| format!("{right} on `{label}`")).collect())
}

const RIGHTS: [&str; 3] = ["SELECT", "INSERT", "UPDATE"];

async fn postgres(session: &mut Session, schema: &str) -> Result<Vec<&'static str>, StoreFailure> {
    let [select, insert, update] = RIGHTS.map(|right| format!("has_table_privilege(c.oid, '{right}')"));
    let sql = format!(
        "SELECT has_schema_privilege(n.oid, 'CREATE'), c.oid IS NOT NULL, {select}, {insert}, {update} FROM pg_namespace n \
         LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = '{BATCH_TABLE}' WHERE n.nspname = $1::text"
    );
    let Some(row) = session.rows(&sql, &[Cell::Text(schema.to_owned())]).await?.into_iter().next() else { return Ok(vec![]) };
    if !row[1].as_flag() {
        return Ok(if row[0].as_flag() { vec![] } else { vec!["CREATE"] });
    }
    Ok(RIGHTS.into_iter().zip(&row[2..]).filter(|(_, has)| !has.as_flag()).map(|(right, _)| right).collect())
}

/// A table that the account has no right on looks as if it were not there.
async fn mysql(session: &mut Session, schema: &str) -> Result<Vec<&'static str>, StoreFailure> {
    let sql = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?";
    let is_there = session.count(sql, &[Cell::Text(schema.to_owned()), Cell::Text(BATCH_TABLE.to_owned())]).await? > 0;
    let is_mariadb = session.dialect() == Dialect::Mariadb;
    let privileges = Privileges::read(session, is_mariadb).await?;
    let needed = (!is_there).then_some("CREATE").into_iter().chain(RIGHTS);
    Ok(needed.filter(|right| !privileges.allow(right, schema, BATCH_TABLE)).collect())
}
