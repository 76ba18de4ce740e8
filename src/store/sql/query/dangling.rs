//! References within one store that lead nowhere.

use super::condition;
use super::table_query::Looked;
use crate::diagnostic::codes;
use crate::policy::dataset::DatasetName;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::catalog;
use crate::store::sql::schema::table::{Class, Column, Table};
use crate::store::value::Cell;

impl Looked {
    /// True where the column's value has no row in another table of the same store, which meets `condition`.
    ///
    /// Texts are the same when the other column's own collation says so, as for a foreign key; where MySQL would not compare
    /// two collations, byte for byte.
    ///
    /// # Errors
    /// There is no such table or column; the condition does not work there; the two columns hold different things.
    pub async fn leads_nowhere(
        &mut self,
        name: &str,
        to: &DatasetName,
        to_column: &str,
        condition: Option<&str>,
    ) -> Result<String, StoreFailure> {
        let (dialect, here) = (self.dialect(), self.column(name)?);
        let other = catalog::must_find(self.session(), to).await?;
        if let Some(text) = condition {
            condition::check(self.session(), &other, text, "the check").await?;
        }
        let (from, into) = (self.table().column(name)?.clone(), other.column(to_column)?.clone());
        let there = format!("{}.{}", dialect.table(&other), dialect.quote(&into.name));
        let condition = condition.map(|text| format!(" AND (\n{text}\n)")).unwrap_or_default();
        let source = format!("SELECT {there} AS steward_v FROM {} WHERE {there} IS NOT NULL{condition}", dialect.table(&other));
        self.must_compare(&from, &other, &into)?;
        let texts = from.class == Class::Text && into.class == Class::Text;
        let same = if dialect.is_mysql()
            && texts
            && self.collation(&self.table().clone(), &from).await? != self.collation(&other, &into).await?
        {
            let bytes = |at: &str| format!("CAST(CONVERT({at} USING utf8mb4) AS BINARY)");
            format!("{} = {}", bytes("steward_to.steward_v"), bytes(&here))
        } else {
            format!("steward_to.steward_v = {here}")
        };
        Ok(format!("NOT EXISTS (SELECT 1 FROM ({source}) steward_to WHERE {same})"))
    }

    fn must_compare(&self, from: &Column, other: &Table, into: &Column) -> Result<(), StoreFailure> {
        let texts = [from, into].iter().filter(|column| column.class == Class::Text).count();
        if texts != 1 || self.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        let text = format!(
            "`{}` of `{}` is of type `{}` and `{}` of `{}` of type `{}`: they do not compare",
            from.name,
            self.table().label(),
            from.declared,
            into.name,
            other.label(),
            into.declared
        );
        Err(StoreFailure::refused(codes::CHECK_UNFIT, text, "name two columns of the same type"))
    }

    /// A MySQL column's collation.
    async fn collation(&mut self, table: &Table, column: &Column) -> Result<String, StoreFailure> {
        let sql =
            "SELECT COLLATION_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND COLUMN_NAME = ?";
        let at = [table.schema.clone().unwrap_or_default(), table.name.clone(), column.name.clone()].map(Cell::Text);
        Ok(self.rows(sql, &at).await?.first().and_then(|row| row.first()).map(Cell::shown).unwrap_or_default())
    }
}
