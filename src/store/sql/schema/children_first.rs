//! In which order the datasets of one job are worked on: what refers to other rows goes before them.

use super::catalog;
use super::table::Table;
use crate::policy::dataset::DatasetName;
use crate::store::error::StoreFailure;
use crate::store::sql::session::store::Store;

/// The order of datasets in one store.
#[derive(Debug, Default)]
pub struct Order {
    /// The places of the datasets, as they are to be worked on.
    pub places: Vec<usize>,
    /// Of those, the ones whose foreign keys go in a circle: they keep the order that they came in.
    pub circle: Vec<usize>,
}

/// The order in which each dataset comes after those whose foreign keys refer to it; else the one they came in. Reads only.
///
/// A table that is not there, or may not be looked at, refers to nothing here: it says so itself when its turn comes.
///
/// # Errors
/// The store is away.
pub async fn children_first(store: &Store, who: &str, datasets: &[&DatasetName]) -> Result<Order, StoreFailure> {
    if datasets.len() < 2 {
        return Ok(Order { places: (0..datasets.len()).collect(), ..Order::default() });
    }
    let mut session = store.reading(who).await?;
    let mut tables = vec![];
    for dataset in datasets {
        tables.push(match catalog::find(&mut session, dataset).await {
            Ok(table) => table,
            Err(failure) if failure.is_temporary() => return Err(failure),
            Err(_) => None,
        });
    }
    Ok(order(&tables))
}

fn order(tables: &[Option<Table>]) -> Order {
    let mut order = Order::default();
    let mut waiting: Vec<usize> = (0..tables.len()).collect();
    while let Some(first) = waiting.first().copied() {
        let is_free = |at: &usize| !waiting.iter().any(|other| refers(tables[*other].as_ref(), tables[*at].as_ref()));
        let next = waiting.iter().copied().find(is_free).unwrap_or_else(|| {
            order.circle.push(first);
            first
        });
        order.places.push(next);
        waiting.retain(|at| *at != next);
    }
    order
}

/// True where a foreign key of one table, or of one that shares its rows, points at the other.
fn refers(child: Option<&Table>, parent: Option<&Table>) -> bool {
    let (Some(child), Some(parent)) = (child, parent) else { return false };
    let is = |schema: Option<&str>, name: &str, table: &Table| match &table.schema {
        // SQLite's names are the same in either letter case.
        None => name.eq_ignore_ascii_case(&table.name),
        own => schema == own.as_deref() && name == table.name || table.dependents.relatives.include(schema, name),
    };
    let is_own = is(child.schema.as_deref(), &child.name, parent);
    !is_own && parent.dependents.children.iter().any(|key| is(key.schema.as_deref(), &key.table, child))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::foreign_key::{Child, OnDelete};
    use crate::store::sql::schema::table::Dependents;

    fn table(name: &str, referred_by: &[&str]) -> Option<Table> {
        let child = |table: &&str| Child {
            schema: None,
            table: (*table).to_owned(),
            constraint: "fk".into(),
            columns: vec![],
            parent_columns: vec![],
            on_delete: OnDelete::Refuse,
        };
        Some(Table {
            store: "core".into(),
            schema: None,
            name: name.into(),
            columns: vec![],
            unique: vec![],
            indexes: vec![],
            prefix_keys: vec![],
            unlogged: false,
            dependents: Dependents { children: referred_by.iter().map(child).collect(), ..Dependents::default() },
            estimate: None,
        })
    }

    #[test]
    fn what_refers_to_rows_goes_before_them_and_the_rest_keeps_its_order() {
        let tables = [table("a", &["c"]), None, table("b", &[]), table("c", &["c", "d"]), table("D", &[])];
        let order = order(&tables);
        assert_eq!((order.places, order.circle), (vec![1, 2, 4, 3, 0], vec![]));
    }

    #[test]
    fn a_circle_keeps_its_order_and_is_told() {
        let tables = [table("a", &["b"]), table("b", &["a"]), table("c", &["d"]), table("d", &[])];
        let order = order(&tables);
        assert_eq!((order.places, order.circle), (vec![3, 2, 0, 1], vec![0]));
    }
}
