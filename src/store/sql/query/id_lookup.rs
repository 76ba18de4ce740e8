//! Which of these ids a table has: the question that caches, graphs and other stores ask of it.

use super::table_query::Looked;
use crate::policy::dataset::DatasetName;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::id_column::IdKind;
use crate::store::sql::schema::table::Column;
use crate::store::sql::session::store::Store;
use crate::store::value::{self, Cell};
use std::collections::{HashMap, HashSet};

/// Ids asked for in one statement.
const AT_ONCE: usize = 1_000;

/// A column of a table, ready to be asked which ids it has. Reads only, and holds no connection between two questions.
#[derive(Debug, Clone)]
pub struct Presence {
    store: Store,
    who: String,
    dialect: Dialect,
    path: String,
    condition: Option<String>,
    name: String,
    id: IdKind,
    /// What a text must be converted to so that the column's own index answers; none where no index would.
    typed: Option<String>,
}

impl Presence {
    /// Finds table and column, and tries the condition out.
    ///
    /// # Errors
    /// The store is away; there is no such table or column; the condition does not work there.
    pub async fn at(
        store: &Store,
        who: &str,
        dataset: &DatasetName,
        column: &str,
        condition: Option<&str>,
    ) -> Result<Self, StoreFailure> {
        let mut looked = Looked::at(store, who, dataset, condition).await?;
        Self::of(store, who, &mut looked, column, condition).await
    }

    /// The same for a table that was found already, under the condition that was tried out there.
    ///
    /// # Errors
    /// There is no such column; the store's own.
    pub async fn of(
        store: &Store,
        who: &str,
        looked: &mut Looked,
        column: &str,
        condition: Option<&str>,
    ) -> Result<Self, StoreFailure> {
        let name = looked.column(column)?;
        let column = looked.table().column(column)?.clone();
        let id = IdKind::of(&column);
        let typed = match looked.table().index_on(&column.name) {
            Some(_) => typed(looked, &column, id).await?,
            None => None,
        };
        Ok(Self {
            store: store.clone(),
            who: who.to_owned(),
            dialect: looked.dialect(),
            path: looked.dialect().table(looked.table()),
            condition: condition.map(str::to_owned),
            name,
            id,
            typed,
        })
    }

    /// The column, quoted and qualified.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The ids on their way, as a table `r` with a column `v`.
    pub(crate) fn asked(dialect: Dialect) -> &'static str {
        unfolded(dialect)
    }

    /// What the ids of the column are.
    pub const fn id(&self) -> IdKind {
        self.id
    }

    /// Those of the ids that stand in a row that counts, as they were asked for.
    ///
    /// Compared as [`crate::store::sql::schema::id_column`] says: byte for byte, trailing spaces and letter case included. What no value of the column
    /// could be (`abc` for a number) is not there, and is no error.
    ///
    /// # Errors
    /// The store's own.
    pub async fn present(&self, ids: &[String]) -> Result<HashSet<String>, StoreFailure> {
        self.among(ids, None, false).await
    }

    /// Those of the ids that stand in a row which meets this condition too; `folded`: letters of either case are the same,
    /// and the ids are in lower case.
    pub(crate) async fn among(&self, ids: &[String], also: Option<&str>, folded: bool) -> Result<HashSet<String>, StoreFailure> {
        let mut found = HashSet::new();
        let sql = self.sql(also, folded);
        for batch in ids.chunks(AT_ONCE) {
            self.ask(&sql, batch, &mut found).await?;
        }
        Ok(found)
    }

    async fn ask(&self, sql: &str, ids: &[String], found: &mut HashSet<String>) -> Result<(), StoreFailure> {
        let mut asked: HashMap<String, Vec<&String>> = HashMap::new();
        for id in ids {
            if let Some(fitting) = self.id.fitting(id).filter(|fitting| self.can_travel(fitting)) {
                asked.entry(fitting.into_owned()).or_default().push(id);
            }
        }
        if asked.is_empty() {
            return Ok(());
        }
        let rows: Vec<Vec<Cell>> = asked.keys().map(|id| vec![self.travelling(id)]).collect();
        let mut session = self.store.reading(&self.who).await?;
        for row in session.rows(sql, &[Cell::Text(value::as_json(&rows))]).await? {
            let text = row.into_iter().next().and_then(crate::store::sql::schema::id_column::of_cell).unwrap_or_default();
            found.extend(asked.get(&text).into_iter().flatten().map(|id| (*id).clone()));
        }
        Ok(())
    }

    /// PostgreSQL's text holds no NUL, so neither does any of its ids.
    fn can_travel(&self, id: &str) -> bool {
        self.dialect != Dialect::Postgres || !id.contains('\0')
    }

    /// SQLite's JSON ends a text at a NUL; bytes it leaves alone.
    fn travelling(&self, id: &str) -> Cell {
        if self.dialect == Dialect::Sqlite && id.contains('\0') {
            return Cell::Bytes(id.as_bytes().to_vec());
        }
        Cell::Text(id.to_owned())
    }

    /// With an index each id is looked up by it; without one the table is read once for all of them.
    fn sql(&self, also: Option<&str>, folded: bool) -> String {
        let asked = unfolded(self.dialect);
        let bare = self.id.bare(self.dialect, "r.v");
        let text = self.id.text(self.dialect, &self.name);
        let also = also.map(|also| format!(" AND ({also})")).unwrap_or_default();
        match &self.typed {
            Some(typed) if !folded => {
                let inside = self.rows_where(&format!("{} {typed} AND {text} = {bare}{also}", self.name));
                format!("SELECT r.v FROM {asked} WHERE (SELECT 1{inside} LIMIT 1) = 1")
            }
            _ => {
                let text = if folded { self.id.folded_text(self.dialect, &self.name) } else { text };
                format!("SELECT DISTINCT {text}{}", self.rows_where(&format!("{text} IN (SELECT {bare} FROM {asked}){also}")))
            }
        }
    }

    pub(crate) fn rows_where(&self, condition: &str) -> String {
        let own = self.condition.iter().map(|own| format!("({own}) AND ")).collect::<String>();
        format!(" FROM {} WHERE {own}{condition}", self.path)
    }

    /// How many rows count, with an id or without.
    pub(crate) async fn rows(&self) -> Result<u64, StoreFailure> {
        let sql = format!("SELECT COUNT(*){}", self.rows_where("1 = 1"));
        self.store.reading(&self.who).await?.count(&sql, &[]).await
    }

    /// True when at least one row that counts has an id at all: an empty table says nothing about who is gone.
    ///
    /// # Errors
    /// The store's own.
    pub async fn any(&self) -> Result<bool, StoreFailure> {
        let sql = format!("SELECT 1{} LIMIT 1", self.rows_where(&format!("{} IS NOT NULL", self.name)));
        Ok(!self.store.reading(&self.who).await?.rows(&sql, &[]).await?.is_empty())
    }
}

