//! Everything that was declared about policies, before it is held against itself.

use super::checks::check::Check;
use super::checks::read::{Kinds, check};
use super::condition;
use super::draft::Draft;
use super::entries::{HoldEntry, LifecycleEntry};
use super::expiry::Expiry;
use super::expiry_file::{self, ExpiryEntry};
use super::file::PolicyFile;
use super::hold::{Hold, HoldOrigin};
use super::policies::UnreadMinimum;
use super::section::Section;
use super::tag_draft::TagDraft;
use super::view::View;
use super::view_file;
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::place::Place;
use crate::yaml::de;
use crate::yaml::node::{At, Entry, Node, Value};
use crate::yaml::reading::Reading;

/// What files and policy tables say, side by side.
#[derive(Debug, Clone, Default)]
pub struct LoadedPolicies {
    /// Lifecycle policies of files.
    pub lifecycle: Vec<Draft>,
    /// Lifecycle policies of policy tables; a file's with the same dataset and name adds to them.
    pub lifecycle_rows: Vec<Draft>,
    /// Tags of files.
    pub tags: Vec<TagDraft>,
    /// Tags of policy tables.
    pub tag_rows: Vec<TagDraft>,
    /// Minimums of policy tables that cannot be read.
    pub unread_minimums: Vec<UnreadMinimum>,
    /// Holds.
    pub holds: Vec<At<Hold>>,
    /// When sessions end.
    pub sessions: Vec<Expiry>,
    /// When cache entries end.
    pub cache: Vec<Expiry>,
    /// What is refreshed.
    pub views: Vec<View>,
    /// What is checked.
    pub checks: Vec<Check>,
    /// Names of policies that are there and could not be read, empty where none was given; nobody is told that they do not exist.
    pub broken: Vec<String>,
    /// True when a whole file could not be read, so that no name can be called unknown.
    pub incomplete: bool,
}

impl LoadedPolicies {
    /// Adds what one policy file says; what is wrong is noted, what is sound is kept.
    pub fn add_file(&mut self, root: &Node, kinds: Kinds<'_>, reading: &mut Reading<'_>) {
        if root.value == Value::Null {
            reading.note(Diagnostic::warning(codes::SIZE, "this policy file says nothing").at(&root.place));
            return;
        }
        let Some(file) = de::read::<PolicyFile>(root, reading) else {
            self.incomplete = true;
            return;
        };
        let owner = file.owner.as_deref();
        for (section, entries) in [(Section::Sessions, &file.sessions), (Section::Cache, &file.cache)] {
            for entry in entries.iter().flatten() {
                self.add_expiry(section, entry, owner, kinds, reading);
            }
        }
        for entry in file.views.iter().flatten() {
            match entry.sound().and_then(|view| view_file::view(view, &entry.place, owner, kinds.language, reading)) {
                Some(view) => self.views.push(view),
                None => self.broken.push(entry.name.clone().unwrap_or_default()),
            }
        }
        for entry in file.checks.iter().flatten() {
            match check(&entry.0, owner, kinds, reading) {
                Some(check) => self.checks.push(check),
                None => self.broken.push(entry.0.get("name").and_then(Node::scalar).unwrap_or_default().to_owned()),
            }
        }
        for entry in file.lifecycle.iter().flatten() {
            self.add_lifecycle(entry, file.owner.as_deref(), kinds, reading);
        }
        for entry in file.classification.into_iter().flatten() {
            let Some(classification) = entry.value else { continue };
            for (key, field) in classification.fields.0 {
                let sound = !field.broken;
                if let Some(value) = field.value.filter(|_| sound) {
                    let dataset = classification.dataset.value.clone();
                    self.tags.push(TagDraft { dataset, field: key.text, said: value, place: key.place });
                }
            }
        }
        for entry in file.holds.into_iter().flatten() {
            self.add_hold(entry, file.owner.as_deref(), kinds, reading);
        }
    }

    fn add_lifecycle(&mut self, entry: &Entry<LifecycleEntry>, owner: Option<&str>, kinds: Kinds<'_>, reading: &mut Reading<'_>) {
        let notes = reading.notes.len();
        let draft = entry.sound().map(|lifecycle| {
            let language = (kinds.language)(&lifecycle.dataset.value.store);
            Draft::from_file(lifecycle, &entry.place, owner, language, reading)
        });
        match draft {
            Some(draft) if reading.notes.len() == notes => self.lifecycle.push(draft),
            _ => self.broken.push(entry.name.clone().unwrap_or_default()),
        }
    }

    fn add_expiry(
        &mut self,
        section: Section,
        entry: &Entry<ExpiryEntry>,
        owner: Option<&str>,
        kinds: Kinds<'_>,
        reading: &mut Reading<'_>,
    ) {
        let notes = reading.notes.len();
        let expiry = entry.sound().and_then(|sound| expiry_file::expiry(sound, &entry.place, owner, kinds.language, reading));
        if let Some(permanent) = entry.sound().and_then(|sound| sound.permanent.as_ref()).filter(|_| section == Section::Sessions)
        {
            reading.note(
                Diagnostic::error(codes::UNKNOWN_KEY, "`permanent` is for `cache`; a session that never ends is none")
                    .at(&permanent.place)
                    .help("move the entry to `cache`, or take `permanent` out"),
            );
        }
        let list = if section == Section::Cache { &mut self.cache } else { &mut self.sessions };
        match expiry {
            Some(expiry) if reading.notes.len() == notes => list.push(expiry),
            _ => self.broken.push(entry.name.clone().unwrap_or_default()),
        }
    }

    fn add_hold(&mut self, entry: Entry<HoldEntry>, owner: Option<&str>, kinds: Kinds<'_>, reading: &mut Reading<'_>) {
        let Some(hold) = entry.value.filter(|_| !entry.broken) else { return };
        for (what, value) in [("name", &hold.name), ("because", &hold.because)] {
            if value.value.trim().is_empty() {
                reading.note(
                    Diagnostic::error(codes::MISSING_KEY, format!("a hold needs a `{what}` that says something"))
                        .at(&value.place),
                );
            }
        }
        let language = (kinds.language)(&hold.dataset.value.store);
        let written = hold.r#where.as_ref().and_then(|written| condition::declared(written, language, reading));
        let condition = written.map(|condition| condition.value);
        let place: Place = entry.place;
        let origin = HoldOrigin::File(place);
        self.holds.push(At::new(
            Hold {
                name: hold.name.value,
                dataset: hold.dataset.value,
                r#where: condition,
                because: hold.because.value,
                owner: hold.owner.or_else(|| owner.map(str::to_owned)),
                origin,
            },
            hold.dataset.place,
        ));
    }
}
