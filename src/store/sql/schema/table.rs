//! A table as its catalogue describes it, and the decisions that follow from that alone.

use super::relatives::{Relation, Relatives};
use super::trigger::{Event, Trigger};
use crate::diagnostic::codes;
use crate::store::error::StoreFailure;
use crate::store::foreign_key::Child;

/// A table as its store's catalogue describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The store, for messages.
    pub store: String,
    /// Schema (PostgreSQL) or database (MySQL); none on SQLite.
    pub schema: Option<String>,
    /// The table.
    pub name: String,
    /// Columns in their own order.
    pub columns: Vec<Column>,
    /// Unique indexes over plain columns of the whole table; the primary key first.
    pub unique: Vec<Index>,
    /// All indexes over plain columns of the whole table.
    pub indexes: Vec<Index>,
    /// Unique indexes over the beginning of a column alone: two rows may differ behind it.
    pub prefix_keys: Vec<String>,
    /// A crash of the server empties it (PostgreSQL): what is copied from or to it proves nothing.
    pub unlogged: bool,
    /// What hangs on it.
    pub dependents: Dependents,
    /// The store's own idea of how many rows there are.
    pub estimate: Option<u64>,
}

/// What hangs on a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependents {
    /// Foreign keys that point here, or at a table that holds the same rows.
    pub children: Vec<Child>,
    /// Triggers that fire when its rows change.
    pub triggers: Vec<Trigger>,
    /// Rules that put something else in the place of a statement, or beside it.
    pub rules: Vec<Trigger>,
    /// Tables that share rows with this one.
    pub relatives: Relatives,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, in full, in the store's own words: `character varying(20)`, `bigint unsigned`.
    pub declared: String,
    /// What kind of values it holds.
    pub class: Class,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Computed from others; never written.
    pub generated: bool,
    /// Gets a value when none is given.
    pub has_default: bool,
}

/// What kind of values a column holds, as far as reading, comparing and dating care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Whole numbers.
    Integer {
        /// Without a sign.
        unsigned: bool,
    },
    /// Exact fractions.
    Decimal,
    /// Approximate numbers: no usable key.
    Float,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// MySQL BIT.
    Bit,
    /// MySQL ENUM and SET, which sort by number.
    Choice,
    /// A calendar day.
    Date,
    /// Date and time without a zone.
    Naive,
    /// An instant.
    Zoned,
    /// JSON.
    Json,
    /// SQLite: each value has a kind of its own.
    Dynamic,
    /// Anything else.
    Other,
}

/// An index over plain columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its columns, in its own order.
    pub columns: Vec<String>,
    /// The primary key.
    pub primary: bool,
}

