//! Every column of every table in the connection's own schema.

use crate::policy::dataset::DatasetName;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::session::store::Store;
use crate::store::value::Cell;

impl Store {
    /// Every column of every table in the connection's own schema, in their own order, and the statement that lists them.
    ///
    /// # Errors
    /// The store's own.
    pub async fn all_columns(&self, who: &str) -> Result<(Vec<(DatasetName, String)>, &'static str), StoreFailure> {
        let mut session = self.reading(who).await?;
        let sql = match session.dialect() {
            Dialect::Sqlite => {
                "SELECT NULL, m.name, c.name FROM sqlite_master m, pragma_table_xinfo(m.name) c \
                 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND m.name <> 'steward_batches' AND c.hidden <> 1 ORDER BY m.name, c.cid"
            }
            Dialect::Postgres => {
                "SELECT n.nspname::text, c.relname::text, a.attname::text FROM pg_class c \
                 JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid \
                 WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'steward_batches' \
                 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum"
            }
            Dialect::Mysql | Dialect::Mariadb => {
                "SELECT c.TABLE_SCHEMA, c.TABLE_NAME, c.COLUMN_NAME FROM information_schema.COLUMNS c \
                 JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME \
                 WHERE c.TABLE_SCHEMA = DATABASE() AND t.TABLE_TYPE = 'BASE TABLE' AND c.TABLE_NAME <> 'steward_batches' \
                 ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION"
            }
        };
        let rows = session.rows(sql, &[]).await?;
        let name = |row: &[Cell]| DatasetName {
            store: self.name().to_owned(),
            schema: (row[0] != Cell::Null).then(|| row[0].shown()),
            table: row[1].shown(),
        };
        Ok((rows.iter().map(|row| (name(row), row[2].shown())).collect(), sql))
    }
}
