//! Policies kept in a database: rows of `data_lifecycle_policies` and `data_classification_tags` into drafts.
//!
//! What a row says is data and never SQL: a table name with quotes or semicolons is one name, and stays one.

use super::classification::{Protection, Sensitivity};
use super::dataset::DatasetName;
use super::draft::Draft;
use super::entries::{ArchiveEntry, FieldEntry};
use super::lifecycle::KeepAtLeast;
use super::period::Period;
use super::policies::UnreadMinimum;
use super::tag_draft::TagDraft;
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use crate::diagnostic::suggest;
use crate::place::Place;
use crate::yaml::node::At;

/// A row of the lifecycle table. Periods are days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleRow {
    /// The primary key, as text.
    pub row: String,
    /// `table` or `schema.table`.
    pub table_name: String,
    /// The policy's name.
    pub policy_name: String,
    /// A minimum before final removal.
    pub retention_period: Option<i64>,
    /// The age of archiving.
    pub archive_period: Option<i64>,
    /// The age of removal.
    pub deletion_period: Option<i64>,
    /// Where archived rows go.
    pub archive_location: Option<String>,
    /// False: listed, never applied.
    pub is_active: bool,
}

/// A row of the classification table. `retention_period` is days; 0 or NULL means none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRow {
    /// The primary key, as text.
    pub row: String,
    /// `table` or `schema.table`.
    pub table_name: String,
    /// The field.
    pub field_name: String,
    /// `low`, `medium`, `high`, `critical`.
    pub sensitivity_level: String,
    /// What kind of data it is.
    pub data_type: Option<String>,
    /// `aes256_encryption` and the like.
    pub protection_method: Option<String>,
    /// A minimum before final removal.
    pub retention_period: Option<i64>,
    /// The field must be sealed.
    pub encryption_required: bool,
    /// Reading it needs a right of its own.
    pub access_control_required: bool,
    /// Reading it is logged.
    pub audit_required: bool,
}

/// Where rows come from, and what they are read with.
#[derive(Debug, Clone)]
pub struct Origin<'a> {
    /// The policy table itself; its store is the store of every dataset in it.
    pub table: &'a DatasetName,
    /// The stores there are.
    pub stores: &'a [&'a str],
    /// What methods of protection mean that have names of their own: `policy_tables.protection_methods`.
    pub methods: &'a [(String, Protection)],
}

/// A period that is no whole number of days, as it is handed over.
pub const NO_NUMBER: i64 = i64::MIN;