/// The ids on their way, as a table `r` with a column `v`.
fn unfolded(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "(SELECT j.e->>0 AS v FROM json_array_elements($1::text::json) j(e)) r",
        Dialect::Mysql | Dialect::Mariadb => "JSON_TABLE(?, '$[*]' COLUMNS (v LONGTEXT PATH '$[0]')) r",
        Dialect::Sqlite => {
            "(SELECT CASE json_type(j.value, '$[0]') WHEN 'array' THEN CAST(unhex(json_extract(j.value, '$[0][0]')) AS TEXT) \
             ELSE json_extract(j.value, '$[0]') END AS v FROM json_each(?) j) r"
        }
    }
}

/// `= …` with the text as a value of the column's own type and collation, which is what an index on it answers to. It may let
/// through too much (a collation that takes `li` for `Li`), never too little; the comparison of bytes beside it decides.
async fn typed(looked: &mut Looked, column: &Column, id: IdKind) -> Result<Option<String>, StoreFailure> {
    Ok(match (looked.dialect(), id) {
        (Dialect::Sqlite, _) => Some(
            "IN (r.v, CASE WHEN CAST(CAST(r.v AS INTEGER) AS TEXT) = r.v THEN CAST(r.v AS INTEGER) END, unhex(r.v))".to_owned(),
        ),
        (Dialect::Postgres, IdKind::Integer { .. }) => Some("= r.v::bigint".to_owned()),
        (Dialect::Postgres, IdKind::Uuid) => Some("= r.v::uuid".to_owned()),
        (Dialect::Postgres, IdKind::Bytes) => Some("= decode(r.v, 'hex')".to_owned()),
        (Dialect::Postgres, IdKind::Text) if column.declared.starts_with("character(") => Some("= r.v::bpchar".to_owned()),
        (Dialect::Postgres, IdKind::Text) if column.declared == "citext" => None,
        (Dialect::Postgres, IdKind::Text) => Some("= r.v::text".to_owned()),
        (_, IdKind::Integer { unsigned: true }) => Some("= CAST(r.v AS UNSIGNED)".to_owned()),
        (_, IdKind::Integer { unsigned: false }) => Some("= CAST(r.v AS SIGNED)".to_owned()),
        (_, IdKind::Bytes) => Some("= UNHEX(r.v)".to_owned()),
        (Dialect::Mariadb, IdKind::Uuid) => Some("= CAST(r.v AS UUID)".to_owned()),
        (_, IdKind::Text) => collated(looked, column).await?,
        _ => None,
    })
}

/// MySQL compares two columns of different collations by neither's index, so the text takes the column's own.
pub(crate) async fn collated(looked: &mut Looked, column: &Column) -> Result<Option<String>, StoreFailure> {
    let sql = "SELECT CHARACTER_SET_NAME, COLLATION_NAME FROM information_schema.COLUMNS \
               WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND COLUMN_NAME = ?";
    let table = looked.table();
    let binds =
        [Cell::Text(table.schema.clone().unwrap_or_default()), Cell::Text(table.name.clone()), Cell::Text(column.name.clone())];
    let row = looked.rows(sql, &binds).await?.into_iter().next().unwrap_or_default();
    Ok(match row.as_slice() {
        [Cell::Text(charset), Cell::Text(collation)] => Some(format!("= CONVERT(r.v USING {charset}) COLLATE {collation}")),
        _ => None,
    })
}

/// Which of these ids are there: [`Presence::present`] for whoever asks once.
///
/// # Errors
/// As [`Presence::at`] and [`Presence::present`].
pub async fn present(
    store: &Store,
    who: &str,
    dataset: &DatasetName,
    column: &str,
    condition: Option<&str>,
    ids: &[String],
) -> Result<HashSet<String>, StoreFailure> {
    Presence::at(store, who, dataset, column, condition).await?.present(ids).await
}

/// True when at least one row that counts has an id: [`Presence::any`] for whoever asks once.
///
/// # Errors
/// As [`Presence::at`] and [`Presence::any`].
pub async fn any(
    store: &Store,
    who: &str,
    dataset: &DatasetName,
    column: &str,
    condition: Option<&str>,
) -> Result<bool, StoreFailure> {
    Presence::at(store, who, dataset, column, condition).await?.any().await
}
