//! Policies kept in a database: rows of `data_lifecycle_policies` and `data_classification_tags` into drafts.
//!
//! What a row says is data and never SQL: a table name with quotes or semicolons is one name, and stays one.

use super::classification::{Protection, Sensitivity};
use super::dataset::DatasetName;
use super::draft::{ArchiveDraft, Draft};
use super::lifecycle::KeepAtLeast;
use super::period::Period;
use super::tag_draft::TagDraft;
use crate::diagnostic::catalogue;
use crate::diagnostic::item::Diagnostic;
use crate::diagnostic::near;
use crate::place::Place;
use crate::yaml::node::At;

/// A row of the lifecycle table, as the source documents give it. Periods are days.
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
}

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
                let message = format!("`{column}` is {days}; it is a number of days greater than zero, or NULL");
                let help = "set it to NULL if there is no such step, and `is_active` to 0 if the policy must not be applied";
                notes.push(Diagnostic::error(catalogue::TABLE_VALUE, message).at(&self.place(row, Some(column))).help(help));
                None
            }
        }
    }

    /// What a row of the lifecycle table declares; notes what cannot be used, and then gives none.
    pub fn lifecycle(&self, row: &LifecycleRow, notes: &mut Vec<Diagnostic>) -> Option<Draft> {
        let before = notes.len();
        let id = row.row.as_str();
        let keep = self.period(row.retention_period, id, "retention_period", notes);
        let archive = self.period(row.archive_period, id, "archive_period", notes);
        let delete = self.period(row.deletion_period, id, "deletion_period", notes);
        let to = row
            .archive_location
            .as_deref()
            .map(str::trim)
            .filter(|location| !location.is_empty())
            .and_then(|location| self.location(location, id, notes));
        for (what, value) in [("table_name", &row.table_name), ("policy_name", &row.policy_name)] {
            if value.trim().is_empty() {
                notes.push(
                    Diagnostic::error(catalogue::TABLE_VALUE, format!("`{what}` is empty")).at(&self.place(id, Some(what))),
                );
            }
        }
        (notes.len() == before).then(|| Draft {
            name: self.at(row.policy_name.clone(), id, "policy_name"),
            owner: None,
            dataset: self.at(self.dataset(&row.table_name), id, "table_name"),
            clock: None,
            condition: None,
            archive: archive.map(|after| {
                let place = after.place.clone();
                At::new(ArchiveDraft { after: Some(after), to, create: None }, place)
            }),
            delete,
            keep: keep.map(|period| period.map(|period| KeepAtLeast { period, because: "the policy table".to_owned() })),
            guard: None,
            cascade: None,
            active: row.is_active,
            places: vec![self.place(id, None)],
        })
    }

    /// A table in the row's own store.
    fn location(&self, text: &str, row: &str, notes: &mut Vec<Diagnostic>) -> Option<At<DatasetName>> {
        let place = self.place(row, Some("archive_location"));
        if let Some((scheme, _)) = text.split_once("://") {
            let message =
                format!("the archive location `{scheme}://…` is not built yet; rows are archived into a table of the same store");
            notes.push(
                Diagnostic::error(catalogue::ARCHIVE_LOCATION, message)
                    .at(&place)
                    .help("name a table: `table` or `schema.table`"),
            );
            return None;
        }
        if let Ok(full) = text.parse::<DatasetName>()
            && full.schema.is_some()
        {
            if self.stores.contains(&full.store.as_str()) {
                return Some(At::new(full, place));
            }
            let message = format!("the archive location `{text}` begins with `{}`, which is no store", full.store);
            notes.push(
                Diagnostic::error(catalogue::ARCHIVE_LOCATION, message)
                    .at(&place)
                    .help_if(near::suggestion(&full.store, self.stores.iter().copied())),
            );
            return None;
        }
        Some(At::new(self.dataset(text), place))
    }

    /// What a row of the classification table declares; notes what cannot be used, and then gives none.
    pub fn tag(&self, row: &TagRow, notes: &mut Vec<Diagnostic>) -> Option<TagDraft> {
        let before = notes.len();
        let id = row.row.as_str();
        let sensitivity = self.sensitivity(row, notes);
        let protect = row.protection_method.as_deref().and_then(|method| self.protection(method, id, notes));
        let retention = match row.retention_period {
            None => None,
            Some(0) => Some(self.at(Period::days(0), id, "retention_period")),
            days => self.period(days, id, "retention_period", notes),
        };
        for (what, value) in [("table_name", &row.table_name), ("field_name", &row.field_name)] {
            if value.trim().is_empty() {
                notes.push(
                    Diagnostic::error(catalogue::TABLE_VALUE, format!("`{what}` is empty")).at(&self.place(id, Some(what))),
                );
            }
        }
        (notes.len() == before).then(|| TagDraft {
            dataset: self.dataset(&row.table_name),
            field: row.field_name.clone(),
            r#type: row.data_type.clone().map(|kind| self.at(kind, id, "data_type")),
            sensitivity,
            protect,
            sealed_in: None,
            retention,
            encrypt: Some(self.at(row.encryption_required, id, "encryption_required")),
            restrict: Some(self.at(row.access_control_required, id, "access_control_required")),
            audit: Some(self.at(row.audit_required, id, "audit_required")),
            place: self.place(id, None),
        })
    }

    fn sensitivity(&self, row: &TagRow, notes: &mut Vec<Diagnostic>) -> Option<At<Sensitivity>> {
        let known = match row.sensitivity_level.as_str() {
            "low" => Sensitivity::Low,
            "medium" => Sensitivity::Medium,
            "high" => Sensitivity::High,
            "critical" => Sensitivity::Critical,
            other => {
                let message = format!("the sensitivity `{other}` is not known");
                let help = near::suggestion(other, ["low", "medium", "high", "critical"]);
                notes.push(
                    Diagnostic::error(catalogue::TABLE_VALUE, message)
                        .at(&self.place(&row.row, Some("sensitivity_level")))
                        .help_if(help),
                );
                return None;
            }
        };
        Some(self.at(known, &row.row, "sensitivity_level"))
    }

    fn protection(&self, method: &str, row: &str, notes: &mut Vec<Diagnostic>) -> Option<At<Protection>> {
        let known = match method {
            "aes256_encryption" | "aes256" => Protection::Aes256,
            "bcrypt_encryption" | "already hashed" => Protection::AlreadyHashed,
            "jwt_encryption" | "signed token" => Protection::SignedToken,
            "access_control" => Protection::AccessControl,
            "none" => Protection::None,
            other => {
                let words = ["aes256_encryption", "bcrypt_encryption", "jwt_encryption", "access_control", "none"];
                let message = format!(
                    "the protection method `{other}` is not known; the field would count as protected by something that steward cannot do"
                );
                let diagnostic =
                    Diagnostic::error(catalogue::PROTECTION_UNKNOWN, message).at(&self.place(row, Some("protection_method")));
                notes.push(diagnostic.help_if(near::suggestion(other, words)));
                return None;
            }
        };
        Some(self.at(known, row, "protection_method"))
    }
}
