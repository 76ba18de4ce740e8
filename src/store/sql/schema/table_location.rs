//! Where a named table really is: which database on which server, whatever store name, schema or role led to it.

use super::relatives::{Relation, Relatives};
use crate::policy::dataset::DatasetName;
use crate::store::error::StoreFailure;
use crate::store::sql::session::connection::Session;
use crate::store::sql::session::identity::database_of;
use crate::store::sql::session::store::Store;
use crate::store::value::Cell;

/// A table or view as its catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The server and, where names stay within one, the database: equal for two store names of the same data.
    pub database: String,
    /// Its schema; none on SQLite.
    pub schema: Option<String>,
    /// Its name.
    pub table: String,
    /// It shows rows of other tables and keeps none: a view of any kind.
    pub is_view: bool,
    /// Its columns.
    pub columns: Vec<String>,
    /// Tables of the same database that share rows with it.
    pub relatives: Relatives,
}

/// How the rows of one table lie to those of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Share {
    /// They have none in common.
    None,
    /// Every row of the other is one of this table's: they are one table, or this is a parent of it.
    All,
    /// Some of the other's rows are this table's: those that the catalogue keeps under these numbers.
    Part(Vec<String>),
}

impl Located {
    /// Which rows of `other` are rows of this table too.
    pub fn share_of(&self, other: &Self) -> Share {
        if self.database != other.database {
            return Share::None;
        }
        let is_this = |relation: &&Relation| (&relation.schema, &relation.name) == (&self.schema, &self.table);
        if (&self.schema, &self.table) == (&other.schema, &other.table)
            || other.relatives.ancestors.iter().any(|one| is_this(&one))
        {
            return Share::All;
        }
        match other.relatives.descendants.iter().find(is_this) {
            None => Share::None,
            // A partition may be divided itself; its rows then lie in its own partitions.
            Some(own) => {
                let below = self.relatives.descendants.iter().map(|relation| relation.oid.clone());
                Share::Part(std::iter::once(own.oid.clone()).chain(below).collect())
            }
        }
    }
}

impl Store {
    /// Finds these tables by their exact names; none for one that is not there, or that the account may not see. Reads only.
    ///
    /// Gives the database as well: see [`Located::database`].
    ///
    /// # Errors
    /// The store went away.
    pub async fn locate(&self, who: &str, names: &[&DatasetName]) -> Result<(String, Vec<Option<Located>>), StoreFailure> {
        let mut session = self.reading(who).await?;
        let database = database_of(&mut session, self).await?;
        let mut found = vec![];
        for name in names {
            found.push(locate(&mut session, &database, name).await?);
        }
        Ok((database, found))
    }
}

async fn locate(session: &mut Session, database: &str, name: &DatasetName) -> Result<Option<Located>, StoreFailure> {
    let Some((sql, binds)) = session.dialect().locate(name.schema.as_deref(), &name.table) else { return Ok(None) };
    let rows = session.rows(sql, &binds).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let relatives = match &first[4] {
        oid @ Cell::Text(_) => session.dialect().relatives(session, oid).await?,
        _ => Relatives::default(),
    };
    Ok(Some(Located {
        relatives,
        database: database.to_owned(),
        schema: first[0].as_text().map(str::to_owned),
        table: first[1].shown(),
        is_view: first[2].as_flag(),
        columns: rows.iter().filter_map(|row| row.get(3)?.as_text().map(str::to_owned)).collect(),
    }))
}