impl Table {
    /// The dataset's name for messages.
    pub fn label(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{schema}.{}", self.store, self.name),
            None => format!("{}.{}", self.store, self.name),
        }
    }

    /// A column by its exact name; a name that differs in case alone is suggested, not used.
    pub fn column(&self, name: &str) -> Result<&Column, StoreFailure> {
        if let Some(column) = self.columns.iter().find(|column| column.name == name) {
            return Ok(column);
        }
        let near = self
            .columns
            .iter()
            .min_by_key(|column| strsim::damerau_levenshtein(&column.name.to_lowercase(), &name.to_lowercase()));
        let help = match near {
            Some(near) if strsim::damerau_levenshtein(&near.name.to_lowercase(), &name.to_lowercase()) <= 2 => {
                format!("did you mean `{}`?", near.name)
            }
            _ => format!("it has: {}", self.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")),
        };
        Err(StoreFailure::refused(codes::NO_COLUMN, format!("table `{}` has no column `{name}`", self.label()), help))
    }

    /// Refuses a table that holds rows of others: what inherits from it has columns and keys of its own, and a partition may be
    /// kept where nothing can be proved.
    ///
    /// # Errors
    /// An inheritance child, at any depth; a partition that is foreign, unlogged or temporary.
    pub fn refuse_unfit_descendants(&self) -> Result<(), StoreFailure> {
        let label = self.label();
        let unfit = |text: String, help: String| Err(StoreFailure::refused(codes::HIERARCHY, text, help));
        if let Some(child) = self.dependents.relatives.descendants.iter().find(|relation| !relation.is_partition) {
            let text = format!(
                "rows of `{}`, which inherits from `{label}`, are read and removed as rows of `{label}`, without the columns that \
                 it alone has; nothing is moved from or to it",
                child.label()
            );
            return unfit(text, format!("name `{}` and each other table that inherits from `{}`", child.label(), self.name));
        }
        let kept = |relation: &Relation| Some((relation.label(), relation.storage.is_unfit()?));
        match self.dependents.relatives.descendants.iter().find_map(kept) {
            Some((partition, what)) => unfit(
                format!("partition `{partition}` of `{label}` is {what}; nothing is moved from or to `{label}`"),
                "name each partition that is a permanent table of this server as a dataset of its own".to_owned(),
            ),
            None => Ok(()),
        }
    }

    /// Refuses a table whose rules would rewrite a statement of ours: what it then does, and to which table, is not known.
    ///
    /// # Errors
    /// There is such a rule.
    pub fn refuse_rules(&self, event: Event) -> Result<(), StoreFailure> {
        let Some(rule) = self.dependents.rules.iter().find(|rule| rule.fires_on(event)) else { return Ok(()) };
        let (label, name) = (self.label(), &rule.name);
        Err(StoreFailure::refused(
            codes::RULE,
            format!("rule `{name}` rewrites {} on `{label}`, so rows may stay or others go; nothing was touched", event.word()),
            format!("write it as a trigger, or take it away: DROP RULE {name} ON {};", self.name),
        ))
    }

    /// Refuses a table that a crash of the server empties, where rows are copied.
    ///
    /// # Errors
    /// It is unlogged.
    pub fn refuse_unlogged(&self) -> Result<(), StoreFailure> {
        if !self.unlogged {
            return Ok(());
        }
        let name = self.schema.iter().chain([&self.name]).map(|part| format!("\"{part}\"")).collect::<Vec<_>>().join(".");
        Err(StoreFailure::refused(
            codes::TABLE_UNFIT,
            format!("`{}` is an unlogged table: a crash of the server empties it; nothing is moved from or to it", self.label()),
            format!("ALTER TABLE {name} SET LOGGED;"),
        ))
    }

    /// The columns that name a row for good: the primary key, else the shortest unique index without NULLs.
    pub fn key(&self) -> Result<Vec<&Column>, StoreFailure> {
        let usable = |index: &&Index| {
            index.columns.iter().all(|name| {
                self.columns
                    .iter()
                    .any(|column| column.name == *name && (index.primary || !column.nullable) && column.class != Class::Float)
            })
        };
        let best = self.unique.iter().filter(usable).min_by_key(|index| (!index.primary, index.columns.len()));
        if let (None, Some(index)) = (best, self.prefix_keys.first()) {
            let text = format!(
                "key `{index}` of `{}` covers only the beginning of a column: rows cannot be told apart by it, so nothing is moved or removed",
                self.label()
            );
            let help = "let the key cover the whole column, or add a unique index over other NOT NULL columns";
            return Err(StoreFailure::refused(codes::NO_KEY, text, help));
        }
        let Some(best) = best else {
            return Err(StoreFailure::refused(
                codes::NO_KEY,
                format!("table `{}` has no usable key: rows cannot be told apart, so nothing is moved or removed", self.label()),
                "give it a primary key, or a unique index over NOT NULL columns that are not floating-point",
            ));
        };
        best.columns.iter().map(|name| self.column(name)).collect()
    }

    /// The index to walk along when rows are dated by `clock`: one that starts with it.
    pub fn index_on(&self, clock: &str) -> Option<&Index> {
        self.indexes
            .iter()
            .filter(|index| index.columns.first().is_some_and(|first| first == clock))
            .min_by_key(|index| index.columns.len())
    }

    /// True when some unique index covers exactly these columns, in any order.
    pub fn is_unique_over(&self, columns: &[&Column]) -> bool {
        self.unique.iter().any(|index| {
            index.columns.len() == columns.len() && columns.iter().all(|column| index.columns.contains(&column.name))
        })
    }
}
