//! What declarations are held against: the stores there are.

use super::condition::Language;
use super::data_model::DataModel;
use super::dataset::DatasetName;
use super::lifecycle::Clock;
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::diagnostic::suggest;
use crate::place::Place;
use crate::yaml::node::At;

/// What the checks need to know beside the declarations.
#[derive(Debug, Clone)]
pub struct KnownStores<'a> {
    /// The stores of the configuration, and what each holds, where its URL says so.
    pub stores: Vec<(&'a str, Option<DataModel>)>,
    /// The language of each store's conditions.
    pub languages: Vec<(&'a str, Language)>,
    /// `policy_tables.clock`, for rows that no file gives a clock.
    pub table_clock: Option<&'a At<Clock>>,
    /// The stores of policy tables that are configured and were not read: a file may add to rows we cannot see.
    pub unread_tables: Vec<&'a str>,
}

impl KnownStores<'_> {
    /// The language of a store's conditions.
    pub fn language(&self, store: &str) -> Language {
        self.languages.iter().find(|(name, _)| *name == store).map_or(Language::Unknown, |(_, language)| *language)
    }

    /// What a store holds, where that is known; none for a store that nobody declared.
    pub fn data_model(&self, store: &str) -> Option<Option<DataModel>> {
        self.stores.iter().find(|(name, _)| *name == store).map(|(_, data_model)| *data_model)
    }
}

/// A store that is not in the configuration.
pub(super) fn unknown_store(
    store: &str,
    dataset: Option<&DatasetName>,
    place: &Place,
    known_stores: &KnownStores<'_>,
) -> Diagnostic {
    let named_in = dataset.map_or_else(String::new, |dataset| format!(" in `{dataset}`"));
    let message = format!("unknown store `{store}`{named_in}");
    Diagnostic::error(codes::UNKNOWN_STORE, message)
        .at(place)
        .help_if(suggest::suggestion(store, known_stores.stores.iter().map(|(name, _)| *name)))
}

/// One name for two entries of a section.
pub(super) fn name_twice(what: &str, name: &str, place: &Place, earlier: &Place) -> Diagnostic {
    Diagnostic::error(codes::NAME_TWICE, format!("two {what} are called `{name}`"))
        .at(place)
        .also(earlier, "the first is here")
        .help("give one of them a `name` of its own")
}

/// Notes a store that nobody knows, or one that holds other things.
pub fn must_hold(
    store: &str,
    wanted: &[DataModel],
    what: &str,
    place: &Place,
    known_stores: &KnownStores<'_>,
    notes: &mut Vec<Diagnostic>,
) {
    match known_stores.data_model(store) {
        None => notes.push(unknown_store(store, None, place, known_stores)),
        Some(Some(data_model)) if !wanted.contains(&data_model) => {
            let message = format!("the store `{store}` holds {}, and {what}", data_model.holds());
            let others = known_stores.stores.iter().filter(|(_, other)| other.is_some_and(|other| wanted.contains(&other)));
            let names: Vec<String> = others.map(|(name, _)| format!("`{name}`")).collect();
            let help = (!names.is_empty()).then(|| format!("these would do: {}", names.join(", ")));
            notes.push(Diagnostic::error(codes::WRONG_FAMILY, message).at(place).help_if(help));
        }
        Some(_) => {}
    }
}
