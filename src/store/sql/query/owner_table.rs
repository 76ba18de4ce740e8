//! Which ids an owners' table surely lacks: keys are removed by that, so what is doubtful is never absent.

use super::id_lookup::Presence;
use super::table_query::Looked;
use crate::diagnostic::codes;
use crate::policy::dataset::DatasetName;
use crate::store::error::StoreFailure;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::schema::id_column::IdKind;
use crate::store::sql::schema::table::{Class, Column, Table};
use crate::store::sql::session::connection::Session;
use crate::store::sql::session::store::Store;
use crate::store::value::{self, Cell};
use std::collections::{HashMap, HashSet};

/// Ids asked for in one statement.
const AT_ONCE: usize = 1_000;

/// A table of owners, ready to be asked. Reads only, and holds no connection between two questions.
#[derive(Debug, Clone)]
pub struct OwnerTable {
    counting: Presence,
    /// The same over the rows of which nobody knows whether they count: a condition that is NULL there.
    possible: Presence,
    /// Statements that find ids which another spelling of is there, each with how an id is written for it.
    alike: Vec<(String, Spelling)>,
    store: Store,
    who: String,
}

/// How an id travels to a statement that looks for other spellings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// As it is; the store's own comparison decides.
    AsIs,
    /// In the form of [`normal`].
    Normal,
}

impl OwnerTable {
    /// Finds table and column, tries the condition out, and makes sure that every owner can be seen there.
    ///
    /// # Errors
    /// The store is away, or a replica; there is no such table or column; its values have no one text; it is a part of another table.
    pub async fn at(
        store: &Store,
        who: &str,
        dataset: &DatasetName,
        column: &str,
        condition: Option<&str>,
    ) -> Result<Self, StoreFailure> {
        let mut looked = Looked::at(store, who, dataset, condition).await?;
        must_be_primary(looked.session(), dataset).await?;
        let table = looked.table().clone();
        must_be_whole(&table, dataset)?;
        if table.unlogged {
            let text =
                format!("`{dataset}` is an unlogged table, which a crash of the server empties: then every owner would be gone");
            return Err(unseen(text, "ALTER TABLE … SET LOGGED;"));
        }
        let declared = table.column(column)?.clone();
        must_have_one_text(&declared, dataset)?;
        let counting = Presence::of(store, who, &mut looked, column, condition).await?;
        let is_possible = condition.map(|own| format!("({own}) IS NOT FALSE"));
        let possible = Presence::of(store, who, &mut looked, column, is_possible.as_deref()).await?;
        let alike = possible.alike_sql(&mut looked, &declared).await?;
        Ok(Self { counting, possible, alike, store: store.clone(), who: who.to_owned() })
    }

    /// For each id: whether an owner that counts is there. None where nobody can say: no value of the column could be written so, another
    /// spelling of it is there, or the condition is NULL for its row.
    ///
    /// # Errors
    /// The store's own.
    pub async fn known(&self, ids: &[String]) -> Result<HashMap<String, Option<bool>>, StoreFailure> {
        let (readable, unreadable): (Vec<String>, Vec<String>) = ids.iter().cloned().partition(|id| self.counting.can_have(id));
        let there = self.counting.present(&readable).await?;
        let missing: Vec<String> = readable.into_iter().filter(|id| !there.contains(id)).collect();
        let mut doubtful = self.possible.present(&missing).await?;
        for (sql, spelling) in &self.alike {
            let open: Vec<&String> = missing.iter().filter(|id| !doubtful.contains(*id)).collect();
            let found = self.spelled_otherwise(sql, *spelling, &open).await?;
            doubtful.extend(found);
        }
        let absent = missing.into_iter().filter(|id| !doubtful.contains(id)).map(|id| (id, Some(false))).collect::<Vec<_>>();
        let unknown = unreadable.into_iter().chain(doubtful).map(|id| (id, None));
        Ok(there.into_iter().map(|id| (id, Some(true))).chain(absent).chain(unknown).collect())
    }

