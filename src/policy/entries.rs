//! What may stand under `lifecycle`, `classification` and `holds`.

use super::classification::{Protection, Sensitivity};
use super::dataset::DatasetName;
use super::lifecycle::{Cascade, ClockUnit};
use super::period::Period;
use super::written::Zone;
use crate::yaml::fields::declared;
use crate::yaml::node::{At, Named, Node, Value};
use crate::yaml::reading::{Read, Reading};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

declared! {
    /// How long the rows of one dataset live.
    "a lifecycle policy" LifecycleEntry {
        /// Unique among lifecycle policies; left out, it is the dataset.
        "name" name: Option<At<String>>,
        /// The rows it governs.
        "dataset" dataset: At<DatasetName>,
        /// The column that dates a row.
        "clock" clock: Option<At<ClockEntry>>,
        /// A further condition in the store's own language; a row for which it is not true stays.
        "where" r#where: Option<At<String>>,
        /// Moves rows out of the live table.
        "archive" archive: Option<At<ArchiveEntry>>,
        /// Removes rows for good; from the archive alone where the policy archives.
        "delete" delete: Option<At<DeleteEntry>>,
        /// No row is removed for good before this.
        "keep_at_least" keep_at_least: Option<At<KeepEntry>>,
        /// How much may go in one run without a person; by default 100000 rows and 20 percent.
        "guard" guard: Option<At<GuardEntry>>,
        /// What happens when other rows would go along through a foreign key; `refuse` by default.
        "cascade" cascade: Option<At<Cascade>>,
    }
}

declared! {
    /// The column that dates a row, and how to read it.
    "a clock" ClockParts {
        /// The column.
        "column" column: String,
        /// The zone of a time that carries none; UTC by default.
        "zone" zone: Option<Zone>,
        /// The unit of an integer, counted from 1970-01-01T00:00:00Z.
        "unit" unit: Option<ClockUnit>,
    }
}

declared! {
    /// Moves rows out of the live table.
    "an `archive` step" ArchiveEntry {
        /// The age at which a row is due.
        "after" after: Option<At<Period>>,
        /// Where it goes; a dataset in the same store.
        "to" to: Option<At<DatasetName>>,
        /// Makes the archive table when it is missing; `false` by default.
        "create" create: Option<At<bool>>,
    }
}

declared! {
    /// Removes rows for good.
    "a `delete` step" DeleteEntry {
        /// The age at which a row is due.
        "after" after: At<Period>,
    }
}

declared! {
    /// A minimum before final removal.
    "`keep_at_least`" KeepEntry {
        /// How long.
        "for" period: At<Period>,
        /// The law or promise behind it.
        "because" because: String,
    }
}

declared! {
    /// How much may go in one run without a person.
    "a guard" GuardEntry {
        /// Rows; at least 1.
        "max_rows" max_rows: Option<At<u64>>,
        /// Percent of the dataset's rows; more than 0, at most 100.
        "max_percent" max_percent: Option<At<f64>>,
    }
}

declared! {
    /// What the fields of one dataset are.
    "a classification" ClassificationEntry {
        /// Left out, it is the dataset.
        "name" name: Option<At<String>>,
        /// The dataset the fields belong to.
        "dataset" dataset: At<DatasetName>,
        /// Each field by its name.
        "fields" fields: Named<FieldEntry>,
    }
}

declared! {
    /// What one field is, and how it must be protected.
    "a classified field" FieldEntry {
        /// What kind of data it is, in the owner's words.
        "type" r#type: Option<At<String>>,
        /// How much harm a leak does.
        "sensitivity" sensitivity: Option<At<Sensitivity>>,
        /// How it is protected.
        "protect" protect: Option<At<Protection>>,
        /// The column that holds the sealed value.
        "sealed_in" sealed_in: Option<At<String>>,
        /// A minimum before final removal of the row; 0 means none.
        "retention" retention: Option<At<Period>>,
        /// The field must be sealed.
        "encrypt" encrypt: Option<At<bool>>,
        /// Reading it needs a right of its own.
        "restrict" restrict: Option<At<bool>>,
        /// Reading it is logged.
        "audit" audit: Option<At<bool>>,
    }
}

declared! {
    /// Rows that nothing may remove or alter.
    "a hold" HoldEntry {
        /// Unique among holds.
        "name" name: At<String>,
        /// The rows' dataset; every archive fed by it is covered too.
        "dataset" dataset: At<DatasetName>,
        /// Which rows, in the store's own language; all of them when left out.
        "where" r#where: Option<At<String>>,
        /// Why.
        "because" because: At<String>,
        /// Who asked for it.
        "owner" owner: Option<String>,
    }
}

/// `created_at`, or a column with its zone or unit.
#[derive(Debug, Clone)]
pub struct ClockEntry {
    /// The column.
    pub column: String,
    /// The zone of a time that carries none.
    pub zone: Option<Zone>,
    /// The unit of an integer.
    pub unit: Option<ClockUnit>,
}

impl Read for ClockEntry {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Self> {
        match node.value {
            Value::Map(_) => ClockParts::read(node, reading).map(|ClockParts { column, zone, unit }| Self { column, zone, unit }),
            _ => Some(Self { column: reading.text(node)?, zone: None, unit: None }),
        }
    }
}

impl JsonSchema for ClockEntry {
    fn schema_name() -> Cow<'static, str> {
        "Clock".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, generator.subschema_for::<ClockParts>()] })
    }
}
