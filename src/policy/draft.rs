//! A lifecycle policy on its way: from a file, from a row of a policy table, or merged from both.

use super::condition::{self, Language};
use super::dataset::DatasetName;
use super::entries::{ArchiveEntry, GuardEntry, LifecycleEntry};
use super::lifecycle::{Cascade, Clock, Guard, KeepAtLeast};
use super::period::Period;
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::place::Place;
use crate::yaml::node::At;
use crate::yaml::reading::Reading;

/// A lifecycle policy, not yet known to be complete; every part remembers its place.
#[derive(Debug, Clone)]
pub struct Draft {
    /// As written; the dataset when none was.
    pub name: At<String>,
    /// From the file's head.
    pub owner: Option<String>,
    /// The rows it governs.
    pub dataset: At<DatasetName>,
    /// What dates a row.
    pub clock: Option<At<Clock>>,
    /// A further condition.
    pub condition: Option<At<String>>,
    /// The `archive` step, or what a file adds to a row's.
    pub archive: Option<At<ArchiveEntry>>,
    /// The age of removal.
    pub delete: Option<At<Period>>,
    /// The promised minimum.
    pub keep: Option<At<KeepAtLeast>>,
    /// The guard.
    pub guard: Option<At<Guard>>,
    /// What happens to children.
    pub cascade: Option<At<Cascade>>,
    /// False for a row that is switched off.
    pub active: bool,
    /// Why a row of a policy table cannot be applied.
    pub unusable: Option<String>,
    /// The row first, the file that adds to it second.
    pub places: Vec<Place>,
}

impl Draft {
    /// What a file says; notes what contradicts itself.
    pub fn from_file(
        entry: &LifecycleEntry,
        place: &Place,
        owner: Option<&str>,
        language: Language,
        reading: &mut Reading<'_>,
    ) -> Self {
        let name = entry.name.clone().unwrap_or_else(|| entry.dataset.clone().map(|dataset| dataset.to_string()));
        Self {
            name,
            owner: owner.map(str::to_owned),
            dataset: entry.dataset.clone(),
            clock: entry.clock.as_ref().and_then(|clock| clock_of(clock, reading)),
            condition: entry.r#where.as_ref().and_then(|written| condition::declared(written, language, reading)),
            archive: entry.archive.clone(),
            delete: entry.delete.as_ref().map(|step| step.value.after.clone()),
            keep: entry.keep_at_least.as_ref().map(|keep| {
                At::new(
                    KeepAtLeast { period: keep.value.period.value, because: keep.value.because.clone() },
                    keep.value.period.place.clone(),
                )
            }),
            guard: entry.guard.as_ref().and_then(|guard| guard_of(guard, reading)),
            cascade: entry.cascade.clone(),
            active: true,
            unusable: None,
            places: vec![place.clone()],
        }
    }

    /// True for a row of a policy table, whether a file adds to it or not.
    pub fn is_of_table(&self) -> bool {
        matches!(self.places.first(), Some(Place::Row { .. }))
    }

    /// True when both speak of the same policy: a row and what a file adds to it.
    pub fn is_same(&self, other: &Self) -> bool {
        self.dataset.value == other.dataset.value && self.name.value == other.name.value
    }

    /// Adds to a row's policy what a file says about it; notes every contradiction with both places.
    pub fn add(&mut self, file: Self, notes: &mut Vec<Diagnostic>) {
        let row = self.places.first().cloned();
        self.clock = self.clock.take().or(file.clock);
        self.condition = self.condition.take().or(file.condition);
        self.guard = self.guard.take().or(file.guard);
        self.cascade = self.cascade.take().or(file.cascade);
        self.owner = self.owner.take().or(file.owner);
        match (&self.keep, file.keep) {
            (None, added) => self.keep = added,
            (Some(ours), Some(theirs)) if ours.value.period != theirs.value.period => {
                notes.push(contradiction("keep_at_least", &theirs.value.period, &theirs.place, &ours.value.period, &ours.place));
            }
            (Some(ours), theirs) => self.keep = theirs.or_else(|| Some(ours.clone())),
        }
        match (&self.delete, file.delete) {
            (Some(ours), Some(theirs)) if ours.value != theirs.value => {
                notes.push(contradiction("delete", &theirs.value, &theirs.place, &ours.value, &ours.place));
            }
            (None, Some(theirs)) => notes.extend(row.as_ref().map(|row| no_such_step("delete", &theirs.place, row))),
            _ => {}
        }
        if let Some(added) = file.archive {
            self.add_archive(added, row.as_ref(), notes);
        }
        self.places.extend(file.places);
    }

