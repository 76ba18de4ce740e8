//! What a sample may show: the one place where values of stores are masked, by tag, before they leave memory (promise 9).

use crate::action::Context;
use crate::policy::classification::{Sensitivity, Tag};
use crate::policy::dataset::DatasetName;
use crate::report::mask::{Kind, mask};
use crate::store::value::Cell;

/// What stands for a value that is not there. It tells nobody anything about anyone.
const NOTHING: &str = "NULL";

/// What a hidden value reads as.
const HIDDEN: &str = "***";

/// Masks values of one dataset: a table, a label, a pattern of keys.
///
/// Public (low) is shown as it is; medium and high show what their kind allows (`li***.com`, `138****5678`); critical, and
/// what nobody classified, is hidden. Of several tags on one field the strictest counts.
#[derive(Debug, Clone)]
pub struct Sampler {
    tags: Vec<Tag>,
    keys: Vec<String>,
}

impl Sampler {
    /// A sampler for values of this dataset.
    pub fn new(cx: &Context, dataset: &DatasetName) -> Self {
        Self { tags: cx.policies.tags_of(dataset).cloned().collect(), keys: vec![] }
    }

    /// Says which columns only name a row: their plain numbers are shown where nobody classified them, since without them
    /// nobody finds the row. A column that by its name is a telephone number is none of these.
    #[must_use]
    pub fn keyed_by<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.keys = columns.into_iter().map(Into::into).collect();
        self
    }

    /// One value of a column, masked.
    pub fn value(&self, column: &str, value: &str) -> String {
        match self.strictest(column) {
            Some((sensitivity, kind)) => mask(value, Some(sensitivity), kind),
            None if self.names_a_row(column, value) => value.to_owned(),
            None => HIDDEN.to_owned(),
        }
    }

    /// A row: `id=42 email=li***.com`.
    pub fn row<C: AsRef<str>, V: AsRef<str>>(&self, columns: &[(C, V)]) -> String {
        let parts = columns.iter().map(|(column, value)| {
            let column = column.as_ref();
            format!("{column}={}", self.value(column, value.as_ref()))
        });
        parts.collect::<Vec<_>>().join(" ")
    }

    /// A row as a store gave it, its columns in the same order.
    pub fn cells<C: AsRef<str>>(&self, columns: &[C], cells: &[Cell]) -> String {
        let parts = columns.iter().zip(cells).map(|(column, cell)| {
            let column = column.as_ref();
            format!("{column}={}", self.cell(column, cell))
        });
        parts.collect::<Vec<_>>().join(" ")
    }

    /// One value as a store gave it, masked. Bytes are hidden whatever their tag says: nobody reads them.
    pub fn cell(&self, column: &str, cell: &Cell) -> String {
        match cell {
            Cell::Null => NOTHING.to_owned(),
            Cell::Int(int) => self.value(column, &int.to_string()),
            Cell::Real(real) => self.value(column, &real.to_string()),
            Cell::Text(text) => self.value(column, text),
            Cell::Bytes(_) => HIDDEN.to_owned(),
        }
    }

    /// How much of a column may be seen; none where nobody classified it.
    fn strictest(&self, column: &str) -> Option<(Sensitivity, Kind)> {
        let tags = self.tags.iter().filter(|tag| tag.field == column);
        let told = tags.map(|tag| {
            // What must be sealed is a secret, however its owner called it.
            let sensitivity = if tag.is_secret() { tag.sensitivity.max(Sensitivity::High) } else { tag.sensitivity };
            (sensitivity, Kind::of(tag.r#type.as_deref(), column))
        });
        told.reduce(|one, other| {
            // Two that disagree about the kind show nothing: either mask could show what the other hides.
            let kind = if one.1 == other.1 { one.1 } else { Kind::Other };
            (one.0.max(other.0), kind)
        })
    }

    fn names_a_row(&self, column: &str, value: &str) -> bool {
        let plain = !value.is_empty() && value.len() <= 19 && value.bytes().all(|byte| byte.is_ascii_digit());
        plain && self.keys.iter().any(|key| key == column) && Kind::of(None, column) == Kind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Place;

    fn tag(field: &str, r#type: Option<&str>, sensitivity: Sensitivity, encrypt: bool) -> Tag {
        Tag {
            dataset: "core.users".parse().unwrap(),
            field: field.into(),
            r#type: r#type.map(Into::into),
            sensitivity,
            protect: None,
            sealed_in: None,
            retention: None,
            encrypt,
            restrict: false,
            audit: false,
            place: Place::File { file: "p.yaml".into(), line: 1, column: 1 },
        }
    }

    fn sampler(tags: Vec<Tag>) -> Sampler {
        Sampler { tags, keys: vec![] }.keyed_by(["id", "mobile"])
    }

    #[test]
    fn a_value_shows_what_its_tag_allows() {
        use Sensitivity::{Critical, High, Low, Medium};
        let sampler = sampler(vec![
            tag("email", Some("PII"), High, true),
            tag("phone", None, High, false),
            tag("city", None, Low, false),
            tag("token", None, Critical, false),
            tag("nick", None, Low, true),
            tag("first_name", None, Medium, false),
        ]);
        let row = [
            ("email", "lisa@example.com"),
            ("phone", "13812345678"),
            ("city", "Shanghai"),
            ("token", "canary-1"),
            ("nick", "canary-2"),
            ("first_name", "Alice"),
            ("note", "canary-3"),
        ];
        assert_eq!(
            sampler.row(&row),
            "email=li***.com phone=138****5678 city=Shanghai token=*** nick=*** first_name=A*** note=***"
        );
    }

    #[test]
    fn a_plain_number_of_a_key_is_shown_and_nothing_else_of_it() {
        let shown = |column: &str, value: &str| sampler(vec![]).value(column, value);
        assert_eq!(shown("id", "42"), "42");
        for (column, value) in [("id", "li@example.com"), ("id", ""), ("id", "-1"), ("mobile", "13812345678"), ("other", "42")] {
            assert_eq!(shown(column, value), "***", "{column}={value}");
        }
        assert_eq!(sampler(vec![tag("id", None, Sensitivity::High, false)]).value("id", "42"), "***");
    }

    #[test]
    fn of_two_tags_on_one_field_the_strictest_counts() {
        let low = || tag("email", Some("email"), Sensitivity::Low, false);
        let high = tag("email", Some("email"), Sensitivity::High, false);
        assert_eq!(sampler(vec![low(), high]).value("email", "lisa@example.com"), "li***.com");
        let phone = tag("email", Some("phone"), Sensitivity::High, false);
        assert_eq!(sampler(vec![low(), phone]).value("email", "lisa@example.com"), "***");
    }

    #[test]
    fn a_row_as_a_store_gave_it_is_masked_the_same_way() {
        let sampler = sampler(vec![tag("email", None, Sensitivity::High, false), tag("raw", None, Sensitivity::Low, false)]);
        let cells = [Cell::Int(7), Cell::Text("lisa@example.com".into()), Cell::Null, Cell::Bytes(b"canary".to_vec())];
        assert_eq!(sampler.cells(&["id", "email", "note", "raw"], &cells), "id=7 email=li***.com note=NULL raw=***");
    }
}
