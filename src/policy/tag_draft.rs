//! The classification of one field on its way: from a file, from a row of a policy table, or merged from both.

use super::classification::Tag;
use super::dataset::DatasetName;
use super::draft::contradiction;
use super::entries::FieldEntry;
use super::period::Period;
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::place::Place;
use crate::yaml::node::At;

/// A classification, not yet known to be complete.
#[derive(Debug, Clone)]
pub struct TagDraft {
    /// The dataset the field belongs to.
    pub dataset: DatasetName,
    /// The field.
    pub field: String,
    /// What is said of it.
    pub said: FieldEntry,
    /// Where it was declared; of a merged one, the row.
    pub place: Place,
}

impl TagDraft {
    /// True when both speak of the same field.
    pub fn is_same(&self, other: &Self) -> bool {
        self.dataset == other.dataset && self.field == other.field
    }

    /// Adds to a row's tag what a file says about it; notes every contradiction with both places. Where they contradict each other
    /// the stricter counts.
    pub fn add(&mut self, file: Self, notes: &mut Vec<Diagnostic>) {
        let (row, file) = (&mut self.said, file.said);
        add("type", &mut row.r#type, file.r#type, Clone::clone, |_, _| false, notes);
        add("sensitivity", &mut row.sensitivity, file.sensitivity, serde_word, |file, row| file > row, notes);
        add("protect", &mut row.protect, file.protect, serde_word, |_, _| false, notes);
        add("sealed_in", &mut row.sealed_in, file.sealed_in, Clone::clone, |_, _| false, notes);
        let longer = |file: &Period, row: &Period| file.duration() > row.duration();
        add("retention", &mut row.retention, file.retention, ToString::to_string, longer, notes);
        for (what, row, file) in [
            ("encrypt", &mut row.encrypt, file.encrypt),
            ("restrict", &mut row.restrict, file.restrict),
            ("audit", &mut row.audit, file.audit),
        ] {
            add(what, row, file, ToString::to_string, |file, _| *file, notes);
        }
    }

    /// The effective tag, and the place of its retention; none, with a note, when its sensitivity is missing.
    pub fn finish(self, notes: &mut Vec<Diagnostic>) -> Option<(Tag, Option<At<Period>>)> {
        let Some(sensitivity) = self.said.sensitivity else {
            let message = format!("the field `{}` of `{}` has no `sensitivity`", self.field, self.dataset);
            notes.push(
                Diagnostic::error(codes::MISSING_KEY, message)
                    .at(&self.place)
                    .help("write `low`, `medium`, `high` or `critical`"),
            );
            return None;
        };
        if let Some(sealed_in) = self.said.sealed_in.as_ref().filter(|column| column.value == self.field) {
            let message = format!("`{}` would be sealed into itself", self.field);
            notes.push(
                Diagnostic::error(codes::SEALED_IN_ITSELF, message)
                    .at(&sealed_in.place)
                    .help("name the column that holds the sealed value"),
            );
        }
        let said = |value: Option<At<bool>>| value.is_some_and(|value| value.value);
        let tag = Tag {
            dataset: self.dataset,
            field: self.field,
            r#type: self.said.r#type.map(|value| value.value),
            sensitivity: sensitivity.value,
            protect: self.said.protect.map(|value| value.value),
            sealed_in: self.said.sealed_in.map(|value| value.value),
            retention: self.said.retention.as_ref().map(|value| value.value),
            encrypt: said(self.said.encrypt),
            restrict: said(self.said.restrict),
            audit: said(self.said.audit),
            place: self.place,
        };
        Some((tag, self.said.retention))
    }
}

fn add<T: PartialEq>(
    what: &str,
    ours: &mut Option<At<T>>,
    theirs: Option<At<T>>,
    shown: impl Fn(&T) -> String,
    is_stricter: impl Fn(&T, &T) -> bool,
    notes: &mut Vec<Diagnostic>,
) {
    match (&ours, theirs) {
        (Some(mine), Some(other)) if mine.value != other.value => {
            notes.push(contradiction(what, &shown(&other.value), &other.place, &shown(&mine.value), &mine.place));
            if is_stricter(&other.value, &mine.value) {
                *ours = Some(other);
            }
        }
        (None, other) => *ours = other,
        _ => {}
    }
}

/// A value as people write it.
fn serde_word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