    fn add_archive(&mut self, added: At<ArchiveEntry>, row: Option<&Place>, notes: &mut Vec<Diagnostic>) {
        let Some(ours) = &mut self.archive else {
            notes.extend(row.map(|row| no_such_step("archive", &added.place, row)));
            return;
        };
        if let (Some(mine), Some(theirs)) = (&ours.value.after, &added.value.after)
            && mine.value != theirs.value
        {
            notes.push(contradiction("archive.after", &theirs.value, &theirs.place, &mine.value, &mine.place));
        }
        match (&ours.value.to, added.value.to) {
            (Some(mine), Some(theirs)) if mine.value != theirs.value => {
                notes.push(contradiction("archive.to", &theirs.value, &theirs.place, &mine.value, &mine.place));
            }
            (None, to) => ours.value.to = to,
            _ => {}
        }
        ours.value.create = ours.value.create.take().or(added.value.create);
    }
}

/// A file says one thing, the row another.
pub fn contradiction(
    what: &str,
    theirs: &impl ToString,
    their_place: &Place,
    ours: &impl ToString,
    our_place: &Place,
) -> Diagnostic {
    let message = format!("`{what}` is `{}` here and `{}` in the policy table", theirs.to_string(), ours.to_string());
    Diagnostic::error(codes::TABLE_CONTRADICTION, message)
        .at(their_place)
        .also(our_place, format!("the policy table says `{}`", ours.to_string()))
        .help("leave it out here, or change the row")
}

/// A file gives a row's policy a step that the row has as NULL.
fn no_such_step(step: &str, place: &Place, row: &Place) -> Diagnostic {
    Diagnostic::error(codes::TABLE_CONTRADICTION, format!("`{step}` stands here, and the policy table's row has no such step"))
        .at(place)
        .also(row, format!("the row has NULL for `{step}`"))
        .help("leave it out here, give this policy another name, or change the row")
}

/// A clock whose parts go together.
pub fn clock_of(clock: &At<Clock>, reading: &mut Reading<'_>) -> Option<At<Clock>> {
    let Clock { column, zone, unit } = &clock.value;
    if column.trim().is_empty() {
        reading.note(Diagnostic::error(codes::CLOCK_FORM, "the clock's column has no name").at(&clock.place));
        return None;
    }
    if zone.is_some() && unit.is_some() {
        let message = format!("the clock `{column}` has both a `zone` and a `unit`");
        reading.note(
            Diagnostic::error(codes::CLOCK_FORM, message)
                .at(&clock.place)
                .help("an integer is counted in UTC: leave `zone` out; a time has no `unit`"),
        );
        return None;
    }
    Some(clock.clone())
}

/// A guard that guards something.
pub fn guard_of(guard: &At<GuardEntry>, reading: &mut Reading<'_>) -> Option<At<Guard>> {
    let default = Guard::default();
    if let Some(rows) = guard.value.max_rows.as_ref().filter(|rows| rows.value == 0) {
        let diagnostic = Diagnostic::error(codes::GUARD, "`max_rows` is 0: nothing could ever be done").at(&rows.place);
        reading.note(diagnostic.help("leave the policy out of the job, or set its mode to `observe`"));
    }
    if let Some(percent) = guard.value.max_percent.as_ref().filter(|percent| !(percent.value > 0.0 && percent.value <= 100.0)) {
        let diagnostic =
            Diagnostic::error(codes::GUARD, format!("`max_percent` is {}; it is more than 0 and at most 100", percent.value));
        reading.note(diagnostic.at(&percent.place));
    }
    let max_rows = guard.value.max_rows.as_ref().map_or(default.max_rows, |rows| rows.value);
    let max_percent = guard.value.max_percent.as_ref().map_or(default.max_percent, |percent| percent.value);
    Some(At::new(Guard { max_rows, max_percent }, guard.place.clone()))
}