impl Origin<'_> {
    fn place(&self, row: &str, column: Option<&str>) -> Place {
        let name = match &self.table.schema {
            Some(schema) => format!("{schema}.{}", self.table.table),
            None => self.table.table.clone(),
        };
        Place::Row {
            store: self.table.store.as_str().into(),
            table: name.into(),
            row: row.to_owned(),
            column: column.map(str::to_owned),
        }
    }

    fn at<T>(&self, value: T, row: &str, column: &str) -> At<T> {
        At::new(value, self.place(row, Some(column)))
    }

    /// `table` or `schema.table`, quoted as datasets are; what cannot be read so is one name as it stands.
    fn dataset(&self, text: &str) -> DatasetName {
        let store = self.table.store.clone();
        match format!("store.{text}").parse::<DatasetName>() {
            Ok(DatasetName { schema, table, .. }) => DatasetName { store, schema, table },
            Err(_) => DatasetName { store, schema: None, table: text.to_owned() },
        }
    }

    /// A period in whole days greater than zero.
    fn period(&self, days: Option<i64>, row: &str, column: &str, notes: &mut Vec<Diagnostic>) -> Option<At<Period>> {
        let days = days?;
        match u32::try_from(days).ok().filter(|days| *days > 0) {
            Some(days) => Some(self.at(Period::days(days), row, column)),
            None => {
                let is = if days == NO_NUMBER { "no whole number".to_owned() } else { days.to_string() };
                let message = format!("`{column}` is {is}; it is a number of days greater than zero, or NULL");
                let help = "set it to NULL if there is no such step, and `is_active` to 0 if the policy must not be applied";
                notes.push(Diagnostic::warning(codes::TABLE_VALUE, message).at(&self.place(row, Some(column))).help(help));
                None
            }
        }
    }

    /// What a row of the lifecycle table declares. What is wrong with it is noted as a warning, and makes the policy unusable: it stops
    /// no other. Of a row that is switched off nothing is noted. A minimum that cannot be read is given with it.
    pub fn lifecycle(&self, row: &LifecycleRow, notes: &mut Vec<Diagnostic>) -> Option<(Draft, Option<UnreadMinimum>)> {
        let mut own = vec![];
        let id = row.row.as_str();
        if row.table_name.trim().is_empty() {
            let diagnostic = Diagnostic::warning(codes::TABLE_VALUE, "`table_name` is empty: this row governs nothing");
            notes.push(diagnostic.at(&self.place(id, Some("table_name"))));
            return None;
        }
        let dataset = self.dataset(&row.table_name);
        let keep = self.period(row.retention_period, id, "retention_period", &mut own);
        let unread = own.first().filter(|_| row.is_active).map(|note| UnreadMinimum {
            dataset: dataset.clone(),
            why: note.message.clone(),
            place: self.place(id, Some("retention_period")),
        });
        let to = row
            .archive_location
            .as_deref()
            .map(str::trim)
            .filter(|location| !location.is_empty())
            .and_then(|location| self.location(location, id, &mut own));
        // A step that is meant and cannot be read is a step that refuses, and not one that is not there.
        let mut step = |days: Option<i64>, column| {
            let period = self.period(days, id, column, &mut own);
            days.map(|_| period.unwrap_or_else(|| self.at(Period::days(u32::MAX), id, column)))
        };
        let (archive, delete) = (step(row.archive_period, "archive_period"), step(row.deletion_period, "deletion_period"));
        if row.policy_name.trim().is_empty() {
            let diagnostic = Diagnostic::warning(codes::TABLE_VALUE, "`policy_name` is empty");
            own.push(diagnostic.at(&self.place(id, Some("policy_name"))));
        }
        let draft = Draft {
            name: self.at(row.policy_name.clone(), id, "policy_name"),
            owner: None,
            dataset: self.at(dataset, id, "table_name"),
            clock: None,
            condition: None,
            archive: archive.map(|after| {
                let place = after.place.clone();
                At::new(ArchiveEntry { after: Some(after), to, create: None }, place)
            }),
            delete,
            keep: keep.map(|period| period.map(|period| KeepAtLeast { period, because: "the policy table".to_owned() })),
            guard: None,
            cascade: None,
            active: row.is_active,
            unusable: own.first().map(|note| note.message.clone()),
            places: vec![self.place(id, None)],
        };
        if row.is_active {
            notes.append(&mut own);
        }
        Some((draft, unread))
    }

    /// A table in the row's own store: `table`, `schema.table`, or either behind the store's own name.
    fn location(&self, text: &str, row: &str, notes: &mut Vec<Diagnostic>) -> Option<At<DatasetName>> {
        let place = self.place(row, Some("archive_location"));
        if let Some((scheme, _)) = text.split_once("://") {
            let message =
                format!("the archive location `{scheme}://…` is not built yet; rows are archived into a table of the same store");
            let diagnostic = Diagnostic::warning(codes::ARCHIVE_LOCATION, message).at(&place);
            notes.push(diagnostic.help("name a table: `table` or `schema.table`"));
            return None;
        }
        let Ok(full) = text.parse::<DatasetName>() else { return Some(At::new(self.dataset(text), place)) };
        if full.store == self.table.store || self.stores.contains(&full.store.as_str()) && full.schema.is_some() {
            return Some(At::new(full, place));
        }
        if full.schema.is_some() {
            let message = format!("the archive location `{text}` begins with `{}`, which is no store", full.store);
            let diagnostic = Diagnostic::warning(codes::ARCHIVE_LOCATION, message).at(&place);
            notes.push(diagnostic.help_if(suggest::suggestion(&full.store, self.stores.iter().copied())));
            return None;
        }
        Some(At::new(self.dataset(text), place))
    }

    /// What a row of the classification table declares. What is wrong with it is noted as a warning; the field then counts as critical and
    /// unprotected, and a minimum that cannot be read is given with it.
    pub fn tag(&self, row: &TagRow, notes: &mut Vec<Diagnostic>) -> Option<(TagDraft, Option<UnreadMinimum>)> {
        let id = row.row.as_str();
        for (what, value) in [("table_name", &row.table_name), ("field_name", &row.field_name)] {
            if value.trim().is_empty() {
                let diagnostic =
                    Diagnostic::warning(codes::TABLE_VALUE, format!("`{what}` is empty: this row classifies nothing"));
                notes.push(diagnostic.at(&self.place(id, Some(what))));
                return None;
            }
        }
        let dataset = self.dataset(&row.table_name);
        let mut unreadable = vec![];
        let retention = match row.retention_period {
            None => None,
            Some(0) => Some(self.at(Period::days(0), id, "retention_period")),
            days => self.period(days, id, "retention_period", &mut unreadable),
        };
        let unread = unreadable.first().map(|note| UnreadMinimum {
            dataset: dataset.clone(),
            why: note.message.clone(),
            place: self.place(id, Some("retention_period")),
        });
        notes.append(&mut unreadable);
        let tag = TagDraft {
            dataset,
            field: row.field_name.clone(),
            said: FieldEntry {
                r#type: row.data_type.clone().map(|kind| self.at(kind, id, "data_type")),
                sensitivity: Some(self.sensitivity(row, notes)),
                protect: row.protection_method.as_deref().and_then(|method| self.protection(method, id, notes)),
                sealed_in: None,
                retention,
                encrypt: Some(self.at(row.encryption_required, id, "encryption_required")),
                restrict: Some(self.at(row.access_control_required, id, "access_control_required")),
                audit: Some(self.at(row.audit_required, id, "audit_required")),
            },
            place: self.place(id, None),
        };
        Some((tag, unread))
    }

    fn sensitivity(&self, row: &TagRow, notes: &mut Vec<Diagnostic>) -> At<Sensitivity> {
        let known = match row.sensitivity_level.as_str() {
            "low" => Sensitivity::Low,
            "medium" => Sensitivity::Medium,
            "high" => Sensitivity::High,
            "critical" => Sensitivity::Critical,
            other => {
                let message = format!("the sensitivity `{other}` is not known; the field counts as `critical`");
                let help = suggest::suggestion(other, ["low", "medium", "high", "critical"]);
                let place = self.place(&row.row, Some("sensitivity_level"));
                notes.push(Diagnostic::warning(codes::TABLE_VALUE, message).at(&place).help_if(help));
                Sensitivity::Critical
            }
        };
        self.at(known, &row.row, "sensitivity_level")
    }

    fn protection(&self, method: &str, row: &str, notes: &mut Vec<Diagnostic>) -> Option<At<Protection>> {
        let known = match method {
            "aes256_encryption" | "aes256" => Protection::Aes256,
            "bcrypt_encryption" | "already hashed" => Protection::AlreadyHashed,
            "jwt_encryption" | "signed token" => Protection::SignedToken,
            "access_control" => Protection::AccessControl,
            "none" => Protection::None,
            other => match self.methods.iter().find(|(word, _)| word == other) {
                Some((_, known)) => *known,
                None => {
                    notes.push(self.unknown_method(other, row));
                    return None;
                }
            },
        };
        Some(self.at(known, row, "protection_method"))
    }

    fn unknown_method(&self, method: &str, row: &str) -> Diagnostic {
        let words = ["aes256_encryption", "bcrypt_encryption", "jwt_encryption", "access_control", "none"];
        let message = format!("the protection method `{method}` is not known; the field counts as not protected");
        let diagnostic = Diagnostic::warning(codes::PROTECTION_UNKNOWN, message).at(&self.place(row, Some("protection_method")));
        diagnostic
            .help_if(suggest::suggestion(method, words))
            .help(format!("say what it means: `policy_tables: {{ protection_methods: {{ {method}: access_control }} }}`"))
    }
}
