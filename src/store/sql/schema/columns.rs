//! Every column of every table in the connection's own schema.

use crate::policy::dataset::DatasetName;
use crate::store::error::StoreFailure;
use crate::store::sql::session::store::Store;
use crate::store::value::Cell;

impl Store {
    /// Every column of every table in the connection's own schema, in their own order, and the statement that lists them.
    ///
    /// # Errors
    /// The store's own.
    pub async fn all_columns(&self, who: &str) -> Result<(Vec<(DatasetName, String)>, &'static str), StoreFailure> {
        let mut session = self.reading(who).await?;
        let sql = session.dialect().all_columns();
        let rows = session.rows(sql, &[]).await?;
        let name = |row: &[Cell]| DatasetName {
            store: self.name().to_owned(),
            schema: (row[0] != Cell::Null).then(|| row[0].shown()),
            table: row[1].shown(),
        };
        Ok((rows.iter().map(|row| (name(row), row[2].shown())).collect(), sql))
    }
}
