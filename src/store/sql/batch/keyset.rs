//! What stands behind a place of a walk along some columns, in the form that every engine's planner follows.

use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::table::Column;
use crate::store::value::Cell;

/// A walk along these columns of a table, in their order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keyset<'w> {
    pub(crate) dialect: Dialect,
    /// The table, quoted.
    pub(crate) path: &'w str,
    pub(crate) columns: &'w [&'w Column],
}

impl Keyset<'_> {
    /// True for rows strictly behind a place: `a >= ? AND (a > ? OR (b >= ? AND (b > ? OR (c > ?))))`.
    pub(crate) fn behind(&self, place: &[Cell], binds: &mut Vec<Cell>) -> String {
        self.along(self.columns, place, binds)
    }

    /// A place that lacks columns says nothing of these: a row is met again rather than missed.
    fn along(&self, columns: &[&Column], place: &[Cell], binds: &mut Vec<Cell>) -> String {
        let [column, rest @ ..] = columns else { return "(1 = 0)".into() };
        let [cell, others @ ..] = place else { return "(1 = 1)".into() };
        let name = format!("{}.{}", self.path, self.dialect.quote(&column.name));
        let mut value = || {
            binds.push(cell.clone());
            self.dialect.incoming(&self.dialect.bind(binds.len()), column)
        };
        if rest.is_empty() {
            return format!("{name} > {}", value());
        }
        let (here, past) = (value(), value());
        format!("{name} >= {here} AND ({name} > {past} OR ({}))", self.along(rest, others, binds))
    }
}
