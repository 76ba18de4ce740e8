//! The archive table beside the rows: whether it can take them unchanged, and how to make one that can.

use super::archive_ddl::{self, BATCH_COLUMN};
use super::rows::Rows;
use crate::diagnostic::codes;
use crate::policy::dataset::DatasetName;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::catalog;
use crate::store::sql::schema::table::{Class, Column, Index, Table};
use crate::store::sql::session::connection::Session;
use crate::store::sql::session::store::Store;
use std::time::Duration;

/// An archive that can take the rows unchanged.
#[derive(Debug, Clone)]
pub struct Archive {
    schema: Option<String>,
    name: String,
    /// The table as it is; none when the first run makes it.
    table: Option<Table>,
    /// Columns that both sides have, compared when the copy is read back.
    pub(crate) shared: Vec<Column>,
    /// Of those, the ones that are written; the archive computes the rest itself.
    pub(crate) written: Vec<Column>,
    /// The archive has a column for the batch's id.
    pub(crate) keeps_batch: bool,
    /// How to make the table, when it is not there yet.
    create: Option<Vec<String>>,
}

impl Archive {
    /// Holds the archive against its source; refuses what could not take every row unchanged. Touches nothing.
    pub async fn prepare(store: &Store, rows: &Rows, to: &DatasetName, create: bool) -> Result<Self, StoreFailure> {
        rows.table().refuse_unlogged()?;
        let mut session = store.reading(&rows.who).await?;
        match catalog::find(&mut session, to).await? {
            Some(table) => {
                let half_made = create && archive_ddl::is_half_made(&mut session, rows, &table).await?;
                let complete = if half_made { Some(archive_ddl::complete(&mut session, rows, &table).await?) } else { None };
                Self::existing(rows, &table, complete)
            }
            None => Self::missing(&mut session, rows, to, create).await,
        }
    }

    fn existing(rows: &Rows, archive: &Table, complete: Option<Vec<String>>) -> Result<Self, StoreFailure> {
        let source = rows.table();
        refuse_same_rows(source, archive)?;
        archive.refuse_unlogged()?;
        archive.refuse_unfit_descendants()?;
        for column in &source.columns {
            let there = archive.column(&column.name).map_err(|_| lacks(source, archive, column))?;
            takes(rows.dialect, column, there).map_err(|why| unfit(source, archive, column, there, why))?;
        }
        let own = archive.columns.iter().filter(|column| !source.columns.iter().any(|other| other.name == column.name));
        if let Some(extra) = own.clone().find(|column| !column.nullable && !column.has_default && !column.generated) {
            return Err(StoreFailure::refused(
                codes::ARCHIVE_UNFIT,
                format!(
                    "archive `{}` wants a value for `{}` (NOT NULL, no default), which `{}` does not have",
                    archive.label(),
                    extra.name,
                    source.label()
                ),
                format!("make `{}` nullable, or give it a default", extra.name),
            ));
        }
        let key: Vec<&Column> = rows.key.iter().collect();
        if !archive.is_unique_over(&key) {
            let list = key.iter().map(|column| rows.dialect.quote(&column.name)).collect::<Vec<_>>().join(", ");
            return Err(StoreFailure::refused(
                codes::ARCHIVE_UNFIT,
                format!(
                    "archive `{}` has no unique index over ({list}): a row archived twice would not be seen",
                    archive.label()
                ),
                format!(
                    "CREATE UNIQUE INDEX {} ON {} ({list});",
                    rows.dialect.quote(&format!("{}_key", archive.name)),
                    rows.dialect.table(archive)
                ),
            ));
        }
        let keeps_batch = own.clone().any(|column| column.name == BATCH_COLUMN);
        let generated = |name: &str| archive.columns.iter().any(|column| column.name == name && column.generated);
        Ok(Self {
            schema: archive.schema.clone(),
            name: archive.name.clone(),
            table: Some(archive.clone()),
            shared: source.columns.clone(),
            written: source.columns.iter().filter(|column| !generated(&column.name)).cloned().collect(),
            keeps_batch: keeps_batch || complete.is_some(),
            create: complete,
        })
    }

