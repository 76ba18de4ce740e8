//! Holds sessions, caches, views and checks against the stores, and names against each other.

use super::checks::check::{Check, Subject};
use super::checks::params::Param;
use super::checks::spec::On;
use super::data_model::DataModel;
use super::expiry::{Expiring, Expiry};
use super::known_stores::{KnownStores, must_hold, name_twice};
use super::loaded::LoadedPolicies;
use super::owner::Owners;
use crate::diagnostic::message::Diagnostic;
use crate::place::Place;
use std::collections::HashMap;

/// Notes what cannot be; the entries stay, since a note refuses everything.
pub(super) fn sections(loaded: &LoadedPolicies, known_stores: &KnownStores<'_>, notes: &mut Vec<Diagnostic>) {
    let named = |expiry: &Expiry| (expiry.name.clone(), expiry.place.clone());
    once("session policies", loaded.sessions.iter().map(named), notes);
    once("cache policies", loaded.cache.iter().map(named), notes);
    once("views", loaded.views.iter().map(|view| (view.name.clone(), view.place.clone())), notes);
    once("checks", loaded.checks.iter().map(|check| (check.name.clone(), check.place.clone())), notes);
    for expiry in loaded.sessions.iter().chain(&loaded.cache) {
        match &expiry.of {
            Expiring::Rows(rows) => {
                must_hold(&rows.dataset.store, &[DataModel::Tables], "rows expire in tables", &expiry.place, known_stores, notes)
            }
            Expiring::Permanent(keys) => {
                must_hold(&keys.store, &[DataModel::Keys], "`keys` are of a key-value store", &expiry.place, known_stores, notes);
            }
            Expiring::Keys(keys) => {
                must_hold(&keys.store, &[DataModel::Keys], "`keys` are of a key-value store", &expiry.place, known_stores, notes);
                for belonging in &keys.belongs_to {
                    let (wanted, what) = match belonging.to {
                        Owners::Rows { .. } => (DataModel::Tables, "owners with a `field` are rows of a table"),
                        Owners::Keys { .. } => (DataModel::Keys, "owners that are `keys` are of a key-value store"),
                    };
                    must_hold(belonging.to.store(), &[wanted], what, &expiry.place, known_stores, notes);
                }
            }
        }
    }
    for view in &loaded.views {
        must_hold(
            &view.dataset.store,
            &[DataModel::Tables],
            "views are of a store with tables",
            &view.place,
            known_stores,
            notes,
        );
    }
    for check in &loaded.checks {
        self::check(check, known_stores, notes);
    }
}

fn check(check: &Check, known_stores: &KnownStores<'_>, notes: &mut Vec<Diagnostic>) {
    let wanted: &[DataModel] = match check.shape.on {
        On::Table | On::TableStore => &[DataModel::Tables],
        On::TableOrLabel => &[DataModel::Tables, DataModel::Graph],
        On::KeyStore => &[DataModel::Keys],
        On::GraphStore => &[DataModel::Graph],
        On::AnyStore | On::Nothing => &[DataModel::Tables, DataModel::Keys, DataModel::Graph],
    };
    let what = format!("a check `{}` looks elsewhere", check.shape.key);
    for store in check.on.iter().map(Subject::store) {
        must_hold(store, wanted, &what, &check.place, known_stores, notes);
    }
    for given in check.params.0.values() {
        let ends = match given {
            Param::ReferenceEnd(end) => vec![&**end],
            Param::Ends(ends) => vec![&ends.0, &ends.1],
            _ => vec![],
        };
        for end in ends {
            must_hold(
                &end.field.dataset.store,
                &[DataModel::Tables, DataModel::Keys, DataModel::Graph],
                &what,
                &check.place,
                known_stores,
                notes,
            );
        }
    }
}

fn once(what: &str, named: impl Iterator<Item = (String, Place)>, notes: &mut Vec<Diagnostic>) {
    let mut first: HashMap<String, Place> = HashMap::new();
    for (name, place) in named {
        match first.get(&name) {
            Some(earlier) => notes.push(name_twice(what, &name, &place, earlier)),
            None => {
                first.insert(name, place);
            }
        }
    }
}
