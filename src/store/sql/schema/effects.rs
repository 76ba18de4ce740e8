//! What happens beside a removal: rows of other tables that go or change along, and triggers that fire on the way.

use super::catalog;
use super::table::Table;
use super::trigger::{Event, Trigger};
use crate::policy::dataset::DatasetName;
use crate::store::error::StoreFailure;
use crate::store::foreign_key::{Child, OnDelete};
use crate::store::sql::session::connection::Session;

/// What happens beside the removal of a table's rows, by the catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// Every table whose rows go or change along, by foreign keys, at any depth.
    pub along: Vec<DatasetName>,
    /// Of those, the ones whose rows go.
    pub removed: Vec<DatasetName>,
    /// A foreign key by which the chain leads back to the table itself, as `constraint` of `table`.
    pub returns_by: Option<(String, String)>,
    /// Triggers that may fire during a batch, each with its table: what they do is not known.
    pub fires: Vec<String>,
}

impl Effects {
    /// Adds the triggers of a table that fire on this.
    pub fn add_triggers<'t>(&mut self, triggers: impl IntoIterator<Item = &'t Trigger>, event: Event, label: &str) {
        let fires = triggers.into_iter().filter(|trigger| trigger.fires_on(event));
        self.fires
            .extend(fires.map(|trigger| format!("`{}` of `{}`", trigger.name, trigger.partition.as_deref().unwrap_or(label))));
    }
}

/// Follows the foreign keys that remove or blank rows, from a table down. Reads only.
///
/// A partition, or the table that it is a partition of, holds the same rows as the table: a chain that reaches one returns.
pub async fn of_removal(session: &mut Session, table: &Table) -> Result<Effects, StoreFailure> {
    let mut effects = Effects::default();
    effects.add_triggers(&table.dependents.triggers, Event::Delete, &table.label());
    let mut pending = table.dependents.children.clone();
    let mut visited: Vec<(DatasetName, OnDelete)> = vec![];
    while let Some(child) = pending.pop() {
        if child.on_delete == OnDelete::Refuse {
            continue;
        }
        if is_same(table, &child) {
            effects.returns_by.get_or_insert((child.constraint, child.table));
            continue;
        }
        let name = DatasetName { store: table.store.clone(), schema: child.schema, table: child.table };
        let visit = (name.clone(), child.on_delete);
        if visited.contains(&visit) {
            continue;
        }
        visited.push(visit);
        if let Some(found) = catalog::dependents(session, &name).await? {
            let event = if child.on_delete == OnDelete::Cascade { Event::Delete } else { Event::Update };
            effects.add_triggers(&found.triggers, event, &name.to_string());
            if child.on_delete == OnDelete::Cascade {
                pending.extend(found.children);
            }
        }
        if child.on_delete == OnDelete::Cascade && !effects.removed.contains(&name) {
            effects.removed.push(name.clone());
        }
        if !effects.along.contains(&name) {
            effects.along.push(name);
        }
    }
    Ok(effects)
}

pub(crate) fn is_same(table: &Table, child: &Child) -> bool {
    // SQLite's names are the same in either letter case.
    let own = match &table.schema {
        None => child.table.eq_ignore_ascii_case(&table.name),
        schema => child.schema == *schema && child.table == table.name,
    };
    own || table.dependents.relatives.include(child.schema.as_deref(), &child.table)
}