    async fn missing(session: &mut Session, rows: &Rows, to: &DatasetName, create: bool) -> Result<Self, StoreFailure> {
        let source = rows.table();
        let schema = to.schema.clone().or_else(|| source.schema.clone());
        let ddl = archive_ddl::statements(session, rows, schema.as_deref(), &to.table).await?;
        if !create {
            let near = catalog::must_find(session, to).await.err().map(|failure| match failure {
                StoreFailure::Refused { help, .. } if help.starts_with("did you mean") => format!("{help}\nor make it: "),
                _ => "make it, or write `create: true`: ".to_owned(),
            });
            let help = format!("{}{}", near.unwrap_or_default(), ddl.join("; "));
            return Err(StoreFailure::refused(codes::NO_ARCHIVE, format!("there is no archive `{to}`; nothing is moved"), help));
        }
        Ok(Self {
            schema,
            name: to.table.clone(),
            table: None,
            shared: source.columns.clone(),
            // MySQL's LIKE copies what is generated; the others are made with plain columns.
            written: source.columns.iter().filter(|column| !(rows.dialect.is_mysql() && column.generated)).cloned().collect(),
            keeps_batch: true,
            create: Some(ddl),
        })
    }

    /// Makes the table when it is not there yet. Called once, before the first batch of a real run.
    ///
    /// Another job may make it at the same moment: what is there then decides.
    pub async fn create(&self, rows: &Rows) -> Result<(), StoreFailure> {
        let Some(mut statements) = self.create.clone() else { return rows.time.must_have_come() };
        let to = DatasetName { store: rows.table.store.clone(), schema: self.schema.clone(), table: self.name.clone() };
        for pause in [100, 200, 400, 800, 1_600] {
            let Err(failure) = archive_ddl::make(rows.changing().await?, &statements).await else { return Ok(()) };
            if !matches!(failure, StoreFailure::Failed { .. }) {
                return Err(failure);
            }
            tokio::time::sleep(Duration::from_millis(pause)).await;
            match Self::prepare(&rows.store, rows, &to, true).await?.create {
                None => return Ok(()),
                Some(missing) => statements = missing,
            }
        }
        archive_ddl::make(rows.changing().await?, &statements).await
    }

    /// Unique indexes of an archive that is there, beside the one over the key: two rows that were there one after the other may
    /// share what they keep unique.
    pub fn also_unique<'t>(&'t self, rows: &'t Rows) -> impl Iterator<Item = &'t Index> {
        let covers = |index: &Index| rows.key.iter().all(|column| index.columns.contains(&column.name));
        let table = self.table.iter().filter(|_| self.create.is_none());
        table.flat_map(|table| &table.unique).filter(move |index| !covers(index))
    }

    /// The statements that will make the table; none when it is there.
    pub fn statements(&self) -> &[String] {
        self.create.as_deref().unwrap_or_default()
    }

    /// Its schema, where the store has any, and its name.
    pub fn name(&self) -> (Option<&str>, &str) {
        (self.schema.as_deref(), &self.name)
    }

    /// The table, when it is there.
    pub const fn table(&self) -> Option<&Table> {
        self.table.as_ref()
    }

    /// True when the archive says which batch brought a row.
    pub const fn keeps_batch(&self) -> bool {
        self.keeps_batch
    }

    /// How many rows of a batch the archive holds.
    pub async fn rows_of(&self, rows: &Rows, batch: &str) -> Result<u64, StoreFailure> {
        let mut session = rows.store.reading(&rows.who).await?;
        let column = rows.dialect.quote(BATCH_COLUMN);
        let sql = format!("SELECT COUNT(*) FROM {} WHERE {column} = {}", self.path(rows.dialect), rows.dialect.bind(1));
        session.count(&sql, &[crate::store::value::Cell::Text(batch.to_owned())]).await
    }

    pub(crate) fn path(&self, dialect: Dialect) -> String {
        dialect.path(self.schema.as_deref(), &self.name)
    }
}

/// Rows must be in one place before and in another after: a copy that is its own original proves nothing.
fn refuse_same_rows(source: &Table, archive: &Table) -> Result<(), StoreFailure> {
    let why = if (&archive.schema, &archive.name) == (&source.schema, &source.name) {
        format!("`{}` cannot be its own archive", source.label())
    } else if source.dependents.relatives.include(archive.schema.as_deref(), &archive.name) {
        format!(
            "archive `{}` shares rows with `{}`, by partitions or inheritance: what is removed from one is gone from both; nothing is moved",
            archive.label(),
            source.label()
        )
    } else {
        return Ok(());
    };
    Err(StoreFailure::refused(codes::ARCHIVE_UNFIT, why, "name another table in `archive.to`"))
}

