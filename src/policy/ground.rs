//! What declarations are held against: the stores there are.

use super::condition::Language;
use super::family::Family;
use super::lifecycle::Clock;
use crate::diagnostic::catalogue;
use crate::diagnostic::item::Diagnostic;
use crate::diagnostic::near;
use crate::place::Place;
use crate::yaml::node::At;

/// What the checks need to know beside the declarations.
#[derive(Debug, Clone)]
pub struct Ground<'a> {
    /// The stores of the configuration, and what each holds, where its URL says so.
    pub stores: Vec<(&'a str, Option<Family>)>,
    /// The language of each store's conditions.
    pub languages: Vec<(&'a str, Language)>,
    /// `policy_tables.clock`, for rows that no file gives a clock.
    pub table_clock: Option<&'a At<Clock>>,
    /// The stores of policy tables that are configured and were not read: a file may add to rows we cannot see.
    pub unread_tables: Vec<&'a str>,
}

impl Ground<'_> {
    /// The language of a store's conditions.
    pub fn language(&self, store: &str) -> Language {
        self.languages.iter().find(|(name, _)| *name == store).map_or(Language::Unknown, |(_, language)| *language)
    }

    /// What a store holds, where that is known; none for a store that nobody declared.
    pub fn family(&self, store: &str) -> Option<Option<Family>> {
        self.stores.iter().find(|(name, _)| *name == store).map(|(_, family)| *family)
    }
}

/// A store that is not in the configuration.
pub(super) fn unknown_store(store: &str, what: &str, place: &Place, ground: &Ground<'_>) -> Diagnostic {
    let message = if what.contains(' ') {
        format!("{what}, which is no store of the configuration")
    } else {
        format!("{what} is no store of the configuration")
    };
    Diagnostic::error(catalogue::UNKNOWN_STORE, message)
        .at(place)
        .help_if(near::suggestion(store, ground.stores.iter().map(|(name, _)| *name)))
}

/// One name for two entries of a section.
pub(super) fn name_twice(what: &str, name: &str, place: &Place, earlier: &Place) -> Diagnostic {
    Diagnostic::error(catalogue::NAME_TWICE, format!("two {what} are called `{name}`"))
        .at(place)
        .also(earlier, "the first is here")
        .help("give one of them a `name` of its own")
}

/// Notes a store that nobody knows, or one that holds other things.
pub fn must_hold(store: &str, wanted: &[Family], what: &str, place: &Place, ground: &Ground<'_>, notes: &mut Vec<Diagnostic>) {
    match ground.family(store) {
        None => notes.push(unknown_store(store, &format!("`{store}`"), place, ground)),
        Some(Some(family)) if !wanted.contains(&family) => {
            let message = format!("the store `{store}` holds {}, and {what}", family.holds());
            let others = ground.stores.iter().filter(|(_, other)| other.is_some_and(|other| wanted.contains(&other)));
            let names: Vec<String> = others.map(|(name, _)| format!("`{name}`")).collect();
            let help = (!names.is_empty()).then(|| format!("these would do: {}", names.join(", ")));
            notes.push(Diagnostic::error(catalogue::WRONG_FAMILY, message).at(place).help_if(help));
        }
        Some(_) => {}
    }
}