    async fn spelled_otherwise(&self, sql: &str, spelling: Spelling, ids: &[&String]) -> Result<HashSet<String>, StoreFailure> {
        let mut found = HashSet::new();
        for some in ids.chunks(AT_ONCE) {
            let mut asked: HashMap<String, Vec<&String>> = HashMap::new();
            for id in some {
                for written in spelling.of(id) {
                    asked.entry(written).or_default().push(id);
                }
            }
            let rows: Vec<Vec<Cell>> = asked.keys().map(|id| vec![Cell::Text(id.clone())]).collect();
            let mut session = self.store.reading(&self.who).await?;
            for row in session.rows(sql, &[Cell::Text(value::as_json(&rows))]).await? {
                let text = row.into_iter().next().and_then(crate::store::sql::schema::id_column::of_cell).unwrap_or_default();
                found.extend(asked.get(&text).into_iter().flatten().map(|id| (*id).clone()));
            }
        }
        Ok(found)
    }

    /// True when at least one owner counts: an empty table says nothing about who is gone.
    ///
    /// # Errors
    /// The store's own.
    pub async fn any(&self) -> Result<bool, StoreFailure> {
        self.counting.any().await
    }
}

impl Spelling {
    fn of(self, id: &str) -> Vec<String> {
        match self {
            Self::AsIs => vec![id.to_owned()],
            // Stores lower the letters of ASCII alone, or all of them.
            Self::Normal => {
                let mut both = vec![normal(&id.to_ascii_lowercase()), normal(&id.to_lowercase())];
                both.dedup();
                both
            }
        }
    }
}

/// An id without what people and programs write differently: letter case, blanks around it, hyphens, leading zeros.
fn normal(lower: &str) -> String {
    lower.trim().replace('-', "").trim_start_matches('0').to_owned()
}

impl Presence {
    /// True for an id that some value of the column could be written as.
    fn can_have(&self, id: &str) -> bool {
        !id.contains('\0') && self.id().fitting(id).is_some()
    }

    /// Statements that give those ids of which another spelling is there.
    async fn alike_sql(&self, looked: &mut Looked, column: &Column) -> Result<Vec<(String, Spelling)>, StoreFailure> {
        let dialect = looked.dialect();
        let name = self.name();
        let asked = Self::asked(dialect);
        let equal = |how: &str| {
            let there = self.rows_where(&format!("{name} {how}"));
            format!("SELECT r.v FROM {asked} WHERE EXISTS (SELECT 1{there})")
        };
        let mut all = vec![];
        match (dialect, self.id()) {
            // Text that is kept as bytes.
            (Dialect::Postgres, IdKind::Bytes) => all.push((equal("= convert_to(r.v, 'UTF8')"), Spelling::AsIs)),
            (Dialect::Mysql | Dialect::Mariadb, IdKind::Bytes) => {
                all.push((equal("= CAST(CONVERT(r.v USING utf8mb4) AS BINARY)"), Spelling::AsIs));
            }
            // What the collation takes for the same.
            (Dialect::Mysql | Dialect::Mariadb, IdKind::Text) => {
                let collated = super::id_lookup::collated(looked, column).await?;
                all.extend(collated.map(|how| (equal(&how), Spelling::AsIs)));
            }
            _ => {}
        }
        if matches!(self.id(), IdKind::Text | IdKind::Dynamic) {
            let normal = normal_sql(dialect, self.id(), name);
            let bare = self.id().bare(dialect, "r.v");
            let found = self.rows_where(&format!("{normal} IN (SELECT {bare} FROM {asked})"));
            all.push((format!("SELECT DISTINCT {normal}{found}"), Spelling::Normal));
        }
        Ok(all)
    }
}

/// A value in the form of [`normal`].
fn normal_sql(dialect: Dialect, id: IdKind, name: &str) -> String {
    match dialect {
        Dialect::Postgres => format!("(ltrim(replace(btrim(lower({name}::text)), '-', ''), '0') COLLATE \"C\")"),
        Dialect::Mysql | Dialect::Mariadb => {
            format!("CAST(TRIM(LEADING '0' FROM REPLACE(TRIM(LOWER(CONVERT({name} USING utf8mb4))), '-', '')) AS BINARY)")
        }
        // 42.0 is 42 there.
        Dialect::Sqlite => {
            let whole = format!("typeof({name}) = 'real' AND {name} = CAST({name} AS INTEGER)");
            let text =
                format!("CASE WHEN {whole} THEN CAST(CAST({name} AS INTEGER) AS TEXT) ELSE {} END", id.text(dialect, name));
            format!("ltrim(replace(trim(lower({text})), '-', ''), '0')")
        }
    }
}

