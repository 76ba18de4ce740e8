//! Holds sessions, caches, views and checks against the stores, and names against each other.

use super::belonging::Owners;
use super::expiry::{Expiring, Expiry};
use super::family::Family;
use super::gathered::Gathered;
use super::ground::{Ground, must_hold, name_twice};
use super::quality::check::{Check, Subject};
use super::quality::given::Given;
use super::quality::shape::On;
use crate::diagnostic::item::Diagnostic;
use crate::place::Place;
use std::collections::HashMap;

/// Notes what cannot be; the entries stay, since a note refuses everything.
pub(super) fn sections(gathered: &Gathered, ground: &Ground<'_>, notes: &mut Vec<Diagnostic>) {
    let named = |expiry: &Expiry| (expiry.name.clone(), expiry.place.clone());
    once("session policies", gathered.sessions.iter().map(named), notes);
    once("cache policies", gathered.cache.iter().map(named), notes);
    once("views", gathered.views.iter().map(|view| (view.name.clone(), view.place.clone())), notes);
    once("checks", gathered.checks.iter().map(|check| (check.name.clone(), check.place.clone())), notes);
    for expiry in gathered.sessions.iter().chain(&gathered.cache) {
        match &expiry.of {
            Expiring::Rows(rows) => {
                must_hold(&rows.dataset.store, &[Family::Tables], "rows expire in tables", &expiry.place, ground, notes)
            }
            Expiring::Permanent(keys) => {
                must_hold(&keys.store, &[Family::Keys], "`keys` are of a key-value store", &expiry.place, ground, notes);
            }
            Expiring::Keys(keys) => {
                must_hold(&keys.store, &[Family::Keys], "`keys` are of a key-value store", &expiry.place, ground, notes);
                for belonging in &keys.belongs_to {
                    let (wanted, what) = match belonging.to {
                        Owners::Rows { .. } => (Family::Tables, "owners with a `field` are rows of a table"),
                        Owners::Keys { .. } => (Family::Keys, "owners that are `keys` are of a key-value store"),
                    };
                    must_hold(belonging.to.store(), &[wanted], what, &expiry.place, ground, notes);
                }
            }
        }
    }
    for view in &gathered.views {
        must_hold(&view.dataset.store, &[Family::Tables], "views are of a store with tables", &view.place, ground, notes);
    }
    for check in &gathered.checks {
        self::check(check, ground, notes);
    }
}

fn check(check: &Check, ground: &Ground<'_>, notes: &mut Vec<Diagnostic>) {
    let wanted: &[Family] = match check.shape.on {
        On::Table | On::TableStore => &[Family::Tables],
        On::TableOrLabel => &[Family::Tables, Family::Graph],
        On::KeyStore => &[Family::Keys],
        On::GraphStore => &[Family::Graph],
        On::AnyStore | On::Nothing => &[Family::Tables, Family::Keys, Family::Graph],
    };
    let what = format!("a check `{}` looks elsewhere", check.shape.key);
    for store in check.on.iter().map(Subject::store) {
        must_hold(store, wanted, &what, &check.place, ground, notes);
    }
    for given in check.given.0.values() {
        let ends = match given {
            Given::End(end) => vec![&**end],
            Given::Ends(ends) => vec![&ends.0, &ends.1],
            _ => vec![],
        };
        for end in ends {
            must_hold(
                &end.field.dataset.store,
                &[Family::Tables, Family::Keys, Family::Graph],
                &what,
                &check.place,
                ground,
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