fn lacks(source: &Table, archive: &Table, column: &Column) -> StoreFailure {
    StoreFailure::refused(
        codes::ARCHIVE_UNFIT,
        format!("archive `{}` has no column `{}`, which `{}` has", archive.label(), column.name, source.label()),
        format!("ALTER TABLE … ADD COLUMN {} {};", column.name, column.declared),
    )
}

fn unfit(source: &Table, archive: &Table, column: &Column, there: &Column, why: &str) -> StoreFailure {
    StoreFailure::refused(
        codes::ARCHIVE_UNFIT,
        format!(
            "column `{}` of archive `{}` is `{}` and {why}; in `{}` it is `{}`",
            column.name,
            archive.label(),
            there.declared,
            source.label(),
            column.declared
        ),
        format!("give it the type `{}`", column.declared),
    )
}

/// Whether every value of `from` fits into `to` unchanged.
fn takes(dialect: Dialect, from: &Column, to: &Column) -> Result<(), &'static str> {
    if from.nullable && !to.nullable && !to.generated && dialect != Dialect::Sqlite {
        return Err("takes no NULL");
    }
    let (a, b) = (from.declared.to_lowercase(), to.declared.to_lowercase());
    let fits = if dialect == Dialect::Sqlite { affinity(&a) == affinity(&b) } else { a == b || widens(dialect, from, to) };
    if fits { Ok(()) } else { Err("is narrower, or another type") }
}

/// The wider types of one data_model; everything else must be the same type to the letter.
fn widens(dialect: Dialect, from: &Column, to: &Column) -> bool {
    let (a, b) = (CheckSpec::of(dialect, from), CheckSpec::of(dialect, to));
    match (from.class, to.class) {
        (Class::Integer { unsigned: x }, Class::Integer { unsigned: y }) => x == y && a.room <= b.room,
        (Class::Decimal, Class::Decimal) => a.scale == b.scale && a.signed == b.signed && a.room <= b.room,
        // What is padded to its length changes when the length does.
        (Class::Text, Class::Text) | (Class::Bytes, Class::Bytes) => !a.padded && !b.padded && a.room <= b.room,
        _ => false,
    }
}

/// How much a type takes, comparable within its data_model.
struct CheckSpec {
    room: u64,
    scale: u64,
    padded: bool,
    signed: bool,
}

impl CheckSpec {
    fn of(dialect: Dialect, column: &Column) -> Self {
        let declared = column.declared.to_lowercase();
        let base = declared.split('(').next().unwrap_or_default().trim();
        let numbers: Vec<u64> = declared
            .split_once('(')
            .and_then(|(_, rest)| rest.split_once(')'))
            .map(|(inside, _)| inside.split(',').filter_map(|number| number.trim().parse().ok()).collect())
            .unwrap_or_default();
        let word = base.split(' ').next().unwrap_or(base);
        let room = match (column.class, word) {
            (Class::Integer { .. }, _) => {
                let sizes = ["tinyint", "smallint", "mediumint", "int", "integer", "bigint"];
                sizes.iter().position(|size| *size == word).map_or(u64::MAX, |at| at as u64)
            }
            // A character of MySQL's can take four bytes, and its text types count bytes.
            (Class::Text, "tinytext") => 255 / 4,
            (Class::Text, "text") if dialect.is_mysql() => 65_535 / 4,
            (Class::Text, "mediumtext") => 16_777_215 / 4,
            (Class::Bytes, "tinyblob") => 255,
            (Class::Bytes, "blob") => 65_535,
            (Class::Bytes, "mediumblob") => 16_777_215,
            _ => numbers.first().copied().unwrap_or(u64::MAX / 4),
        };
        Self {
            room,
            scale: numbers.get(1).copied().unwrap_or(0),
            padded: matches!(base, "char" | "character" | "binary"),
            signed: !declared.contains("unsigned"),
        }
    }
}

/// SQLite's rule for the affinity of a declared type (sqlite.org/datatype3.html, 3.1).
fn affinity(declared: &str) -> u8 {
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    if has(&["int"]) {
        0
    } else if has(&["char", "clob", "text"]) {
        1
    } else if declared.is_empty() || has(&["blob"]) {
        2
    } else if has(&["real", "floa", "doub"]) {
        3
    } else {
        4
    }
}
