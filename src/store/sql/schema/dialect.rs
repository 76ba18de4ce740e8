//! What SQL engines do in their own ways about catalogs.

use super::id_column::IdKind;
use super::relatives::Relatives;
use super::table::{Dependents, Table};
use crate::policy::lifecycle::Clock;
use crate::store::clock::ClockKind;
use crate::store::sql::session::statements::{Answer, Statements};
use crate::store::value::Cell;

/// Implemented in the folder of each engine.
pub trait SchemaDialect {
    /// An instant in UTC, written out, as a value that a clock with a zone is compared with.
    fn instant(&self, utc: &str) -> String;

    /// True for rows that have a date; see [`ClockKind::dated`].
    fn dated(&self, kind: &ClockKind, clock: &str) -> String;

    /// A table by its exact name, or `None`; what is there and cannot be governed is refused.
    fn table_of<'a>(
        &'a self,
        session: &'a mut dyn Statements,
        schema: Option<&'a str>,
        name: &'a str,
    ) -> Answer<'a, Option<Table>>;

    /// The tables of a schema, of the connection's own when none is named.
    fn tables<'a>(&'a self, session: &'a mut dyn Statements, schema: Option<&'a str>) -> Answer<'a, Vec<String>>;

    /// What hangs on a table, whether or not it can be governed; `None` when it is not there.
    fn dependents<'a>(
        &'a self,
        session: &'a mut dyn Statements,
        schema: Option<&'a str>,
        name: &'a str,
    ) -> Answer<'a, Option<Dependents>>;

    /// Which index a query uses; `None` when it reads the whole table.
    fn index_used<'a>(&'a self, session: &'a mut dyn Statements, sql: &'a str, binds: &'a [Cell]) -> Answer<'a, Option<String>>;

    /// What the values of a clock column say that it holds, where columns have no type to go by; else none, and the type decides.
    fn clock_by_values<'a>(
        &'a self,
        _session: &'a mut dyn Statements,
        _table: &'a Table,
        _clock: &'a Clock,
    ) -> Answer<'a, Option<ClockKind>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// The rights without which the catalog leaves out foreign keys, triggers or columns of these tables, as
    /// `TRIGGER on core.shop.orders`; empty when all is seen.
    fn hidden<'a>(&'a self, _session: &'a mut dyn Statements, _tables: &'a [&'a Table]) -> Answer<'a, Vec<String>> {
        Box::pin(std::future::ready(Ok(vec![])))
    }

    /// Tables that share rows with the one that the catalog keeps under this number.
    fn relatives<'a>(&'a self, _session: &'a mut dyn Statements, _oid: &'a Cell) -> Answer<'a, Relatives> {
        Box::pin(std::future::ready(Ok(Relatives::default())))
    }

    /// The question for the connection's own schema and how names come to it; a file has none.
    fn own_schema(&self) -> Option<&'static str> {
        None
    }

    /// The query for where a table or view of this exact name is, and its binds: schema, name, whether it only shows rows of others,
    /// column, its number in the catalog where it has one; a row for each column. None where no table can have such a name.
    fn locate(&self, schema: Option<&str>, table: &str) -> Option<(&'static str, Vec<Cell>)>;

    /// The query for every column of every table in the connection's own schema: schema, table, column, in their own order.
    fn all_columns(&self) -> &'static str;

    /// See [`IdKind::text`].
    fn id_text(&self, kind: IdKind, value: &str) -> String;

    /// In lower case, for text that is held against ids whose letters may be of either case.
    fn folded_id_text(&self, kind: IdKind, value: &str) -> String {
        format!("lower({})", self.id_text(kind, value))
    }

    /// A text that travelled to the store, as bytes to hold against [`Self::id_text`].
    fn bare_id(&self, _kind: IdKind, text: &str) -> String {
        text.to_owned()
    }
}