fn unseen(text: String, help: &str) -> StoreFailure {
    StoreFailure::refused(codes::OWNERS_UNSEEN, format!("{text}; nothing was touched"), help)
}

/// Rows may not have arrived at a replica yet: who is missing there is not gone.
async fn must_be_primary(session: &mut Session, dataset: &DatasetName) -> Result<(), StoreFailure> {
    let is_replica = match session.dialect() {
        Dialect::Sqlite => false,
        Dialect::Postgres => session.count("SELECT pg_is_in_recovery()::int", &[]).await? == 1,
        Dialect::Mysql => {
            session.count("SELECT @@GLOBAL.read_only", &[]).await? == 1 || has_source(session, "SHOW REPLICA STATUS").await?
        }
        Dialect::Mariadb => {
            session.count("SELECT @@GLOBAL.read_only", &[]).await? == 1 || has_source(session, "SHOW ALL SLAVES STATUS").await?
        }
    };
    if !is_replica {
        return Ok(());
    }
    Err(unseen(
        format!(
            "store `{}` is a replica or read-only, and owners that are missing in `{dataset}` may merely not have arrived",
            dataset.store
        ),
        "let `belongs_to` name a store whose url is the primary's",
    ))
}

/// True where the server says that it copies another one; without the right to ask nobody knows, and `read_only` decides.
async fn has_source(session: &mut Session, sql: &str) -> Result<bool, StoreFailure> {
    match session.fields(sql, &[]).await {
        Ok(sources) => Ok(!sources.is_empty()),
        Err(failure) if failure.is_temporary() => Err(failure),
        Err(_) => Ok(false),
    }
}

/// Who is not in a partition, or in a child, may be in its siblings.
fn must_be_whole(table: &Table, dataset: &DatasetName) -> Result<(), StoreFailure> {
    let Some(whole) = table.dependents.relatives.ancestors.last() else { return Ok(()) };
    Err(unseen(
        format!("`{dataset}` is a part of `{}`, whose other parts may hold the owners that it lacks", whole.label()),
        "let `belongs_to` name the whole table",
    ))
}

/// Of a date, a float, an enumeration or JSON nobody knows how a key writes it.
fn must_have_one_text(column: &Column, dataset: &DatasetName) -> Result<(), StoreFailure> {
    let is_whole = column.class == Class::Decimal && column.declared.replace(' ', "").ends_with(",0)");
    if IdKind::of(column) != IdKind::Other || is_whole {
        return Ok(());
    }
    Err(unseen(
        format!(
            "`{dataset}.{}` is of type {}, whose values have more than one text: who is missing there may be written otherwise",
            column.name, column.declared
        ),
        "let `belongs_to` name a column of whole numbers, UUIDs, text or bytes",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_id_have_one_normal_form() {
        for (one, other) in
            [("Li@X.com", "li@x.COM"), ("042", "42"), ("A0EEBC99-9C0B", "a0eebc999c0b"), (" li ", "LI"), ("É", "é")]
        {
            let (one, other) = (Spelling::Normal.of(one), Spelling::Normal.of(other));
            assert!(one.iter().any(|written| other.contains(written)), "{one:?} {other:?}");
        }
        assert_ne!(normal("li"), normal("mei"));
    }

    #[test]
    fn a_column_whose_values_have_several_texts_names_no_owner() {
        let column = |class, declared: &str| Column {
            name: "id".into(),
            declared: declared.into(),
            class,
            nullable: false,
            generated: false,
            has_default: false,
        };
        let of = |class, declared| must_have_one_text(&column(class, declared), &"core.users".parse().unwrap()).is_ok();
        assert!(
            of(Class::Integer { unsigned: false }, "bigint") && of(Class::Other, "uuid") && of(Class::Decimal, "numeric(20,0)")
        );
        assert!(!of(Class::Float, "double precision") && !of(Class::Decimal, "numeric(20,2)") && !of(Class::Json, "json"));
        assert!(!of(Class::Date, "date") && !of(Class::Choice, "enum('1','2')") && !of(Class::Decimal, "numeric"));
    }
}
